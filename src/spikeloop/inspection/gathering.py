"""Everything that a page shows of one policy, computed: an episode, wiring, tuning, lesions, sensitivities, weights that moved."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.analysis.lesions import LESIONS_AT_ONCE, Lesion, LesionStudy, groups, intact_episodes, lesion_study
from spikeloop.analysis.recording import Recording, record_episode
from spikeloop.analysis.responses import Response, Sensitivity, preferred, respond, sensitivity, tuning_map
from spikeloop.errors import InvalidInput
from spikeloop.inspection.wiring import Wiring, wiring_of
from spikeloop.interaction import Actor
from spikeloop.loading import chosen_place, load_policies
from spikeloop.policies import silenced
from spikeloop.run import Run

MOST_LESIONS = 160
LESION_SECONDS = (
    60.0  # about how long all lesions may take; where they would take longer, neurons are silenced in groups
)
MOST_VARIABLES = 6  # of the observation that have tuning maps; of more, those to which the outputs are most sensitive
ASKED = 64  # visited states at which sensitivities are measured, and what a lesion changes
DRAWS = 8  # of each answer, where chance has a part
CELLS = 20  # of a tuning map, each way
WIDEST = 64  # variables whose sensitivity is measured; of more, those that vary most


class Maps(eqx.Module):
    """Tuning maps: the values of each variable that has them, and the answers over every pair of variables."""

    variables: tuple[int, ...]
    held: Float[np.ndarray, " obs"]  # where the variables that are not asked stand
    values: tuple[Float[np.ndarray, " _"], ...]  # of each variable
    pairs: tuple[tuple[int, int], ...]  # places in `variables`
    responses: tuple[Response, ...]  # of each pair


class Decisions(eqx.Module):
    """What a lesion makes of the decisions at visited states."""

    changed: float | None  # share of them whose action is another; None where actions are not chosen by outputs
    frequencies: tuple[float, ...] | None  # of each action
    output_change: float  # mean magnitude, over outputs


class Inspection(eqx.Module):
    """Everything about one policy."""

    run: Run
    arm: str
    seed: int
    actor: Actor
    recording: Recording
    wiring: Wiring
    before: Wiring | None  # as training began; None where the run does not say
    maps: Maps
    asked: tuple[int, ...]  # variables of `sensitivity`
    sensitivity: Sensitivity
    lesions: LesionStudy | None
    intact: Decisions
    changes: tuple[Decisions, ...]  # of each lesion
    never_fired: tuple[int, ...]  # of each population: neurons that were silent in the intact episodes
    metrics: tuple[dict[str, Any], ...]  # lines of metrics.jsonl


def gather(
    run: Run,
    arm: str | None = None,
    policy_seed: int | None = None,
    seed: int = 0,
    max_decisions: int = 500,
    episodes: int = 20,
    tell: Callable[[str], None] = lambda what: None,
) -> Inspection:
    """Compute everything. `episodes` are those of a lesion, 0 for no lesion study; `tell` hears what is being done.

    Raises InvalidInput if the run has not finished, or the policy has no spikes.
    """
    if episodes < 0:
        raise InvalidInput(f"the episodes of a lesion must be at least 0, got {episodes}")
    arm = run.arm(arm)
    policies = load_policies(run, arm)
    place = chosen_place(run, arm, policies, policy_seed)
    actor, environment = policies.of_seed(place), run.experiment.environment
    if not actor.policy.populations(actor.actions.output_size):
        raise InvalidInput(
            f"{run.path}: {arm} has no spikes ({type(actor.policy).__name__}); inspect needs a spiking policy"
        )
    record_key, lesion_key, draw_key = jax.random.split(jax.random.key(seed), 3)
    tell("recording an episode")
    recording = record_episode(environment, actor, record_key, max_decisions, membranes=True)
    flat = recording.observations[:-1].reshape(recording.decisions, -1).astype(np.float32)
    visited = jnp.asarray(flat[np.linspace(0, len(flat) - 1, min(ASKED, len(flat))).astype(int)])
    asked_actor = _asked(actor, environment.spec.observation_shape)
    draws = DRAWS if actor.policy.stochastic else 1
    tell("measuring sensitivities")
    asked, sensitive = _sensitivity(asked_actor, visited, flat, draws, draw_key)
    tell("mapping tuning")
    maps = _maps(asked_actor, flat, asked, sensitive, draws, draw_key)
    lesions, silent = _lesions(environment, actor, episodes, lesion_key, tell)
    tell("asking what lesions change")
    intact, changes = _decisions(actor, environment.spec.observation_shape, lesions, visited, draws, draw_key)
    spec, learned = environment.spec, policies.seeds[place]
    return Inspection(
        run=run,
        arm=arm,
        seed=learned,
        actor=actor,
        recording=recording,
        wiring=wiring_of(actor.policy, actor.params, spec),
        before=_before(run, arm, learned, actor),
        maps=maps,
        asked=asked,
        sensitivity=sensitive,
        lesions=lesions,
        intact=intact,
        changes=changes,
        never_fired=silent,
        metrics=tuple(line for line in run.lines(arm, "metrics.jsonl") if line.get("seed") == learned),
    )


def initial_actor(run: Run, arm: str, seed: int) -> Actor:
    """What a seed's training began with, made again from the seed as `Trainer` makes it."""
    learner, environment = run.experiment.arms[arm], run.experiment.environment

    @eqx.filter_jit
    def begin(key):
        return learner.actor(environment, learner.init(environment, key))

    init_key, _ = jax.random.split(jax.random.fold_in(jax.random.key(seed), 0))
    return begin(init_key)


class _Flat(eqx.Module):
    """A policy that takes an observation as a vector, whatever its shape."""

    policy: Any
    shape: tuple[int, ...] = eqx.field(static=True)

    @property
    def stochastic(self):
        return self.policy.stochastic

    def init_state(self, params):
        return self.policy.init_state(params)

    def __call__(self, params, state, obs, key):
        return self.policy(params, state, obs.reshape(self.shape), key)


def _asked(actor: Actor, shape: tuple[int, ...], lesion: Lesion | None = None) -> Any:
    """The actor with a lesion, or with none, for observations as vectors.

    Without one it is the same program: a policy of which all is alive decides as it is, to the bit.
    """
    sizes = actor.policy.populations(actor.actions.output_size)
    alive = tuple(np.ones(size, np.float32) for size in sizes) if lesion is None else lesion.alive(sizes)
    policy, params = silenced(actor.policy, actor.params, tuple(map(jnp.asarray, alive)))
    policy = policy if len(shape) == 1 else _Flat(policy, shape)
    return Actor(policy, params, actor.actions, actor.selection)  # type: ignore[arg-type]


def _sensitivity(
    actor: Any, visited: Float[Array, "seen obs"], flat: Any, draws: int, key: Any
) -> tuple[tuple[int, ...], Sensitivity]:
    """Of every variable; of many, of those that vary most."""
    varies = np.argsort(-flat.std(axis=0), kind="stable")[:WIDEST]
    asked = np.sort(varies) if flat.shape[1] > WIDEST else np.arange(flat.shape[1])
    return tuple(map(int, asked)), jax.device_get(sensitivity(actor, visited, draws, key, tuple(map(int, asked))))


def _maps(actor: Any, flat: Any, asked: tuple[int, ...], sensitive: Sensitivity, draws: int, key: Any) -> Maps:
    strength = sensitive.size.sum(axis=1)
    chosen = sorted(asked[place] for place in np.argsort(-strength, kind="stable")[:MOST_VARIABLES])
    held = np.median(flat, axis=0).astype(np.float32)
    values = tuple(_values(flat[:, variable]) for variable in chosen)
    pairs = tuple(itertools.combinations(range(len(chosen)), 2)) or ((0, 0),)
    found = []
    for first, second in pairs:
        along = (values[first], values[second] if second != first else held[[chosen[second]]])
        # One variable alone: it is written last, so a map of one row.
        along = along if second != first else (held[[chosen[first]]], values[first])
        answer = tuning_map(
            actor.policy,
            actor.params,
            jnp.asarray(held),
            (chosen[first], chosen[second]),
            (jnp.asarray(along[0]), jnp.asarray(along[1])),
            draws,
            key,
        )
        found.append(jax.device_get(answer))
    return Maps(tuple(chosen), held, values, pairs, tuple(found))


def _values(seen: Float[np.ndarray, " decisions"]) -> Float[np.ndarray, " _"]:
    """Where a variable is asked: half as far again as it went in the episode; at whole numbers if it is one."""
    low, high = float(seen.min()), float(seen.max())
    if np.array_equal(seen, np.round(seen)) and high - low < 2 * CELLS:
        low, high = (low, high) if high > low else (low - 1, high + 1)
        return np.unique(np.round(np.linspace(low, high, min(CELLS, int(high - low) + 1)))).astype(np.float32)
    middle, half = 0.5 * (low + high), 0.75 * (high - low) or 0.5
    return np.linspace(middle - half, middle + half, CELLS, dtype=np.float32)


def _lesions(
    environment: Any, actor: Actor, episodes: int, key: Any, tell: Callable[[str], None]
) -> tuple[LesionStudy | None, tuple[int, ...]]:
    if not episodes:
        return None, ()
    tell("playing the intact policy")
    _, spikes = intact_episodes(environment, actor, episodes, key)
    started = time.monotonic()
    intact_episodes(environment, actor, episodes, key)  # compiled now
    seconds = time.monotonic() - started
    batches = max(1, int(LESION_SECONDS / max(seconds, 1e-6)))
    most = min(MOST_LESIONS, batches * LESIONS_AT_ONCE)
    found = groups(spikes, most)
    tell(f"playing {len(found)} lesions")
    study = lesion_study(environment, actor, found, episodes, key)
    return study, tuple(int((counts == 0).sum()) for counts in spikes)


def _decisions(
    actor: Actor, shape: tuple[int, ...], study: LesionStudy | None, visited: Any, draws: int, key: Any
) -> tuple[Decisions, tuple[Decisions, ...]]:
    lesions = () if study is None else study.lesions

    def answers(lesion: Lesion | None):
        asked = _asked(actor, shape, lesion)
        return respond(asked.policy, asked.params, visited, draws, key).output

    reference = answers(None)

    def compared(output) -> Decisions:
        chosen, normal = preferred(actor.actions, output), preferred(actor.actions, reference)
        size = float(jnp.mean(jnp.abs(output - reference)))
        if chosen is None or normal is None:
            return Decisions(None, None, size)
        counts = np.bincount(np.asarray(chosen), minlength=output.shape[1]) / len(chosen)
        return Decisions(float(jnp.mean(chosen != normal, dtype=jnp.float32)), tuple(counts.tolist()), size)

    return compared(reference), tuple(compared(answers(lesion)) for lesion in lesions)


def _before(run: Run, arm: str, seed: int, actor: Actor) -> Wiring | None:
    """The wiring that training began with; None where the learner began with another policy than it ended with."""
    first = initial_actor(run, arm, seed)
    if jax.tree.map(jnp.shape, first.params) != jax.tree.map(jnp.shape, actor.params):
        return None
    return wiring_of(first.policy, first.params, run.experiment.environment.spec)

"""A trained policy in any loop: NumPy observations in, NumPy actions out.

When to reset? Never within an episode, and always between two: call ``policy.reset()`` when an episode begins, as you
reset the environment. A policy whose membranes start every decision at rest, as Q-learning trains them, does not need
it; calling it is harmless.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from spikeloop.component import build
from spikeloop.environments import AbstractEnvironment, Spec
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSelection, Actor
from spikeloop.policies import AbstractPolicy
from spikeloop.ready_made import locate
from spikeloop.run import Run
from spikeloop.storage import load_arrays, read_header
from spikeloop.training import Evaluation, evaluate, over_seeds, spread


class Policy:
    """A trained policy, called on NumPy observations.

    ``policy(obs)`` takes one observation of the environment's shape and gives one action (an ``int``, or a vector),
    or takes a batch with one more leading axis and gives an array of actions. Membrane state lives on from call to
    call where the policy was trained so, separately for each member of a batch, until ``reset()``.
    """

    def __init__(self, actor: Actor, spec: Spec, seed: int = 0):
        self.actor, self.spec = actor, spec
        self._key = jax.random.key(seed)
        self._states: Any = None
        self._size: int | None = None
        arrays, description = eqx.partition(actor, eqx.is_array)

        def act(arrays, states, observations, key):
            actor = eqx.combine(arrays, description)
            keys = jax.random.split(key, observations.shape[0])
            return jax.vmap(actor)(states, observations, keys)

        self._act = jax.jit(act)
        self._arrays = arrays

    def reset(self) -> None:
        """Put the membranes at rest: call it when an episode begins."""
        self._states = None

    def __call__(self, observation: Any) -> Any:
        """The action for an observation, or the actions for a batch. Raises InvalidInput for another shape or a NaN."""
        observation = np.asarray(observation, np.float32)
        shape = self.spec.observation_shape
        single = observation.shape == shape
        if not single and observation.shape[1:] != shape:
            raise InvalidInput(f"an observation of {self.spec.name} has shape {shape}, got {observation.shape}")
        if not np.isfinite(observation).all():
            raise InvalidInput("the observation holds a NaN or an infinity")
        observations = observation[None] if single else observation
        if self._states is None or self._size != len(observations):
            self._size = len(observations)
            rest = self.actor.init_state()
            self._states = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self._size, *leaf.shape)), rest)
        self._key, key = jax.random.split(self._key)
        self._states, act = self._act(self._arrays, self._states, observations, key)
        actions = np.asarray(act.action)
        if not single:
            return actions
        return int(actions[0]) if actions.ndim == 1 else actions[0]


class Policies(eqx.Module):
    """The final policies of all seeds of one learner: an actor whose parameters have a leading axis of seeds."""

    actors: Actor
    spec: Spec
    seeds: tuple[int, ...]

    def place(self, seed: int) -> int:
        """The place of a seed in `seeds`. Raises InvalidInput if it is none of them."""
        if seed not in self.seeds:
            raise InvalidInput(f"this run has no seed {seed}; it has {', '.join(map(str, self.seeds))}")
        return self.seeds.index(seed)

    def of_seed(self, place: int) -> Actor:
        """The actor of one seed, by its place in `seeds`."""
        params = jax.tree.map(lambda leaf: leaf[place], self.actors.params)
        return Actor(self.actors.policy, params, self.actors.actions, self.actors.selection)


def _require_finished(run, arm):
    if run.final(arm) is None:
        raise InvalidInput(f"{run.path}: {arm} has not finished; `spikeloop resume {run.path}` goes on")


def load_policies(run: Run, arm: str) -> Policies:
    """The final policies of a learner. Raises InvalidInput if it has not finished, or the file is damaged."""
    _require_finished(run, arm)
    path = run.arm_path(arm) / "policy.safetensors"
    header = read_header(path)
    policy, selection, spec = (build(header.get(name)) for name in ("policy", "selection", "spec"))
    seeds = header.get("seeds")
    if not (
        isinstance(policy, AbstractPolicy)
        and isinstance(selection, AbstractSelection)
        and isinstance(spec, Spec)
        and isinstance(seeds, list)
        and all(isinstance(seed, int) for seed in seeds)
    ):
        raise InvalidInput(f"{path} does not describe a policy")

    def init(key):
        return policy.init(spec.observation_size, spec.actions.output_size, key)

    def all_seeds(key):
        return jax.vmap(init)(jax.random.split(key, len(seeds)))

    params = load_arrays(path, jax.eval_shape(all_seeds, jax.random.key(0)))
    return Policies(Actor(policy, params, spec.actions, selection), spec, tuple(seeds))


def load_lessons(run: Run, arm: str) -> dict[str, np.ndarray]:
    """What a learner learned beside its policies, by name, with a leading axis of seeds; empty if there is nothing.

    Raises InvalidInput if it has not finished, or the file is damaged.
    """
    _require_finished(run, arm)
    learner, environment = run.experiment.arms[arm], run.experiment.environment

    def lessons(key):
        return learner.lessons(learner.init(environment, key))

    keys = jax.vmap(jax.random.key)(jnp.asarray(run.experiment.seed_range))
    template = jax.eval_shape(jax.vmap(lessons), keys)
    if not template:
        return {}
    return {
        name: np.asarray(value)
        for name, value in load_arrays(run.arm_path(arm) / "lessons.safetensors", template).items()
    }


def median_seed(final: dict[str, Any]) -> int:
    """The place of the seed whose final score is the median one (the lower of two)."""
    scores = np.asarray(final["returns"], float).mean(axis=1)
    return int(np.argsort(scores, kind="stable")[(len(scores) - 1) // 2])


def chosen_place(run: Run, arm: str, policies: Policies, seed: int | None = None) -> int:
    """The place of a seed among an arm's policies; for None that of the seed of median score. Raises InvalidInput."""
    return median_seed(run.final(arm) or {}) if seed is None else policies.place(seed)


def load(run: str | Path, arm: str | None = None, seed: int | None = None) -> Policy:
    """The final policy of a run, given its directory, or the name of a ready-made one.

    ``arm`` is the experiment's own learner for None, or the name of a control. ``seed`` None takes the seed whose
    final evaluation is the median one, so that what you see is typical and not the best of ten. Raises InvalidInput
    if there is no such policy, or it is damaged.
    """
    opened = Run.open(locate(run))
    arm = opened.arm(arm)
    policies = load_policies(opened, arm)
    place = chosen_place(opened, arm, policies, seed)
    return Policy(policies.of_seed(place), policies.spec)


def evaluate_policies(policies: Policies, environment: AbstractEnvironment, episodes: int, seed: int) -> Evaluation:
    """Fresh episodes for every seed's policy, every leaf with a leading axis of seeds. Raises InvalidInput if spaces differ."""
    spec = environment.spec
    if spec.observation_shape != policies.spec.observation_shape or spec.actions != policies.spec.actions:
        raise InvalidInput(f"this policy was trained in {policies.spec.name}, whose spaces {spec.name} does not share")
    actors = policies.actors
    keys = jax.random.split(jax.random.key(seed), len(policies.seeds))

    def one(pair):
        params, key = pair
        return evaluate(environment, Actor(actors.policy, params, actors.actions, actors.selection), key, episodes)

    count = len(policies.seeds)
    return jax.device_get(over_seeds(one, count)(spread((actors.params, keys), count)))

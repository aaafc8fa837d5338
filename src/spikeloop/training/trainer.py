"""The one loop: any learner, in any environment, for all seeds at once.

`Trainer.advance` runs one jitted chunk of iterations for every seed and returns what happened as records; between
chunks the caller logs, draws progress and saves. Everything that changes is in `SeedState`, and every random key is
derived from it, so training that is saved after any chunk and goes on later ends bit for bit where it would have
ended.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from spikeloop.component import Component, require_count
from spikeloop.environments import AbstractEnvironment
from spikeloop.interaction import Actor
from spikeloop.learners import AbstractLearner
from spikeloop.training.evaluation import Evaluation, evaluate, join
from spikeloop.training.seeds import UNOPTIMISED, over_seeds, spread

# Iterations per chunk where their length in environment steps is not known beforehand.
UNEVEN_CHUNK = 8


class Protocol(Component):
    """How long to train and how to evaluate: the same for every learner of an experiment."""

    env_steps: int = 50_000  # environment steps per seed; training stops at the first iteration that reaches them
    episodes: int | None = None  # training also stops after so many episodes (None: no such limit)
    iterations: int | None = None  # training also stops after so many iterations of the learner (None: no such limit)
    evaluations: int = 10  # how many times the policy is evaluated on the way, the end included
    evaluation_episodes: int = 10  # fresh episodes of each evaluation on the way
    final_episodes: int = 100  # fresh episodes of the evaluation of the final policy
    records: int | None = 200  # how many times training is recorded on the way (None: at every iteration)

    def __check_init__(self):
        require_count(self, "env_steps", "evaluations", "evaluation_episodes", "final_episodes")
        for limit in ("episodes", "iterations", "records"):
            if getattr(self, limit) is not None:
                require_count(self, limit)

    def unfinished(self, counts: "SeedState", env_steps: Any) -> Any:
        """Whether a seed (or each of several) has not reached so many environment steps, nor any other limit."""
        unfinished = counts.env_steps < env_steps
        if self.episodes is not None:
            unfinished &= counts.episodes < self.episodes
        if self.iterations is not None:
            unfinished &= counts.iterations < self.iterations
        return unfinished


class SeedState(eqx.Module):
    """Everything that changes in the training of one seed."""

    learner: Any
    key: PRNGKeyArray
    env_steps: Int[Array, ""]
    episodes: Int[Array, ""]
    iterations: Int[Array, ""]


class Record(eqx.Module):
    """What one seed did in one chunk, or in one iteration: means of its metrics, and the episodes that ended."""

    seed: int
    env_steps: int  # taken so far
    episodes: int  # ended so far
    metrics: dict[str, float]
    returns: list[float]  # of the episodes that ended meanwhile
    lengths: list[int]


class Trainer:
    """Trains one learner on all seeds. Its only state is `states` (arrays) and `chunk` (how many chunks have run)."""

    def __init__(self, environment: AbstractEnvironment, learner: AbstractLearner, protocol: Protocol, seeds: range):
        self.environment, self.learner, self.protocol, self.seeds = environment, learner, protocol, seeds
        self.chunk = 0
        self._in_step = learner.fixed_env_steps and protocol.episodes is None and protocol.iterations is None
        self._chunks: dict[int, Any] = {}
        roots = jax.vmap(jax.random.key)(jnp.asarray(seeds))
        self._evaluation_keys = jax.vmap(lambda root: jax.random.fold_in(root, 1))(roots)
        keys = jax.vmap(lambda root: jax.random.fold_in(root, 0))(roots)
        self._start = over_seeds(self._first, len(seeds), self._in_step, UNOPTIMISED, learner.individuals)
        self._keys = spread(keys, len(seeds), learner.individuals)
        self._states: Any = None

    def _first(self, key: PRNGKeyArray) -> SeedState:
        init_key, key = jax.random.split(key)
        zero = jnp.zeros((), jnp.int32)
        return _strong(SeedState(self.learner.init(self.environment, init_key), key, zero, zero, zero))

    @property
    def states(self) -> SeedState:
        """The state of every seed, stacked."""
        if self._states is None:
            self._states = self._start(self._keys)
        return self._states

    def template(self) -> SeedState:
        """The structure of `states`, without computing it."""
        return jax.eval_shape(jax.vmap(self._first), self._keys)

    def restore(self, states: SeedState, chunk: int) -> None:
        """Go on from saved states."""
        self._states = spread(states, len(self.seeds), self.learner.individuals)
        self.chunk = chunk

    @property
    def env_steps(self) -> np.ndarray:
        """Environment steps of each seed so far."""
        return np.asarray(self.states.env_steps)

    @property
    def done(self) -> bool:
        """Whether every seed has used up its budget."""
        return not self._unfinished(self.protocol.env_steps).any()

    def _unfinished(self, boundary):
        return np.asarray(self.protocol.unfinished(self.states, boundary))

    def _interval(self) -> int:
        return max(1, math.ceil(self.protocol.env_steps / (self.protocol.records or 1)))

    def advance(self) -> list[Record]:
        """Run one chunk: every seed up to the next recording point, or a number of iterations towards it."""
        interval, total = self._interval(), self.protocol.env_steps
        slowest = int(self.env_steps[self._unfinished(total)].min())
        boundary = min(total, (slowest // interval + 1) * interval)
        iterations = UNEVEN_CHUNK
        if self.learner.fixed_env_steps:
            left = math.ceil((boundary - slowest) / self.learner.typical_env_steps(self.environment))
            iterations = left if self.protocol.records is not None else min(left, UNEVEN_CHUNK)
        if iterations not in self._chunks:
            self._chunks[iterations] = over_seeds(
                lambda state, limit: self._run_chunk(state, limit, iterations),
                len(self.seeds),
                self._in_step,
                self.learner.compiler_options if jax.default_backend() == "cpu" else None,
                self.learner.individuals,
            )
        before = jax.device_get((self.states.env_steps, self.states.episodes))
        self._states, reports = self._chunks[iterations](self.states, jnp.asarray(boundary, jnp.int32))
        self.chunk += 1
        return self._records(jax.device_get(reports), *before)

    def _run_chunk(self, state, boundary, iterations):
        def iterate(state):
            key, step_key = jax.random.split(state.key)
            learner, report = self.learner.step(self.environment, state.learner, step_key)
            ended = jnp.sum(report.episodes.ended, dtype=jnp.int32)
            env_steps, episodes = state.env_steps + report.env_steps, state.episodes + ended
            return SeedState(learner, key, env_steps, episodes, state.iterations + 1), report

        if self._in_step:
            return jax.lax.scan(lambda state, _: iterate(state), state, length=iterations)

        def rest(state):
            blank = jax.eval_shape(lambda: iterate(state)[1])
            return state, jax.tree.map(
                lambda leaf: jnp.full(leaf.shape, jnp.nan if leaf.dtype == jnp.float32 else 0, leaf.dtype), blank
            )

        def iterate_or_rest(state, _):
            return jax.lax.cond(self.protocol.unfinished(state, boundary), iterate, rest, state)

        return jax.lax.scan(iterate_or_rest, state, length=iterations)

    def _records(self, reports, env_steps, episodes):
        records = []
        for place, seed in enumerate(self.seeds):
            so_far, ended_so_far = int(env_steps[place]), int(episodes[place])
            ran = np.flatnonzero(reports.env_steps[place])
            if not ran.size:
                continue  # this seed had already finished
            for part in ran[:, None] if self.protocol.records is None else [slice(None)]:
                report = jax.tree.map(lambda leaf, where=(place, part): leaf[where], reports)
                ended = report.episodes.ended
                so_far, ended_so_far = so_far + int(report.env_steps.sum()), ended_so_far + int(ended.sum())
                metrics = {name: _mean(values) for name, values in report.metrics.items()}
                records.append(
                    Record(
                        seed,
                        so_far,
                        ended_so_far,
                        {name: value for name, value in metrics.items() if value is not None},
                        [float(value) for value in report.episodes.episode_return[ended]],
                        [int(value) for value in report.episodes.length[ended]],
                    )
                )
        return records

    def actors(self) -> Actor:
        """What each seed has learned so far; every array with a leading axis of seeds."""
        return eqx.filter_vmap(lambda state: self.learner.actor(self.environment, state))(self.states.learner)

    def lessons(self) -> dict[str, Array]:
        """What each seed has learned beside its policy; every array with a leading axis of seeds."""
        return jax.vmap(self.learner.lessons)(self.states.learner)

    def diverged(self) -> list[int]:
        """The seeds whose parameters are not all finite: they have learned nothing that can be used."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.device_get(self.actors().params))]
        return [
            seed for place, seed in enumerate(self.seeds) if not all(np.isfinite(leaf[place]).all() for leaf in leaves)
        ]

    def evaluate(self, episodes: int, occasion: int) -> Evaluation:
        """Play fresh episodes with each seed's policy of now; `occasion` (a step count) tells the evaluations' keys
        apart.

        Episodes are played in blocks of `evaluation_episodes`, so that all evaluations share one compiled program.
        """
        block = self.protocol.evaluation_episodes
        params, rest = eqx.partition(self.actors(), eqx.is_array)
        evaluator = _evaluator(self.environment, rest, len(self.seeds), block)
        pairs = spread((params, self._evaluation_keys), len(self.seeds))
        blocks = [evaluator(pairs, jnp.int32(occasion), jnp.int32(n)) for n in range(math.ceil(episodes / block))]
        return join(jax.device_get(blocks), episodes)


def _evaluator(environment: AbstractEnvironment, actor: Actor, seeds: int, episodes: int) -> Callable[..., Evaluation]:
    """Plays so many episodes with the policy of every seed. One program for all arms whose policies have the same form."""
    try:
        return _shared_evaluator(environment, actor, seeds, episodes)
    except TypeError:  # a component with a dict among its fields has no hash
        return _shared_evaluator.__wrapped__(environment, actor, seeds, episodes)


@functools.lru_cache(maxsize=64)
def _shared_evaluator(environment, actor, seeds, episodes):

    def evaluate_seed(pair, occasion, place):
        params, key = pair
        key = jax.random.fold_in(jax.random.fold_in(key, occasion), place)
        return evaluate(environment, eqx.combine(params, actor), key, episodes)

    return over_seeds(evaluate_seed, seeds)


def _strong(states):
    """The same without weak types, as what comes out of a chunk has none: else the second chunk would be compiled anew."""

    def strong(leaf):
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return leaf if is_key else jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(strong, states)


def _mean(values):
    values = np.asarray(values, np.float64)
    finite = values[~np.isnan(values)]
    return float(finite.mean()) if finite.size else None

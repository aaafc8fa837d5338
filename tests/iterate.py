"""A learner at work in a world, for tests: every state and every report of so many iterations."""

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from spikeloop.environments import AbstractEnvironment
from spikeloop.learners import AbstractLearner, Report


class Course(NamedTuple):
    """The state before the first iteration, and every state and report that followed, stacked."""

    first: Any
    states: Any
    reports: Report

    @property
    def last(self) -> Any:
        """The state after the last iteration."""
        return jax.tree.map(lambda leaf: leaf[-1], self.states)


def iterate(learner: AbstractLearner, world: AbstractEnvironment, iterations: int, seed: int = 0) -> Course:
    """So many iterations of a learner, compiled as one."""
    init_key, key = jax.random.split(jax.random.key(seed))

    @jax.jit
    def go(state, keys):
        def step(state, key):
            state, report = learner.step(world, state, key)
            return state, (state, report)

        return jax.lax.scan(step, state, keys)[1]

    first = learner.init(world, init_key)
    return Course(first, *go(first, jax.random.split(key, iterations)))


def flat(params: Any) -> np.ndarray:
    """Stacked parameters as an array [iterations, parameters]."""
    return np.asarray(jax.vmap(lambda tree: ravel_pytree(tree)[0])(params))

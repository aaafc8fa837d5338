"""A learner whose hyperparameters change from one stage of training to the next, while everything learned goes on.

Stages are the same learner with other numbers: after the environment steps of one, the next takes over its state. Only numbers that
are no counts may differ, so that one compiled iteration serves all stages.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from spikeloop.component import Component, require, require_count
from spikeloop.errors import InvalidInput
from spikeloop.learners._base import AbstractLearner
from spikeloop.learners.reward_modulated_plasticity import RewardModulatedPlasticity


class Stage(Component):
    """A learner and for how long it learns."""

    learner: AbstractLearner = RewardModulatedPlasticity()  # with the numbers of this stage
    env_steps: int = 10_000  # environment steps of the stage; the last one goes on to the end

    def __check_init__(self):
        require_count(self, "env_steps")


class StagedState(eqx.Module):
    """The state of the learner, and how far training has come."""

    learner: Any
    env_steps: Int[Array, ""]


class Staged(AbstractLearner):
    """Stages of training: one learner after the other, on the same state."""

    fixed_env_steps = False

    stages: tuple[Stage, ...] = (Stage(),)  # in their order

    def __check_init__(self):
        require(self, "stages", lambda stages: len(stages) > 0, "a non-empty tuple")
        first, *others = (stage.learner for stage in self.stages)
        for other in others:
            same = jax.tree.structure(other) == jax.tree.structure(first)
            pairs = zip(jax.tree.leaves(first), jax.tree.leaves(other), strict=True) if same else ()
            if not same or any(not isinstance(a, float) and a != b for a, b in pairs):
                raise InvalidInput(
                    "Staged.stages must be one learner with other numbers; counts and components are the same"
                )

    def typical_env_steps(self, environment):
        return self.stages[0].learner.typical_env_steps(environment)

    def init(self, environment, key):
        return StagedState(self.stages[0].learner.init(environment, key), jnp.zeros((), jnp.int32))

    def step(self, environment, state, key):
        learned, report = self._now(state.env_steps).step(environment, state.learner, key)
        return StagedState(learned, state.env_steps + report.env_steps), report

    def actor(self, environment, state):
        return self.stages[-1].learner.actor(environment, state.learner)

    def _now(self, env_steps: Int[Array, ""]) -> AbstractLearner:
        """The learner of the stage that training has come to."""
        ends, total = [], 0
        for stage in self.stages[:-1]:
            total += stage.env_steps
            ends.append(total)
        place = jnp.sum(env_steps >= jnp.asarray(ends, jnp.int32), dtype=jnp.int32)

        def select(*values):
            return values[0] if all(value == values[0] for value in values) else jnp.asarray(values, jnp.float32)[place]

        return jax.tree.map(select, *(stage.learner for stage in self.stages))

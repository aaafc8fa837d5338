"""A learner whose hyperparameters change from one stage of training to the next, while everything learned goes on.

Stages are the same learner with other numbers: after the environment steps of one, the next takes over its state, as
`AbstractLearner.taken_over` leaves it. Only numbers that are no counts may differ, so that one compiled iteration serves them all.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
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
    """The state of the learner, how far training has come, and the place of the stage of the last iteration."""

    learner: Any
    env_steps: Int[Array, ""]
    stage: Int[Array, ""]


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
        zero = jnp.zeros((), jnp.int32)
        return StagedState(self.stages[0].learner.init(environment, key), zero, zero)

    def step(self, environment, state, key):
        stage = self._stage(state.env_steps)
        learner = self._learner(stage)
        taken = jax.tree.map(
            lambda new, old: jnp.where(stage > state.stage, new, old), learner.taken_over(state.learner), state.learner
        )
        learned, report = learner.step(environment, taken, key)
        return StagedState(learned, state.env_steps + report.env_steps, stage), report

    def actor(self, environment, state):
        return self.stages[-1].learner.actor(environment, state.learner)

    def _stage(self, env_steps: Int[Array, ""]) -> Int[Array, ""]:
        """The place of the stage that training has come to."""
        ends = np.cumsum([stage.env_steps for stage in self.stages[:-1]])
        return jnp.sum(env_steps >= jnp.asarray(ends, jnp.int32), dtype=jnp.int32)

    def _learner(self, stage: Int[Array, ""]) -> AbstractLearner:
        """The learner of this stage."""

        def select(*values):
            return values[0] if all(value == values[0] for value in values) else jnp.asarray(values, jnp.float32)[stage]

        return jax.tree.map(select, *(stage.learner for stage in self.stages))

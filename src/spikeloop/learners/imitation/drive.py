"""What a pupil learns from: a teacher at the wheel, with noise on its actions, so that it gets to where pupils err.

The lesson is what the teacher would do without the noise: its output in every state that it saw.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.component import Component
from spikeloop.environments import AbstractEnvironment
from spikeloop.interaction import AbstractSelection, Actor, Episode, Interaction, StraightNoise, begin, interact
from spikeloop.policies import AbstractPolicy, InTurn, TurnAway, TurnTowards


class DriveState(eqx.Module):
    """The episode in progress and the teacher's parameters, which never change."""

    interaction: Interaction
    teacher: Any
    env_steps: Int[Array, ""]


class Lesson(eqx.Module):
    """What was seen, what the teacher would do, and the episodes that it drove; a leading axis of steps."""

    obs: Float[Array, "steps *observation"]
    target: Float[Array, "steps out"]
    episodes: Episode


class Drive(Component):
    """A teacher, and the noise with which it drives."""

    teacher: AbstractPolicy = InTurn(TurnAway(), TurnTowards(), sensors=6)  # whose output is to be imitated, -1 to 1
    noise: AbstractSelection = StraightNoise(0.5)  # how an action follows from that output

    def init(self, environment: AbstractEnvironment, key: PRNGKeyArray) -> DriveState:
        """The start of a first episode."""
        teacher_key, begin_key = jax.random.split(key)
        spec = environment.spec
        teacher = self.teacher.init(spec.observation_size, spec.actions.output_size, teacher_key)
        return DriveState(
            begin(environment, self._actor(environment, teacher), begin_key), teacher, jnp.zeros((), jnp.int32)
        )

    def __call__(
        self, environment: AbstractEnvironment, state: DriveState, steps: int, key: PRNGKeyArray
    ) -> tuple[DriveState, Lesson]:
        """So many more steps at the wheel."""
        actor = self._actor(environment, state.teacher)

        def on(carry, key):
            interaction, env_steps = carry
            interaction, moment = interact(environment, actor, interaction, env_steps, key)
            return (interaction, env_steps + 1), Lesson(moment.transition.obs, moment.decision.output, moment.episode)

        carry = (state.interaction, state.env_steps)
        (interaction, env_steps), lesson = jax.lax.scan(on, carry, jax.random.split(key, steps))
        return DriveState(interaction, state.teacher, env_steps), lesson

    def _actor(self, environment, teacher):
        return Actor(self.teacher, teacher, environment.spec.actions, self.noise)

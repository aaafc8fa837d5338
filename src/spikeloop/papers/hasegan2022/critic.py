r"""The critic of Hasegan et al. 2022 for CartPole: reward for a pole that became more upright and slower.

    loss = sqrt(theta^2 + b omega^2)                 theta: angle in rad, omega: angular velocity in rad/s, b: `velocity_weight`
    r = gain (loss before - loss now)
    r = 1                                            if |theta|, |omega| < 0.01 now
    r = -1 / positive_bias                           if the action was drawn, since no motor half fired more than the other
    r = 0                                            if |theta|, |omega| < 0.01 before, whatever came of it
    r <- positive_bias r where r > 0;  cut to [-1, 1];  0 at the end of an episode, whose last state their critic never sees

Nothing in it is learned. It is far more than the reward of the task: it tells after every action whether it helped.
"""

import jax.numpy as jnp

from spikeloop.component import require_finite, require_positive
from spikeloop.errors import InvalidInput
from spikeloop.learners import AbstractModulator

ANGLE, ANGULAR_VELOCITY = 2, 3  # places in CartPole's observation


class UprightCritic(AbstractModulator):
    """Reward for a pole that becomes more upright and slower, punishment for actions that were drawn (Hasegan et al. 2022)."""

    velocity_weight: float = 1.2  # of the squared angular velocity beside the squared angle, s^2
    positive_bias: float = 2.0  # factor on rewards
    gain: float = 3.0  # factor on the change of the loss
    upright: float = 0.01  # angle (rad) and angular velocity (rad/s) below which the pole counts as upright

    def __check_init__(self):
        require_finite(self, "velocity_weight", "gain")
        require_positive(self, "positive_bias", "upright")

    def init(self, spec, key):
        if spec.observation_shape != (4,):
            raise InvalidInput(
                f"UprightCritic knows CartPole's four numbers, and {spec.name} shows {spec.observation_shape}"
            )
        return None

    def step(self, state, transition):
        """What it makes of a transition whose action was not drawn."""
        r = self.gain * (self._loss(transition.obs) - self._loss(transition.next_obs))
        return state, self._told(jnp.where(self._is_upright(transition.next_obs), 1.0, r), transition)

    def hear(self, state, moment):
        output = moment.decision.output
        drawn = jnp.sum(output == jnp.max(output)) > 1
        punished = self._told(jnp.asarray(-1.0 / self.positive_bias, jnp.float32), moment.transition)
        return state, jnp.where(drawn, punished, self.step(state, moment.transition)[1])

    def _told(self, r, transition):
        r = jnp.clip(jnp.where(r > 0, self.positive_bias * r, r), -1.0, 1.0)
        ended = transition.terminated | transition.truncated
        return jnp.where(ended | self._is_upright(transition.obs), 0.0, r)

    def _loss(self, obs):
        return jnp.sqrt(obs[ANGLE] ** 2 + self.velocity_weight * obs[ANGULAR_VELOCITY] ** 2)

    def _is_upright(self, obs):
        return (jnp.abs(obs[ANGLE]) < self.upright) & (jnp.abs(obs[ANGULAR_VELOCITY]) < self.upright)

"""A critic that learns at every step, with eligibility traces: TD(lambda) (Sutton & Barto 2018, section 12.2).

    delta_t = r_{t+1} + gamma V(s_{t+1}) - V(s_t)          without the second term where the task ended; not where its time did
    e_t     = gamma lambda e_{t-1} + dV(s_t)/dw            zero before an episode's first step
    w       <- w + rate delta_t e_t

With a linear value function dV/dw is the features' own activity, so every factor is at hand at the synapse but delta, which is
broadcast. delta is also what actors learn from: the reward-prediction error.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component, require_between, require_positive
from spikeloop.environments import Spec
from spikeloop.interaction import Transition
from spikeloop.learners.critics.value_function import AbstractValueFunction, NetworkValue


class CriticState(eqx.Module):
    """The parameters of the value function, and the trace of their derivatives in the episode so far."""

    params: Any
    trace: Any


class TemporalDifference(Component):
    """Learns the value of observations from one step to the next, with accumulating traces."""

    value: AbstractValueFunction = NetworkValue()  # of an observation
    rate: float = 0.01  # learning rate
    trace_decay: float = 0.9  # lambda: how long a step stays eligible; 0 is only for the next error

    def __check_init__(self):
        require_positive(self, "rate")
        require_between(self, 0.0, 1.0, "trace_decay")

    def init(self, spec: Spec, key: PRNGKeyArray) -> CriticState:
        """The state before the first step."""
        params = self.value.init(spec, key)
        return CriticState(params, jax.tree.map(jnp.zeros_like, params))

    def value_of(self, state: CriticState, obs: Float[Array, "..."]) -> Float[Array, ""]:
        """The value of one observation, as it is known now."""
        return self.value(state.params, obs)

    def step(
        self, state: CriticState, transition: Transition, discount: float | Float[Array, ""]
    ) -> tuple[CriticState, Float[Array, ""]]:
        """Learn from one step: the new state, and the temporal-difference error of the value as it was."""
        value, slope = jax.value_and_grad(self.value)(state.params, transition.obs)
        ahead = jnp.where(transition.terminated, 0.0, discount * self.value(state.params, transition.next_obs))
        error = transition.reward + ahead - value
        trace = jax.tree.map(lambda e, g: discount * self.trace_decay * e + g, state.trace, slope)
        params = jax.tree.map(lambda w, e: w + self.rate * error * e, state.params, trace)
        done = transition.terminated | transition.truncated
        return CriticState(params, jax.tree.map(lambda e: jnp.where(done, 0.0, e), trace)), error

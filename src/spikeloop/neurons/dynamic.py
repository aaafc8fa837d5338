"""Dynamic neuron of second order: a potential and a resistance to it, the neuron of MDC-SAN.

    c <- current_decay c + I
    v <- v (1 - o) + theta_r o                 o is the previous spike
    u <- u + theta_s o
    dv = v^2 - v - u + c;   du = theta_v v - theta_u u         both of the same v and u
    v <- v + dv;   u <- u + du
    o <- 1[v > threshold]

Zhang et al. 2022 (AAAI; arXiv:2106.07854), Algorithm 1. The step of 1 cancels the leak, so what is computed is
v <- v^2 - u + c and u <- (1 - theta_u) u + theta_v v.

The rest is an equilibrium, v^2 - (1 + theta_v/theta_u) v + c = 0: with their constants v^2 - 0.675 v + c = 0, which has a
solution only up to c = 0.1139, the rheobase (a constant I of 0.0569, which the decay of 0.5 doubles). The square makes the
neuron answer to inhibition too: what throws v far below zero makes it fire at the next tick. Such a neuron lies outside the
surrogate's window and gets no gradient.

Their constants are the means over the neurons of a network whose four parameters were trained with its weights from a random
start, frozen since. Training them is `parameters=TrainableParameters(UniformStart(-0.5, 0.5))`. They do not say from which
distribution a start is drawn; ours is centred on zero, so that it tells nothing of what is to be found.
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_between, require_finite, require_positive
from spikeloop.neurons.parameters import AbstractIndividualNeuron, AbstractNeuronParameters, SharedParameters
from spikeloop.neurons.reset import start_again
from spikeloop.neurons.surrogate import AbstractSurrogate, Rectangular


class DynamicState(eqx.Module):
    """State of dynamic neurons."""

    current: Float[Array, " n"]  # c
    v: Float[Array, " n"]  # potential, before the reset by the last spike
    u: Float[Array, " n"]  # resistance, before what the last spike adds
    spikes: Float[Array, " n"]  # of the last tick


class DynamicNeuron(AbstractIndividualNeuron):
    """Second-order neuron whose potential has a resistance that follows it (Zhang et al. 2022, MDC-SAN)."""

    ranges: ClassVar = dict.fromkeys(("theta_v", "theta_u", "theta_r", "theta_s"), (None, None))

    theta_v: float = -0.172  # what the potential adds to the resistance in a tick
    theta_u: float = 0.529  # part of the resistance that is lost in a tick
    theta_r: float = 0.021  # potential after a spike, dimensionless
    theta_s: float = 0.132  # what a spike adds to the resistance
    current_decay: float = 0.5  # what is left of the current after a tick
    threshold: float = 0.5  # potential above which it fires, dimensionless
    surrogate: AbstractSurrogate = Rectangular(width=1.0)  # derivative of the spike
    parameters: AbstractNeuronParameters = SharedParameters()  # whether the four thetas are each neuron's own

    def __check_init__(self):
        require_finite(self, "theta_v", "theta_u", "theta_r", "theta_s")
        require_between(self, 0.0, 1.0, "current_decay")
        require_positive(self, "threshold")

    def init(self, size):
        return DynamicState(*(jnp.zeros(size) for _ in range(4)))

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        current = self.current_decay * state.current + current
        v = start_again(state.v, state.spikes, self.theta_r)
        u = state.u + self.theta_s * state.spikes
        after = v * v - u + current
        spikes = self.surrogate.above(after, self.threshold)
        return DynamicState(current, after, (1.0 - self.theta_u) * u + self.theta_v * v, spikes), spikes

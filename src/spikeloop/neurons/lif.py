"""Leaky integrate-and-fire neurons, and the leaky integrator that never fires.

    raw input       v <- v (1 - 1/tau) + I
    decayed input   v <- v (1 - 1/tau) + I/tau
    o = 1[v >= threshold];  v <- reset(v, o)

With decayed input (SpikingJelly's default) a constant input I drives the potential towards I, so the neuron fires only
if I reaches the threshold; with raw input it is driven towards tau I. Default initial weights and small observations
(CartPole starts within 0.05 of zero) leave the decayed form silent: see Zheng et al. 2026 Strategy B in the results.
"""

import jax.numpy as jnp

from spikeloop.component import require, require_positive
from spikeloop.neurons._base import AbstractIntegrator, AbstractNeuron, Membrane
from spikeloop.neurons.reset import AbstractReset, HardReset
from spikeloop.neurons.surrogate import AbstractSurrogate, Sigmoid


class AbstractLeakyIntegrateAndFire(AbstractNeuron):
    """What the two forms of the LIF share: all but the weight of the input."""

    tau: float = 2.0  # membrane time constant, ticks
    threshold: float = 1.0  # potential at which it fires, dimensionless
    reset: AbstractReset = HardReset()  # what a spike does to the potential
    surrogate: AbstractSurrogate = Sigmoid()  # derivative of the spike

    def __check_init__(self):
        _require_time_constant(self)
        require_positive(self, "threshold")

    def init(self, size):
        return Membrane(v=jnp.zeros(size))

    def potential(self, state):
        return state.v

    def _fire(self, v):
        spikes = self.surrogate(v, self.threshold)
        return Membrane(v=self.reset(v, spikes, self.threshold)), spikes


class LeakyIntegrateAndFire(AbstractLeakyIntegrateAndFire):
    """Leaky integrate-and-fire with raw input: v <- v (1 - 1/tau) + I."""

    def step(self, state, current, key):
        return self._fire(state.v * (1.0 - 1.0 / self.tau) + current)


class DecayedInputLeakyIntegrateAndFire(AbstractLeakyIntegrateAndFire):
    """Leaky integrate-and-fire whose input decays with it: v <- v (1 - 1/tau) + I/tau. Often silent: watch the firing rate."""

    def step(self, state, current, key):
        return self._fire(state.v * (1.0 - 1.0 / self.tau) + current * (1.0 / self.tau))


class LeakyIntegrator(AbstractIntegrator):
    """Non-firing leaky readout: v <- v (1 - 1/tau) + I/tau; its spikes are always zero, its potential is what is read."""

    tau: float = 2.0  # membrane time constant, ticks

    def __check_init__(self):
        _require_time_constant(self)

    def step(self, state, current, key):
        return Membrane(v=state.v * (1.0 - 1.0 / self.tau) + current * (1.0 / self.tau)), jnp.zeros_like(current)


def _require_time_constant(neuron):
    # Below one tick the factor 1 - 1/tau is negative: the potential would flip its sign at every tick.
    require(neuron, "tau", lambda tau: 1.0 <= tau < float("inf"), "a finite number of at least 1 tick")

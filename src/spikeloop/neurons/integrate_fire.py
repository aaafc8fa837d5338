"""Integrate-and-fire neuron, and the integrator that never fires: no leak.

    v <- v + I
    o = 1[v >= threshold]
    v <- reset(v, o)

SpikingJelly's ``IFNode``; the hidden neuron of the DQSN example and, by our reading, of Zheng et al. 2026 Strategy B. The
integrator is the first line alone: the output neuron of Akl et al. 2023 for continuous actions.
"""

import jax.numpy as jnp

from spikeloop.component import require_positive
from spikeloop.neurons._base import AbstractIntegrator, AbstractNeuron, Membrane
from spikeloop.neurons.reset import AbstractReset, HardReset
from spikeloop.neurons.surrogate import AbstractSurrogate, Sigmoid


class IntegrateAndFire(AbstractNeuron):
    """Integrate-and-fire: adds up its input and never forgets."""

    threshold: float = 1.0  # potential at which it fires, dimensionless
    reset: AbstractReset = HardReset()  # what a spike does to the potential
    surrogate: AbstractSurrogate = Sigmoid()  # derivative of the spike

    def __check_init__(self):
        require_positive(self, "threshold")

    def init(self, size):
        return Membrane(v=jnp.zeros(size))

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        v = state.v + current
        spikes = self.surrogate(v, self.threshold)
        return Membrane(v=self.reset(v, spikes, self.threshold)), spikes


class Integrator(AbstractIntegrator):
    """Non-firing readout without a leak: v <- v + I; its spikes are always zero, its potential is what is read."""

    def step(self, state, current, key):
        return Membrane(v=state.v + current), jnp.zeros_like(current)

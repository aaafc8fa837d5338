"""Neurons as the Neuromorphic Intermediate Representation has them, stepped at a fixed time step by forward Euler.

    IF        v' = r I
    LIF       tau v' = v_leak - v + r I
    CubaLIF   tau_syn c' = w_in I - c;   tau_mem v' = v_leak - v + r c
    all       o = 1[v > v_threshold];   v <- v_reset where o

(Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9). With k = dt/tau one step of the LIF is v <- (1 - k) v + k r I + k v_leak.
Of the CubaLIF the current goes first and the potential is driven by the new one, as in snnTorch, SpikingJelly and Norse. A step
that is longer than a time constant would flip signs, so dt is at most each of them.

Every neuron has numbers of its own, for graphs that were made elsewhere may differ from neuron to neuron; nothing trains them
unless `parameters=TrainableParameters()`. `LeakyIntegrateAndFire` and its kin are the same in ticks.
"""

from typing import ClassVar

import jax.numpy as jnp

from spikeloop.component import require_finite, require_positive
from spikeloop.neurons._base import Membrane
from spikeloop.neurons.current_lif import CurrentMembrane
from spikeloop.neurons.parameters import (
    AbstractIndividualNeuron,
    AbstractNeuronParameters,
    FixedParameters,
    StartAsGiven,
)
from spikeloop.neurons.reset import start_again
from spikeloop.neurons.surrogate import AbstractSurrogate, Sigmoid

FREE = (None, None)
OWN = FixedParameters(StartAsGiven())


class NIRIntegrateAndFire(AbstractIndividualNeuron):
    """Integrate-and-fire in NIR's terms, IF: v <- v + dt r I; it fires above its threshold."""

    ranges: ClassVar = dict.fromkeys(("r", "v_threshold", "v_reset"), FREE)

    r: float = 10_000.0  # resistance; 1/dt: the input is added as it is
    v_threshold: float = 1.0  # potential above which it fires
    v_reset: float = 0.0  # potential after a spike
    dt: float = 1e-4  # length of a tick, s
    surrogate: AbstractSurrogate = Sigmoid()  # derivative of the spike
    parameters: AbstractNeuronParameters = OWN  # whether r, v_threshold and v_reset are each neuron's own

    def __check_init__(self):
        require_positive(self, "dt")
        require_finite(self, *self.ranges)

    def init(self, size):
        return Membrane(v=jnp.zeros(size))

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        v = state.v + (self.dt * self.r) * current
        spikes = self.surrogate.above(v, self.v_threshold)
        return Membrane(v=start_again(v, spikes, self.v_reset)), spikes


class NIRLeakyIntegrateAndFire(AbstractIndividualNeuron):
    """Leaky integrate-and-fire in NIR's terms, LIF: tau v' = v_leak - v + r I; it fires above its threshold."""

    ranges: ClassVar = dict.fromkeys(("tau", "r", "v_leak", "v_threshold", "v_reset"), FREE)

    tau: float = 2e-4  # membrane time constant, s
    r: float = 2.0  # resistance; tau/dt: the input is added as it is; 1: times dt/tau
    v_leak: float = 0.0  # potential that it leaks to
    v_threshold: float = 1.0  # potential above which it fires
    v_reset: float = 0.0  # potential after a spike
    dt: float = 1e-4  # length of a tick, s
    surrogate: AbstractSurrogate = Sigmoid()  # derivative of the spike
    parameters: AbstractNeuronParameters = OWN  # whether all but dt are each neuron's own

    def __check_init__(self):
        require_positive(self, "tau", "dt")
        require_finite(self, *self.ranges)

    def init(self, size):
        return Membrane(v=jnp.zeros(size))

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        lost = self.dt / self.tau
        v = state.v * (1.0 - lost) + (lost * self.r) * current + lost * self.v_leak
        spikes = self.surrogate.above(v, self.v_threshold)
        return Membrane(v=start_again(v, spikes, self.v_reset)), spikes


class NIRCurrentLeakyIntegrateAndFire(AbstractIndividualNeuron):
    """Leaky integrate-and-fire with a decaying current in NIR's terms, CubaLIF; it fires above its threshold."""

    ranges: ClassVar = dict.fromkeys(("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"), FREE)

    tau_syn: float = 2e-4  # time constant of the current, s
    tau_mem: float = 4e-4  # membrane time constant, s
    r: float = 4.0  # resistance; tau_mem/dt: the current is added as it is
    v_leak: float = 0.0  # potential that it leaks to
    v_threshold: float = 0.5  # potential above which it fires
    v_reset: float = 0.0  # potential after a spike
    w_in: float = 2.0  # weight of the input; tau_syn/dt: it is added to the current as it is
    dt: float = 1e-4  # length of a tick, s
    surrogate: AbstractSurrogate = Sigmoid()  # derivative of the spike
    parameters: AbstractNeuronParameters = OWN  # whether all but dt are each neuron's own

    def __check_init__(self):
        require_positive(self, "tau_syn", "tau_mem", "dt")
        require_finite(self, *self.ranges)

    def init(self, size):
        return CurrentMembrane(current=jnp.zeros(size), v=jnp.zeros(size), spikes=jnp.zeros(size))

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        lost, decayed = self.dt / self.tau_mem, self.dt / self.tau_syn
        current = state.current * (1.0 - decayed) + (decayed * self.w_in) * current
        v = state.v * (1.0 - lost) + (lost * self.r) * current + lost * self.v_leak
        spikes = self.surrogate.above(v, self.v_threshold)
        return CurrentMembrane(current, start_again(v, spikes, self.v_reset), spikes), spikes

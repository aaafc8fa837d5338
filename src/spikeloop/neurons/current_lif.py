"""Leaky integrate-and-fire neuron with a decaying synaptic current: the neuron of PopSAN.

    c <- current_decay c + I
    v <- voltage_decay reset(v, o) + c         o is the previous spike; PopSAN's reset makes this voltage_decay v (1 - o) + c
    o <- 1[v > threshold]

Tang et al. 2020 (arXiv:2010.09635) with current_decay 1/2, voltage_decay 3/4, threshold 1/2 and the surrogate
1[|v - threshold| < 1/2]. The state holds v as it was tested, so the reset waits for the next tick. Nothing happens in
between: the neuron of Akl et al. 2023 (Front. Neurorobotics 16:1075647), v <- voltage_decay v + c; o = 1[v > threshold];
v <- 0 where o, fires the same spikes. They give each neuron decays and a threshold of its own:

    CurrentLeakyIntegrateAndFire(0.5, 0.5, 1.0, surrogate=FastSigmoid(100.0), parameters=FixedParameters(NormalStart(0.1)))
"""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_between, require_positive
from spikeloop.neurons.parameters import AbstractIndividualNeuron, AbstractNeuronParameters, SharedParameters
from spikeloop.neurons.reset import AbstractReset, HardReset
from spikeloop.neurons.surrogate import AbstractSurrogate, Rectangular


class CurrentMembrane(eqx.Module):
    """State of neurons with a synaptic current."""

    current: Float[Array, " n"]  # c
    v: Float[Array, " n"]  # potential, before the reset by the last spike
    spikes: Float[Array, " n"]  # of the last tick


class CurrentLeakyIntegrateAndFire(AbstractIndividualNeuron):
    """Leaky integrate-and-fire whose input is a current that decays; it fires only above its threshold (PopSAN)."""

    ranges: ClassVar = {"current_decay": (0.0, 1.0), "voltage_decay": (0.0, 1.0), "threshold": (0.0, None)}

    current_decay: float = 0.5  # what is left of the current after a tick
    voltage_decay: float = 0.75  # what is left of the potential after a tick
    threshold: float = 0.5  # potential above which it fires, dimensionless
    reset: AbstractReset = HardReset()  # what a spike does to the potential
    surrogate: AbstractSurrogate = Rectangular(width=1.0)  # derivative of the spike
    parameters: AbstractNeuronParameters = SharedParameters()  # whether decays and threshold are each neuron's own

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "current_decay", "voltage_decay")
        require_positive(self, "threshold")

    def init(self, size):
        return CurrentMembrane(current=jnp.zeros(size), v=jnp.zeros(size), spikes=jnp.zeros(size))

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        current = self.current_decay * state.current + current
        v = self.voltage_decay * self.reset(state.v, state.spikes, self.threshold) + current
        spikes = self.surrogate.above(v, self.threshold)
        return CurrentMembrane(current, v, spikes), spikes

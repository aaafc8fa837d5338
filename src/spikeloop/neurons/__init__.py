"""Neurons: current in, spikes out; with the surrogate derivatives and resets they are made of."""

from spikeloop.neurons._base import AbstractNeuron, Membrane
from spikeloop.neurons.alpha_psc import (
    AlphaCurrent,
    AlphaCurrentLeakyIntegrateAndFire,
    AlphaInput,
    AlphaPropagator,
    AlphaState,
)
from spikeloop.neurons.integrate_fire import IntegrateAndFire
from spikeloop.neurons.lif import DecayedInputLeakyIntegrateAndFire, LeakyIntegrateAndFire, LeakyIntegrator
from spikeloop.neurons.reset import AbstractReset, Detached, HardReset, SoftReset
from spikeloop.neurons.surrogate import (
    AbstractSurrogate,
    Arctan,
    FastSigmoid,
    Gaussian,
    NoDerivative,
    Rectangular,
    Sigmoid,
    Triangular,
)

__all__ = [
    "AbstractNeuron",
    "AbstractReset",
    "AbstractSurrogate",
    "AlphaCurrent",
    "AlphaCurrentLeakyIntegrateAndFire",
    "AlphaInput",
    "AlphaPropagator",
    "AlphaState",
    "Arctan",
    "DecayedInputLeakyIntegrateAndFire",
    "Detached",
    "FastSigmoid",
    "Gaussian",
    "HardReset",
    "IntegrateAndFire",
    "LeakyIntegrateAndFire",
    "LeakyIntegrator",
    "Membrane",
    "NoDerivative",
    "Rectangular",
    "Sigmoid",
    "SoftReset",
    "Triangular",
]

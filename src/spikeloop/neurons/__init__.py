"""Neurons: current in, spikes out; with the surrogate derivatives and resets they are made of."""

from spikeloop.neurons._base import AbstractIntegrator, AbstractNeuron, Membrane
from spikeloop.neurons.alpha_psc import (
    AlphaCurrent,
    AlphaCurrentLeakyIntegrateAndFire,
    AlphaInput,
    AlphaPropagator,
    AlphaState,
)
from spikeloop.neurons.current_lif import CurrentLeakyIntegrateAndFire, CurrentMembrane
from spikeloop.neurons.draw import AbstractDraw, BinaryConcrete, ThroughProbability
from spikeloop.neurons.dynamic import DynamicNeuron, DynamicState
from spikeloop.neurons.integrate_fire import IntegrateAndFire, Integrator
from spikeloop.neurons.lif import DecayedInputLeakyIntegrateAndFire, LeakyIntegrateAndFire, LeakyIntegrator
from spikeloop.neurons.logistic import (
    AbstractLogisticNeuron,
    BernoulliLogistic,
    FiringChance,
    GeneralisedLinear,
    Ising,
    RecentCurrents,
)
from spikeloop.neurons.nir import NIRCurrentLeakyIntegrateAndFire, NIRIntegrateAndFire, NIRLeakyIntegrateAndFire
from spikeloop.neurons.parameters import (
    AbstractIndividualNeuron,
    AbstractNeuronParameters,
    AbstractStart,
    FixedParameters,
    NormalStart,
    SharedParameters,
    StartAsGiven,
    TrainableParameters,
    UniformStart,
)
from spikeloop.neurons.reset import AbstractReset, Detached, HardReset, SoftReset
from spikeloop.neurons.rule_based import Arrivals, RuleBasedNeuron, RuleBasedState, Synapses, arrivals
from spikeloop.neurons.stochastic import AbstractStochasticNeuron, EscapeNoise, NoisyMembrane, SoftWinnerTakeAll
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
    "AbstractDraw",
    "AbstractIndividualNeuron",
    "AbstractIntegrator",
    "AbstractLogisticNeuron",
    "AbstractNeuron",
    "AbstractNeuronParameters",
    "AbstractReset",
    "AbstractStart",
    "AbstractStochasticNeuron",
    "AbstractSurrogate",
    "AlphaCurrent",
    "AlphaCurrentLeakyIntegrateAndFire",
    "AlphaInput",
    "AlphaPropagator",
    "AlphaState",
    "Arctan",
    "Arrivals",
    "BernoulliLogistic",
    "BinaryConcrete",
    "CurrentLeakyIntegrateAndFire",
    "CurrentMembrane",
    "DecayedInputLeakyIntegrateAndFire",
    "Detached",
    "DynamicNeuron",
    "DynamicState",
    "EscapeNoise",
    "FastSigmoid",
    "FiringChance",
    "FixedParameters",
    "Gaussian",
    "GeneralisedLinear",
    "HardReset",
    "IntegrateAndFire",
    "Integrator",
    "Ising",
    "LeakyIntegrateAndFire",
    "LeakyIntegrator",
    "Membrane",
    "NIRCurrentLeakyIntegrateAndFire",
    "NIRIntegrateAndFire",
    "NIRLeakyIntegrateAndFire",
    "NoDerivative",
    "NoisyMembrane",
    "NormalStart",
    "RecentCurrents",
    "Rectangular",
    "RuleBasedNeuron",
    "RuleBasedState",
    "SharedParameters",
    "Sigmoid",
    "SoftReset",
    "SoftWinnerTakeAll",
    "StartAsGiven",
    "Synapses",
    "ThroughProbability",
    "TrainableParameters",
    "Triangular",
    "UniformStart",
    "arrivals",
]

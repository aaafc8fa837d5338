"""Strategies of evolution: ask for a population, tell its fitness."""

from spikeloop.learners.strategies._base import (
    AbstractFirstGeneration,
    AbstractStrategy,
    Around,
    FromPolicy,
    FromRange,
)
from spikeloop.learners.strategies.annealing import AbstractChains, ChainsState, ParallelTempering, SimulatedAnnealing
from spikeloop.learners.strategies.cross_entropy import CrossEntropy, CrossEntropyState
from spikeloop.learners.strategies.evosax import Evosax, EvosaxState
from spikeloop.learners.strategies.genetic import (
    AbstractBounds,
    AbstractRemeasuring,
    Clipped,
    Everyone,
    Genetic,
    GeneticState,
    OnlyChanged,
    Unbounded,
)
from spikeloop.learners.strategies.kalman import (
    AbstractAim,
    AbstractObservation,
    BeyondTheBest,
    EnsembleKalmanFilter,
    EnsembleState,
    KnownOptimum,
    Perturbed,
    Unperturbed,
    kalman_update,
)
from spikeloop.learners.strategies.multiplicative import MultiplicativeEvolutionStrategy, MultiplicativeState

__all__ = [
    "AbstractAim",
    "AbstractBounds",
    "AbstractChains",
    "AbstractFirstGeneration",
    "AbstractObservation",
    "AbstractRemeasuring",
    "AbstractStrategy",
    "Around",
    "BeyondTheBest",
    "ChainsState",
    "Clipped",
    "CrossEntropy",
    "CrossEntropyState",
    "EnsembleKalmanFilter",
    "EnsembleState",
    "Everyone",
    "Evosax",
    "EvosaxState",
    "FromPolicy",
    "FromRange",
    "Genetic",
    "GeneticState",
    "KnownOptimum",
    "MultiplicativeEvolutionStrategy",
    "MultiplicativeState",
    "OnlyChanged",
    "ParallelTempering",
    "Perturbed",
    "SimulatedAnnealing",
    "Unbounded",
    "Unperturbed",
    "kalman_update",
]

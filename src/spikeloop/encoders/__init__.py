"""Encoders: from an observation to the input of a spiking network."""

from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.bins import OneHotBins
from spikeloop.encoders.combination import CombinationCode
from spikeloop.encoders.direct import Direct
from spikeloop.encoders.pattern import PatternCode
from spikeloop.encoders.poisson import PoissonCode
from spikeloop.encoders.population import (
    AbstractPopulationCode,
    BernoulliPopulationCode,
    DeterministicPopulationCode,
    PoissonPopulationCode,
    PopulationCode,
    ReceptiveFields,
)
from spikeloop.encoders.two_neurons import TwoNeurons

__all__ = [
    "AbstractEncoder",
    "AbstractPopulationCode",
    "BernoulliPopulationCode",
    "CombinationCode",
    "DeterministicPopulationCode",
    "Direct",
    "OneHotBins",
    "PatternCode",
    "PoissonCode",
    "PoissonPopulationCode",
    "PopulationCode",
    "ReceptiveFields",
    "TwoNeurons",
]

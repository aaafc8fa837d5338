"""Encoders: from an observation to the input of a spiking network."""

from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.bins import OneHotBins
from spikeloop.encoders.combination import CombinationCode
from spikeloop.encoders.direct import Direct
from spikeloop.encoders.normal_bins import NormalBins
from spikeloop.encoders.pattern import PatternCode
from spikeloop.encoders.place_cells import AbstractPlaceCells, BernoulliPlaceCells, PlaceCells, RegularPlaceCells
from spikeloop.encoders.poisson import PoissonCode
from spikeloop.encoders.population import (
    AbstractPopulationCode,
    BernoulliPopulationCode,
    DeterministicPopulationCode,
    PoissonPopulationCode,
    PopulationCode,
    ReceptiveFields,
)
from spikeloop.encoders.rates import PoissonRates, SignedPoissonRates
from spikeloop.encoders.two_neurons import TwoNeurons

__all__ = [
    "AbstractEncoder",
    "AbstractPlaceCells",
    "AbstractPopulationCode",
    "BernoulliPlaceCells",
    "BernoulliPopulationCode",
    "CombinationCode",
    "DeterministicPopulationCode",
    "Direct",
    "NormalBins",
    "OneHotBins",
    "PatternCode",
    "PlaceCells",
    "PoissonCode",
    "PoissonPopulationCode",
    "PoissonRates",
    "PopulationCode",
    "ReceptiveFields",
    "RegularPlaceCells",
    "SignedPoissonRates",
    "TwoNeurons",
]

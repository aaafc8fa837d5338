"""Decoders: from the spikes of the last population to a decision's output."""

from spikeloop.decoders._base import AbstractDecoder
from spikeloop.decoders.count import SpikeCountChoice
from spikeloop.decoders.membrane import AbstractMembrane, LastMembrane, MaxAbsMembrane, MaxMembrane, MeanMembrane
from spikeloop.decoders.motor_groups import MotorGroups
from spikeloop.decoders.nir import AbstractNIRReadout, NIRIntegratorReadout, NIRLeakyReadout, ReadoutParams
from spikeloop.decoders.opposed import OpposedCounts
from spikeloop.decoders.population import PopulationRate, PopulationWeights
from spikeloop.decoders.rate import LinearRate, SpikeRate

__all__ = [
    "AbstractDecoder",
    "AbstractMembrane",
    "AbstractNIRReadout",
    "LastMembrane",
    "LinearRate",
    "MaxAbsMembrane",
    "MaxMembrane",
    "MeanMembrane",
    "MotorGroups",
    "NIRIntegratorReadout",
    "NIRLeakyReadout",
    "OpposedCounts",
    "PopulationRate",
    "PopulationWeights",
    "ReadoutParams",
    "SpikeCountChoice",
    "SpikeRate",
]

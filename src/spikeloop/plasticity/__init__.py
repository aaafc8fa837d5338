"""Local plasticity: rules by which a synapse changes from what it sees itself, the spikes of its two neurons."""

from spikeloop.plasticity._base import AbstractPlasticity, PairTraces
from spikeloop.plasticity.stdp import STDP, FusedSTDP
from spikeloop.plasticity.traces import AbstractTrace, AllToAll, NearestNeighbour

__all__ = [
    "STDP",
    "AbstractPlasticity",
    "AbstractTrace",
    "AllToAll",
    "FusedSTDP",
    "NearestNeighbour",
    "PairTraces",
]

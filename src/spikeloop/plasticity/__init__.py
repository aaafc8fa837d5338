"""Local plasticity: rules by which a synapse changes from what it sees itself, the spikes of its two neurons."""

from spikeloop.plasticity._base import AbstractPlasticity, PairTraces
from spikeloop.plasticity.bounds import AbstractWeightBounds, HardBounds, LogisticBounds, NoBounds, SoftBounds
from spikeloop.plasticity.eligibility import (
    AbstractEligibility,
    ExponentialEligibility,
    LatestTag,
    SquarePulse,
    Tags,
    WindowSum,
)
from spikeloop.plasticity.homeostasis import (
    AbstractHomeostasis,
    MeanRescaling,
    NoHomeostasis,
    StoredMeans,
    TargetRates,
)
from spikeloop.plasticity.output_balance import (
    AbstractOutputBalance,
    BalancedMemory,
    GrowingOutput,
    LevellingOutput,
)
from spikeloop.plasticity.pairings import (
    AbstractPairings,
    CentredPairs,
    HebbianPairs,
    NearestTags,
    Pairings,
    SpikePairs,
)
from spikeloop.plasticity.seen import Seen
from spikeloop.plasticity.stdp import STDP, FusedSTDP
from spikeloop.plasticity.three_factor import AbstractModulatedPlasticity, SynapticMemory, ThreeFactor
from spikeloop.plasticity.traces import AbstractTrace, AllToAll, NearestNeighbour

__all__ = [
    "STDP",
    "AbstractEligibility",
    "AbstractHomeostasis",
    "AbstractModulatedPlasticity",
    "AbstractOutputBalance",
    "AbstractPairings",
    "AbstractPlasticity",
    "AbstractTrace",
    "AbstractWeightBounds",
    "AllToAll",
    "BalancedMemory",
    "CentredPairs",
    "ExponentialEligibility",
    "FusedSTDP",
    "GrowingOutput",
    "HardBounds",
    "HebbianPairs",
    "LatestTag",
    "LevellingOutput",
    "LogisticBounds",
    "MeanRescaling",
    "NearestNeighbour",
    "NearestTags",
    "NoBounds",
    "NoHomeostasis",
    "PairTraces",
    "Pairings",
    "Seen",
    "SoftBounds",
    "SpikePairs",
    "SquarePulse",
    "StoredMeans",
    "SynapticMemory",
    "Tags",
    "TargetRates",
    "ThreeFactor",
    "WindowSum",
]

"""Measurement: footprint, sparsity, synaptic operations, membrane updates and an estimate of energy, as NeuroBench defines them."""

from spikeloop.analysis.measurement.counting import Counts, Metered, MeteredActor, count
from spikeloop.analysis.measurement.energy import (
    EnergyEstimate,
    EnergyTable,
    Work,
    default_tables,
    estimate,
    load_tables,
)
from spikeloop.analysis.measurement.measure import (
    ConnectionCounts,
    LayerCounts,
    Measurement,
    Memory,
    has_synapses,
    measure,
    over_episodes,
)
from spikeloop.analysis.measurement.report import EnergyRange, Report, as_json, returns
from spikeloop.analysis.measurement.tally import Tally

__all__ = [
    "ConnectionCounts",
    "Counts",
    "EnergyEstimate",
    "EnergyRange",
    "EnergyTable",
    "LayerCounts",
    "Measurement",
    "Memory",
    "Metered",
    "MeteredActor",
    "Report",
    "Tally",
    "Work",
    "as_json",
    "count",
    "default_tables",
    "estimate",
    "has_synapses",
    "load_tables",
    "measure",
    "over_episodes",
    "returns",
]

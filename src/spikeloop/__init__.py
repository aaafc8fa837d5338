"""spikeloop: train spiking neural networks by reinforcement learning, and show what they learned."""

from typing import TYPE_CHECKING

from spikeloop.errors import InvalidInput
from spikeloop.lazy import lookup

if TYPE_CHECKING:
    from spikeloop.catalogue import built_in
    from spikeloop.experiment import Experiment, Reference
    from spikeloop.loading import Policy, load
    from spikeloop.run import Run
    from spikeloop.study import AbstractStudy, StudyRun
    from spikeloop.training import Protocol

__version__ = "0.1.0"

__all__ = [
    "AbstractStudy",
    "Experiment",
    "InvalidInput",
    "Policy",
    "Protocol",
    "Reference",
    "Run",
    "StudyRun",
    "built_in",
    "load",
]

# Looked up on first use, so that `import spikeloop` (and so `spikeloop --help`) does not wait for JAX.
__getattr__ = lookup(
    __name__,
    {
        "AbstractStudy": "spikeloop.study",
        "Experiment": "spikeloop.experiment",
        "built_in": "spikeloop.catalogue",
        "Policy": "spikeloop.loading",
        "Protocol": "spikeloop.training",
        "Reference": "spikeloop.experiment",
        "Run": "spikeloop.run",
        "StudyRun": "spikeloop.study",
        "load": "spikeloop.loading",
    },
)

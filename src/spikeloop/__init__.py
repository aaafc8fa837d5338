"""spikeloop: train spiking neural networks by reinforcement learning, and show what they learned."""

import importlib
from typing import TYPE_CHECKING, Any

from spikeloop.errors import InvalidInput

if TYPE_CHECKING:
    from spikeloop.catalogue import built_in
    from spikeloop.experiment import Experiment, Reference
    from spikeloop.loading import Policy, load
    from spikeloop.run import Run
    from spikeloop.training import Protocol

__version__ = "0.1.0"

__all__ = ["Experiment", "InvalidInput", "Policy", "Protocol", "Reference", "Run", "built_in", "load"]

# Looked up on first use, so that `import spikeloop` (and so `spikeloop --help`) does not wait for JAX.
_HOMES = {
    "Experiment": "spikeloop.experiment",
    "built_in": "spikeloop.catalogue",
    "Policy": "spikeloop.loading",
    "Protocol": "spikeloop.training",
    "Reference": "spikeloop.experiment",
    "Run": "spikeloop.run",
    "load": "spikeloop.loading",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spikeloop' has no attribute {name!r}")

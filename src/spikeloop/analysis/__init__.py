"""Analysis: what was learned, as numbers, figures and animations."""

import importlib
from typing import TYPE_CHECKING, Any

from spikeloop.analysis.statistics import Curve, Interval, interquartile_interval, interquartile_mean

if TYPE_CHECKING:
    from spikeloop.analysis.animation import animate
    from spikeloop.analysis.figures import learning_curves
    from spikeloop.analysis.recording import Recording, record_episode

__all__ = [
    "Curve",
    "Interval",
    "Recording",
    "animate",
    "interquartile_interval",
    "interquartile_mean",
    "learning_curves",
    "record_episode",
]

# Looked up on first use, so that training does not wait for Matplotlib.
_HOMES = {
    "Recording": "spikeloop.analysis.recording",
    "animate": "spikeloop.analysis.animation",
    "learning_curves": "spikeloop.analysis.figures",
    "record_episode": "spikeloop.analysis.recording",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spikeloop.analysis' has no attribute {name!r}")

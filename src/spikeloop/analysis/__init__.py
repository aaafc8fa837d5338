"""Analysis: what was learned, as numbers, figures and animations."""

from typing import TYPE_CHECKING

from spikeloop.analysis.statistics import Curve, Interval, interquartile_interval, interquartile_mean
from spikeloop.lazy import lookup

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
__getattr__ = lookup(
    __name__,
    {
        "Recording": "spikeloop.analysis.recording",
        "animate": "spikeloop.analysis.animation",
        "learning_curves": "spikeloop.analysis.figures",
        "record_episode": "spikeloop.analysis.recording",
    },
)

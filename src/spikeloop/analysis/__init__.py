"""Analysis: what was learned, as numbers, figures and animations."""

from spikeloop.analysis.animation import animate
from spikeloop.analysis.figures import Curve, learning_curves
from spikeloop.analysis.recording import Recording, record_episode
from spikeloop.analysis.statistics import Interval, interquartile_interval, interquartile_mean

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

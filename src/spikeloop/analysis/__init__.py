"""Analysis: what was learned, as numbers, figures and animations."""

from typing import TYPE_CHECKING

from spikeloop.analysis.statistics import Curve, Interval, interquartile_interval, interquartile_mean
from spikeloop.lazy import lookup

if TYPE_CHECKING:
    from spikeloop.analysis.animation import animate
    from spikeloop.analysis.figures import learning_curves
    from spikeloop.analysis.lesions import Lesion, LesionStudy, lesion_study
    from spikeloop.analysis.recording import Recording, record_episode
    from spikeloop.analysis.responses import Response, Sensitivity, respond, sensitivity, tuning_map

__all__ = [
    "Curve",
    "Interval",
    "Lesion",
    "LesionStudy",
    "Recording",
    "Response",
    "Sensitivity",
    "animate",
    "interquartile_interval",
    "interquartile_mean",
    "learning_curves",
    "lesion_study",
    "record_episode",
    "respond",
    "sensitivity",
    "tuning_map",
]

# Looked up on first use, so that training does not wait for Matplotlib.
__getattr__ = lookup(
    __name__,
    {
        "Lesion": "spikeloop.analysis.lesions",
        "LesionStudy": "spikeloop.analysis.lesions",
        "Recording": "spikeloop.analysis.recording",
        "Response": "spikeloop.analysis.responses",
        "Sensitivity": "spikeloop.analysis.responses",
        "animate": "spikeloop.analysis.animation",
        "learning_curves": "spikeloop.analysis.figures",
        "lesion_study": "spikeloop.analysis.lesions",
        "record_episode": "spikeloop.analysis.recording",
        "respond": "spikeloop.analysis.responses",
        "sensitivity": "spikeloop.analysis.responses",
        "tuning_map": "spikeloop.analysis.responses",
    },
)

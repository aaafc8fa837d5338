"""Labady 2023: two neurons under direct current, STDP in its modes, and a spiking network evolved on Mountain Car."""

from spikeloop.papers.labady2023.maps import heatmaps, report_heatmaps, spike_maps
from spikeloop.papers.labady2023.membrane import DirectCurrentDrive
from spikeloop.papers.labady2023.mountain_car import mountain_car, mountain_car_109, optimisers, report_mountain_car
from spikeloop.papers.labady2023.plasticity import PlasticityModes
from spikeloop.papers.labady2023.recording import FixedStart, recording, report_recording
from spikeloop.papers.labady2023.setting import evolution

__all__ = [
    "DirectCurrentDrive",
    "FixedStart",
    "PlasticityModes",
    "evolution",
    "heatmaps",
    "mountain_car",
    "mountain_car_109",
    "optimisers",
    "recording",
    "report_heatmaps",
    "report_mountain_car",
    "report_recording",
    "spike_maps",
]

"""Labady 2023: two neurons under direct current, STDP in its modes, and what was made of them on Mountain Car."""

from spikeloop.papers.labady2023.membrane import DirectCurrentDrive
from spikeloop.papers.labady2023.plasticity import PlasticityModes

__all__ = ["DirectCurrentDrive", "PlasticityModes"]

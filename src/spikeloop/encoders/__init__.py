"""Encoders: from an observation to the input of a spiking network."""

from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.bins import OneHotBins
from spikeloop.encoders.direct import Direct

__all__ = ["AbstractEncoder", "Direct", "OneHotBins"]

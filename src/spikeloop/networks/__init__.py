"""Networks: populations of neurons wired together."""

from spikeloop.networks._base import AbstractNetwork, Connection
from spikeloop.networks.delayed import DelayedFeedForward, DelayedState
from spikeloop.networks.feed_forward import FeedForward, Layer
from spikeloop.networks.linear import Linear
from spikeloop.networks.plastic import Plastic, PlasticConnection, PlasticState
from spikeloop.networks.spiking_inputs import SpikingInputs

__all__ = [
    "AbstractNetwork",
    "Connection",
    "DelayedFeedForward",
    "DelayedState",
    "FeedForward",
    "Layer",
    "Linear",
    "Plastic",
    "PlasticConnection",
    "PlasticState",
    "SpikingInputs",
]

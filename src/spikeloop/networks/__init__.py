"""Networks: populations of neurons wired together."""

from spikeloop.networks._base import AbstractNetwork, Connection, Pathway
from spikeloop.networks.chain import Chain, Link, LinkParams
from spikeloop.networks.circuit import Circuit, CircuitState
from spikeloop.networks.delayed import DelayedFeedForward, DelayedState
from spikeloop.networks.feed_forward import FeedForward, Layer
from spikeloop.networks.fixed import Fixed
from spikeloop.networks.linear import Linear
from spikeloop.networks.plastic import Plastic, PlasticConnection, PlasticState
from spikeloop.networks.projections import (
    AbstractProjection,
    FixedProjection,
    Population,
    TrainableProjection,
    Wiring,
)
from spikeloop.networks.sending import CircuitParams
from spikeloop.networks.silenced import Silenced, SilencedParams
from spikeloop.networks.sources import RegularSource
from spikeloop.networks.spiking_inputs import SpikingInputs

__all__ = [
    "AbstractNetwork",
    "AbstractProjection",
    "Chain",
    "Circuit",
    "CircuitParams",
    "CircuitState",
    "Connection",
    "DelayedFeedForward",
    "DelayedState",
    "FeedForward",
    "Fixed",
    "FixedProjection",
    "Layer",
    "Linear",
    "Link",
    "LinkParams",
    "Pathway",
    "Plastic",
    "PlasticConnection",
    "PlasticState",
    "Population",
    "RegularSource",
    "Silenced",
    "SilencedParams",
    "SpikingInputs",
    "TrainableProjection",
    "Wiring",
]

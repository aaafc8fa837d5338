"""Networks: populations of neurons wired together."""

from spikeloop.networks._base import AbstractNetwork
from spikeloop.networks.delayed import DelayedFeedForward, DelayedState
from spikeloop.networks.feed_forward import FeedForward
from spikeloop.networks.linear import Linear

__all__ = ["AbstractNetwork", "DelayedFeedForward", "DelayedState", "FeedForward", "Linear"]

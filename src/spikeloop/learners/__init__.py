"""Learners: one file, one algorithm."""

from spikeloop.learners._base import AbstractLearner, Report, firing_rates
from spikeloop.learners.dqn import DQN
from spikeloop.learners.optimizer import AbstractClipping, Adam, ClipByNorm, ClipByValue, NoClipping
from spikeloop.learners.random_actions import RandomActions
from spikeloop.learners.random_search import RandomSearch
from spikeloop.learners.target import AbstractTarget, EpisodicTarget, HardTarget, Immediate, SoftTarget, TargetClock

__all__ = [
    "DQN",
    "AbstractClipping",
    "AbstractLearner",
    "AbstractTarget",
    "Adam",
    "ClipByNorm",
    "ClipByValue",
    "EpisodicTarget",
    "HardTarget",
    "Immediate",
    "NoClipping",
    "RandomActions",
    "RandomSearch",
    "Report",
    "SoftTarget",
    "TargetClock",
    "firing_rates",
]

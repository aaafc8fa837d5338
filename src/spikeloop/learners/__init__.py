"""Learners: one file, one algorithm."""

from spikeloop.learners import synapses
from spikeloop.learners._base import AbstractLearner, Report, firing_rates, played_rates
from spikeloop.learners.antithetic_synapse_agents import (
    AbstractTrialReward,
    AntitheticSynapseAgents,
    Difference,
    DifferenceOfRanks,
    SignOfDifference,
)
from spikeloop.learners.dqn import DQN
from spikeloop.learners.hill_climbing import HillClimbing
from spikeloop.learners.optimizer import AbstractClipping, Adam, ClipByNorm, ClipByValue, NoClipping
from spikeloop.learners.random_actions import RandomActions
from spikeloop.learners.random_search import RandomSearch
from spikeloop.learners.synapse_agents import SynapseAgents
from spikeloop.learners.target import AbstractTarget, EpisodicTarget, HardTarget, Immediate, SoftTarget, TargetClock

__all__ = [
    "DQN",
    "AbstractClipping",
    "AbstractLearner",
    "AbstractTarget",
    "AbstractTrialReward",
    "Adam",
    "AntitheticSynapseAgents",
    "ClipByNorm",
    "ClipByValue",
    "Difference",
    "DifferenceOfRanks",
    "EpisodicTarget",
    "HardTarget",
    "HillClimbing",
    "Immediate",
    "NoClipping",
    "RandomActions",
    "RandomSearch",
    "Report",
    "SignOfDifference",
    "SoftTarget",
    "SynapseAgents",
    "TargetClock",
    "firing_rates",
    "played_rates",
    "synapses",
]

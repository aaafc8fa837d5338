"""Learners: one file, one algorithm."""

from spikeloop.learners import agents, critics, imitation, strategies, synapses
from spikeloop.learners._base import AbstractLearner, Report, firing_rates, played_rates
from spikeloop.learners.annealing import AbstractAnnealing, AnnealedTemperature, NoAnnealing
from spikeloop.learners.antithetic_synapse_agents import (
    AbstractTrialReward,
    AntitheticSynapseAgents,
    Difference,
    DifferenceOfRanks,
    SignOfDifference,
)
from spikeloop.learners.dqn import DQN
from spikeloop.learners.evolution import AbstractStart, CommonStart, Evolution, OwnStart
from spikeloop.learners.from_file import FineTuning, FixedPolicy
from spikeloop.learners.gradient_actor_critic import GradientActorCritic
from spikeloop.learners.hill_climbing import HillClimbing
from spikeloop.learners.modulators import AbstractModulator, Reward, RewardAboveMean, RewardPredictionError
from spikeloop.learners.neuron_agents import NeuronAgents
from spikeloop.learners.optimizer import AbstractClipping, Adam, ClipByNorm, ClipByValue, NoClipping
from spikeloop.learners.place_and_action import PlaceAndAction, PlaceAndActionState, RewardedTrace
from spikeloop.learners.random_actions import RandomActions
from spikeloop.learners.random_search import RandomSearch
from spikeloop.learners.reward_modulated_plasticity import RewardModulatedPlasticity
from spikeloop.learners.staged import Stage, Staged
from spikeloop.learners.synapse_agents import SynapseAgents
from spikeloop.learners.target import AbstractTarget, EpisodicTarget, HardTarget, Immediate, SoftTarget, TargetClock
from spikeloop.learners.targeting import AbstractTargeting, Everywhere, MotorTargeting
from spikeloop.learners.td3 import TD3

__all__ = [
    "DQN",
    "TD3",
    "AbstractAnnealing",
    "AbstractClipping",
    "AbstractLearner",
    "AbstractModulator",
    "AbstractStart",
    "AbstractTarget",
    "AbstractTargeting",
    "AbstractTrialReward",
    "Adam",
    "AnnealedTemperature",
    "AntitheticSynapseAgents",
    "ClipByNorm",
    "ClipByValue",
    "CommonStart",
    "Difference",
    "DifferenceOfRanks",
    "EpisodicTarget",
    "Everywhere",
    "Evolution",
    "FineTuning",
    "FixedPolicy",
    "GradientActorCritic",
    "HardTarget",
    "HillClimbing",
    "Immediate",
    "MotorTargeting",
    "NeuronAgents",
    "NoAnnealing",
    "NoClipping",
    "OwnStart",
    "PlaceAndAction",
    "PlaceAndActionState",
    "RandomActions",
    "RandomSearch",
    "Report",
    "Reward",
    "RewardAboveMean",
    "RewardModulatedPlasticity",
    "RewardPredictionError",
    "RewardedTrace",
    "SignOfDifference",
    "SoftTarget",
    "Stage",
    "Staged",
    "SynapseAgents",
    "TargetClock",
    "agents",
    "critics",
    "firing_rates",
    "imitation",
    "played_rates",
    "strategies",
    "synapses",
]

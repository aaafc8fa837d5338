"""Interaction: acting in an environment, and keeping what was seen."""

from spikeloop.interaction.actor import Act, Actor
from spikeloop.interaction.individuals import over_individuals
from spikeloop.interaction.replay import Replay, ReplayState
from spikeloop.interaction.rollout import (
    Episode,
    Interaction,
    Moment,
    PlayedEpisode,
    Transition,
    begin,
    interact,
    play_episode,
)
from spikeloop.interaction.schedule import AbstractSchedule, Constant, ExponentialDecay, LinearDecay
from spikeloop.interaction.score import AbstractScore, EpisodeReturn, LargestObservation, ReachSoon
from spikeloop.interaction.selection import AbstractSelection, EpsilonGreedy, Greedy, UniformRandom

__all__ = [
    "AbstractSchedule",
    "AbstractScore",
    "AbstractSelection",
    "Act",
    "Actor",
    "Constant",
    "Episode",
    "EpisodeReturn",
    "EpsilonGreedy",
    "ExponentialDecay",
    "Greedy",
    "Interaction",
    "LargestObservation",
    "LinearDecay",
    "Moment",
    "PlayedEpisode",
    "ReachSoon",
    "Replay",
    "ReplayState",
    "Transition",
    "UniformRandom",
    "begin",
    "interact",
    "over_individuals",
    "play_episode",
]

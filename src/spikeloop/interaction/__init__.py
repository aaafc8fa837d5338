"""Interaction: acting in an environment, and keeping what was seen."""

from spikeloop.interaction.actor import Act, Actor
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
from spikeloop.interaction.selection import AbstractSelection, EpsilonGreedy, Greedy, UniformRandom

__all__ = [
    "AbstractSchedule",
    "AbstractSelection",
    "Act",
    "Actor",
    "Constant",
    "Episode",
    "EpsilonGreedy",
    "ExponentialDecay",
    "Greedy",
    "Interaction",
    "LinearDecay",
    "Moment",
    "PlayedEpisode",
    "Replay",
    "ReplayState",
    "Transition",
    "UniformRandom",
    "begin",
    "interact",
    "play_episode",
]

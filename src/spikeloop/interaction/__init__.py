"""Interaction: acting in an environment, and keeping what was seen."""

from spikeloop.interaction.actor import AbstractActor, Act, Actor, WatchedActor
from spikeloop.interaction.individuals import over_individuals
from spikeloop.interaction.normalisation import (
    AbstractNormalisation,
    NoNormalisation,
    ObservationStatistics,
    RunningStandardisation,
)
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
    play_to_the_end,
)
from spikeloop.interaction.schedule import AbstractSchedule, Constant, ExponentialDecay, LinearDecay
from spikeloop.interaction.score import AbstractScore, EpisodeReturn, LargestObservation, ReachSoon
from spikeloop.interaction.selection import (
    AbstractSelection,
    EpsilonGreedy,
    GaussianNoise,
    Greedy,
    RandomAmongLargest,
    Softmax,
    Straight,
    StraightNoise,
    UniformRandom,
    bounded,
    standardised_action,
)

__all__ = [
    "AbstractActor",
    "AbstractNormalisation",
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
    "GaussianNoise",
    "Greedy",
    "Interaction",
    "LargestObservation",
    "LinearDecay",
    "Moment",
    "NoNormalisation",
    "ObservationStatistics",
    "PlayedEpisode",
    "RandomAmongLargest",
    "ReachSoon",
    "Replay",
    "ReplayState",
    "RunningStandardisation",
    "Softmax",
    "Straight",
    "StraightNoise",
    "Transition",
    "UniformRandom",
    "WatchedActor",
    "begin",
    "bounded",
    "interact",
    "over_individuals",
    "play_episode",
    "play_to_the_end",
    "standardised_action",
]

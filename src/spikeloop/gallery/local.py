"""Experiments on learning by local rules alone: an actor-critic of spikes on three tasks, and what each of its parts is worth.

Place cells spike for where the state is, and drive one action neuron for each action directly. In every tick one of those
wins (soft winner-take-all); the action that won most often is taken. The synapses remember presynaptic spike x (postsynaptic
spike - its probability), which fades, and change by that times the reward-prediction error of a critic that is linear in the
same place cells. No gradient runs through a network, no weight is carried to another place, nothing is stored and replayed.

One recipe serves all tasks; what differs is the grid of the place cells, which the ranges of the observations give, how often
they fire, and the budget. It was found on seeds 100 to 107.
"""

import math
from typing import Any

from spikeloop.decoders import MotorGroups
from spikeloop.encoders import BernoulliPlaceCells, PlaceCells, RegularPlaceCells
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment
from spikeloop.gallery.q_learning import ACROBOT_GAIN, CARTPOLE_GAIN, MOUNTAIN_CAR_GAIN, Gain, spiking
from spikeloop.learners import (
    AbstractLearner,
    MotorTargeting,
    RandomActions,
    RandomSearch,
    Reward,
    RewardAboveMean,
    RewardModulatedPlasticity,
    RewardPredictionError,
)
from spikeloop.learners.critics import PlaceCellValue, TemporalDifference
from spikeloop.networks import FeedForward, SpikingInputs
from spikeloop.neurons import AbstractNeuron, EscapeNoise, SoftWinnerTakeAll
from spikeloop.plasticity import (
    CentredPairs,
    ExponentialEligibility,
    HardBounds,
    HebbianPairs,
    NoBounds,
    SpikePairs,
    SquarePulse,
    ThreeFactor,
)
from spikeloop.policies import KeepBetweenDecisions, ResetBetweenDecisions, SpikingPolicy
from spikeloop.training import Protocol

# Gamma lambda of the critic; the eligibility of the actor fades by as much in a decision.
DISCOUNT, TRACE_DECAY, TICKS = 0.99, 0.9, 4
RATE = 0.3  # of the actor, for activities that add up to 1; the critic's is 1
WINNER = SoftWinnerTakeAll()
CARTPOLE = RegularPlaceCells((-2.4, -2.5, -0.2, -2.5), (2.4, 2.5, 0.2, 2.5), (3, 3, 5, 5), rate=4.0)
MOUNTAIN_CAR = RegularPlaceCells((-1.2, -0.07), (0.6, 0.07), (15, 15), rate=4.0)
ACROBOT = RegularPlaceCells((-1.0, -1.0, -1.0, -1.0, -9.0, -16.0), (1.0, 1.0, 1.0, 1.0, 9.0, 16.0), 3, rate=16.0)


def local_actor(cells: RegularPlaceCells, neuron: AbstractNeuron = WINNER, group: int = 1) -> SpikingPolicy:
    """Place cells that drive action neurons directly, `group` for each action."""
    variables = len(cells.low) if isinstance(cells.low, tuple) else 1
    network = SpikingInputs(cells.size(variables), FeedForward((), neuron))
    return SpikingPolicy(cells, network, MotorGroups(group), TICKS, KeepBetweenDecisions())


def local_actor_critic(cells: RegularPlaceCells) -> RewardModulatedPlasticity:
    """The recipe, for a grid of place cells."""
    value = PlaceCellValue(cells.low, cells.high, cells.cells, cells.width)
    # A spike counts for 1 / rate of an activity of 1, so steps as large on weights that are as much smaller: the rate's square.
    rule = ThreeFactor(RATE / cells.rate**2, CentredPairs(), ExponentialEligibility(fades(TRACE_DECAY)), NoBounds())
    critic = TemporalDifference(value, rate=1.0, trace_decay=TRACE_DECAY)
    return RewardModulatedPlasticity(
        local_actor(cells), rule, RewardPredictionError(critic, DISCOUNT), steps_per_iteration=5
    )


def fades(trace_decay: float, ticks: int = TICKS) -> float:
    """The time constant in ticks with which a trace fades by DISCOUNT x trace_decay in a decision."""
    return -ticks / math.log(DISCOUNT * trace_decay)


def analogue_twin(cells: RegularPlaceCells) -> RewardModulatedPlasticity:
    """The same without spikes: a softmax of linear units on the activities of the same cells, with the same critic."""
    spiking_one = local_actor_critic(cells)
    analogue = PlaceCells(cells.low, cells.high, cells.cells, cells.width, rate=1.0)
    rule = ThreeFactor(RATE, CentredPairs(), ExponentialEligibility(fades(TRACE_DECAY, 1)), NoBounds())
    policy = spiking_one.policy.with_fields(encoder=analogue, ticks=1, between_decisions=ResetBetweenDecisions())
    return spiking_one.with_fields(policy=policy, rule=rule)


def local_cartpole() -> Experiment:
    """A purely local actor-critic of spikes on CartPole-v1, beside its analogue twin, random weights and actions; 20 seeds"""
    return _side_by_side("CartPole-v1", CARTPOLE, CARTPOLE_GAIN, 50_000)


def local_mountain_car() -> Experiment:
    """The same on MountainCar-v0, with the reward of the task as it is, twice the steps and 10 seeds"""
    return _side_by_side("MountainCar-v0", MOUNTAIN_CAR, MOUNTAIN_CAR_GAIN, 100_000, seeds=10)


def local_acrobot() -> Experiment:
    """The same on Acrobot-v1, twice the steps and 10 seeds"""
    return _side_by_side("Acrobot-v1", ACROBOT, ACROBOT_GAIN, 100_000, seeds=10)


def local_ledger() -> Experiment:
    """What each part of the local actor-critic is worth on CartPole-v1: one changed at a time, plain R-STDP among them"""
    full = local_actor_critic(CARTPOLE)
    noisy = BernoulliPlaceCells(CARTPOLE.low, CARTPOLE.high, CARTPOLE.cells, CARTPOLE.width, CARTPOLE.rate)
    # Without centring weights grow for ever, so there are bounds; and of two rates tried the smaller is the better.
    bounds, slow = HardBounds(-1.0, 1.0), _rule(full).rate / 6.0
    hebbian = _with_rule(full, pairs=HebbianPairs(), bounds=bounds, rate=slow)
    stdp = _with_rule(full, pairs=SpikePairs(tau_pre=4.0, tau_post=4.0), bounds=bounds, rate=slow)
    stdp = stdp.with_fields(dendritic_delay=1)
    arms: dict[str, AbstractLearner] = {
        "reward": full.with_fields(modulator=Reward()),
        "reward-above-mean": full.with_fields(modulator=RewardAboveMean()),
        "no-eligibility": _with_rule(full, eligibility=ExponentialEligibility(0.1)),
        "long-eligibility": _with_rule(full, eligibility=ExponentialEligibility(fades(0.98))),
        "square-pulse": _with_rule(full, eligibility=SquarePulse(20.0)),
        "td-ltp": hebbian,
        "td-ltp-targeted": hebbian.with_fields(targeting=MotorTargeting()),
        "td-stdp-targeted": stdp.with_fields(targeting=MotorTargeting()),
        "r-stdp": stdp.with_fields(modulator=Reward(), targeting=MotorTargeting()),
        "poisson-cells": full.with_fields(policy=full.policy.with_fields(encoder=noisy)),
        "coarse-cells": full.with_fields(policy=local_actor(CARTPOLE.with_fields(cells=3))),
        "independent-neurons": full.with_fields(policy=local_actor(CARTPOLE, EscapeNoise(threshold=0.0), group=4)),
    }
    return local_cartpole().with_fields(controls=arms, seeds=5)


def _with_rule(learner: RewardModulatedPlasticity, **fields: Any) -> RewardModulatedPlasticity:
    return learner.with_fields(rule=_rule(learner).with_fields(**fields))


def _rule(learner: RewardModulatedPlasticity) -> ThreeFactor:
    assert isinstance(learner.rule, ThreeFactor)
    return learner.rule


def _side_by_side(
    environment: str, cells: RegularPlaceCells, gain: Gain, env_steps: int, seeds: int = 20
) -> Experiment:
    return Experiment(
        environment=Gymnax(environment),
        learner=local_actor_critic(cells),
        label="local",
        controls={
            "analogue-twin": analogue_twin(cells),
            "random-weights": RandomSearch(spiking(gain)),
            "random-actions": RandomActions(),
        },
        protocol=Protocol(env_steps=env_steps),
        seeds=seeds,
    )

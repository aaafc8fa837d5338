"""Stages of training: the same state, other numbers."""

import jax
import numpy as np
import pytest
from tests.iterate import iterate
from tests.worlds import ConstantReward

from spikeloop.decoders import MotorGroups
from spikeloop.encoders import RegularPlaceCells
from spikeloop.errors import InvalidInput
from spikeloop.learners import Reward, RewardModulatedPlasticity, Stage, Staged
from spikeloop.networks import FeedForward, SpikingInputs
from spikeloop.neurons import SoftWinnerTakeAll
from spikeloop.plasticity import CentredPairs, ExponentialEligibility, GrowingOutput, NoBounds, ThreeFactor
from spikeloop.policies import SpikingPolicy

CELLS = RegularPlaceCells(-1.0, 1.0, cells=2, width=0.4, rate=1.0)
POLICY = SpikingPolicy(CELLS, SpikingInputs(2, FeedForward((), SoftWinnerTakeAll())), MotorGroups(1), ticks=2)


def learner(rate, **fields):
    rule = ThreeFactor(rate, CentredPairs(), ExponentialEligibility(2.0), NoBounds())
    return RewardModulatedPlasticity(POLICY, rule, Reward(), **fields)


def test_a_stage_learns_until_the_next_takes_over():
    """Ten steps at a rate at which weights change, then a rate of 0, at which none does; all else goes on."""
    course = iterate(Staged((Stage(learner(0.5), 10), Stage(learner(0.0), 5))), ConstantReward(), 14)
    networks = course.states.learner.params.network
    found = np.asarray(jax.vmap(lambda one: POLICY.network.connections(one)[0].weights)(networks))
    changed = (np.diff(found, axis=0) != 0.0).any(axis=(1, 2))
    assert changed[:9].all() and not changed[9:].any()
    assert np.asarray(course.states.env_steps).tolist() == list(range(1, 15))
    assert np.asarray(course.states.learner.env_steps).tolist() == list(range(1, 15))


def test_a_new_stage_keeps_the_weights_and_remembers_no_others():
    """What outputs have become is measured from the first weights of a stage: the first change of one is that of a new learner."""
    balanced = learner(0.5)
    balanced = balanced.with_fields(rule=GrowingOutput(balanced.rule))
    course = iterate(Staged((Stage(balanced, 6), Stage(balanced, 6))), ConstantReward(), 7)
    synapses, network = course.states.learner.synapses[0], course.states.learner.params.network
    weights = np.asarray(jax.vmap(lambda one: POLICY.network.connections(one)[0].weights)(network))
    first = np.asarray(synapses.traces.first)
    np.testing.assert_array_equal(first[:6], np.broadcast_to(first[0], first[:6].shape))
    np.testing.assert_allclose(first[6], weights[5].sum(axis=1), rtol=1e-6)
    assert np.asarray(course.states.stage).tolist() == [0] * 6 + [1]


@pytest.mark.parametrize("other", [learner(0.5, steps_per_iteration=2), learner(0.5, dendritic_delay=1)])
def test_only_numbers_may_differ(other):
    with pytest.raises(InvalidInput, match=r"^Staged\.stages must be one learner with other numbers"):
        Staged((Stage(learner(0.5)), Stage(other)))

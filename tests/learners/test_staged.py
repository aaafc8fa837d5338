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
from spikeloop.plasticity import CentredPairs, ExponentialEligibility, NoBounds, ThreeFactor
from spikeloop.policies import SpikingPolicy

CELLS = RegularPlaceCells(-1.0, 1.0, cells=2, width=0.4, rate=1.0)
POLICY = SpikingPolicy(CELLS, SpikingInputs(2, FeedForward((), SoftWinnerTakeAll())), MotorGroups(1), ticks=2)


def learner(rate, **fields):
    rule = ThreeFactor(rate, CentredPairs(), ExponentialEligibility(2.0), NoBounds())
    return RewardModulatedPlasticity(POLICY, rule, Reward(), **fields)


def weights(state):
    return np.asarray(POLICY.network.connections(state.params.network)[0].weights)


def test_a_stage_learns_as_its_learner_does_until_the_next_takes_over():
    """Ten steps at one rate, equal to that learner's alone; then a rate of 0, at which no weight changes any more."""
    staged = Staged((Stage(learner(0.5), 10), Stage(learner(0.0), 5)))
    course, alone = iterate(staged, ConstantReward(), 14), iterate(learner(0.5), ConstantReward(), 14)
    found = np.asarray(
        jax.vmap(lambda s: POLICY.network.connections(s.params.network)[0].weights)(course.states.learner)
    )
    other = np.asarray(jax.vmap(lambda s: POLICY.network.connections(s.params.network)[0].weights)(alone.states))
    np.testing.assert_allclose(found[:10], other[:10], rtol=1e-6)
    assert (found[9:] == found[9]).all() and (other[13] != other[9]).any()
    assert np.asarray(course.states.env_steps).tolist() == list(range(1, 15))


@pytest.mark.parametrize("other", [learner(0.5, steps_per_iteration=2), learner(0.5, dendritic_delay=1)])
def test_only_numbers_may_differ(other):
    with pytest.raises(InvalidInput, match=r"^Staged\.stages must be one learner with other numbers"):
        Staged((Stage(learner(0.5)), Stage(other)))

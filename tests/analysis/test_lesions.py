"""A lesion changes what it should, and is compared in the same episodes."""

import jax
import numpy as np
import pytest

from spikeloop.analysis.lesions import Lesion, LesionStudy, groups, intact_episodes, lesion_study
from spikeloop.decoders import SpikeRate
from spikeloop.environments import Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor
from spikeloop.networks import FeedForward
from spikeloop.policies import SpikingPolicy

WORLD = Gymnax("CartPole-v1", max_steps=40)
KEY, SEED = jax.random.key(3), 13  # one that balances for a while


@pytest.fixture(scope="module")
def actor():
    policy = SpikingPolicy(network=FeedForward((8,)), decoder=SpikeRate(), ticks=4)
    params = policy.init(4, 2, jax.random.key(SEED))
    return Actor(policy, jax.tree.map(lambda leaf: 4.0 * leaf, params), WORLD.spec.actions)


def test_lesions_meet_the_episodes_of_the_intact_policy(actor):
    intact, spikes = intact_episodes(WORLD, actor, 3, KEY)
    silent = [int(neuron) for neuron in np.flatnonzero(spikes[0] == 0)]
    outputs = Lesion(1, (0, 1))
    study = lesion_study(WORLD, actor, [Lesion(0, tuple(silent)), outputs, *groups(spikes, 100)], 3, KEY)
    assert silent and np.array_equal(study.intact, intact)
    # Who never fires cannot matter in these episodes; who does, may.
    np.testing.assert_array_equal(study.returns[0], intact)
    assert study.loss(0) == 0.0 and not study.matters(0)
    assert (study.returns != intact[None]).any()
    # Without outputs the first action is always taken, and the pole falls in ten steps or so.
    assert (study.returns[1] <= 11).all()
    low, high = study.interval(1)
    assert low <= study.returns[1].mean() <= high


def test_no_lesion_is_no_episode_more(actor):
    study = lesion_study(WORLD, actor, [], 3, KEY)
    assert study.returns.shape == (0, 3) and study.intact.shape == (3,)
    with pytest.raises(InvalidInput, match="at least one episode"):
        lesion_study(WORLD, actor, [], 0, KEY)


@pytest.mark.parametrize("most", [5, 20, 1000])
def test_groups_hold_each_neuron_that_fired_once(most):
    generator = np.random.default_rng(0)
    spikes = [generator.integers(0, 4, 60).astype(np.float32), generator.integers(0, 3, 3).astype(np.float32) + 1]
    found = groups(spikes, most)
    for population, counts in enumerate(spikes):
        own = [neuron for lesion in found if lesion.population == population for neuron in lesion.neurons]
        assert sorted(own) == np.flatnonzero(counts > 0).tolist()
    assert len(found) <= max(most, 1) + 3
    assert sum(len(lesion.neurons) == 1 and lesion.population == 1 for lesion in found) == 3
    if most == 1000:
        assert all(len(lesion.neurons) == 1 for lesion in found)
    else:
        # A group is of neurons that fire about as often.
        ranges = [np.ptp(spikes[0][list(lesion.neurons)]) for lesion in found if lesion.population == 0]
        assert np.mean(ranges) < 1.5


def test_a_difference_of_every_episode_matters_where_means_overlap():
    intact = np.asarray([10.0, 50.0, 90.0, 130.0])
    study = LesionStudy((Lesion(0, (0,)), Lesion(0, (1,))), intact, np.stack([intact - 2.0, intact[::-1]]))
    assert study.matters(0) and not study.matters(1)
    assert study.interval(0)[1] > study.interval(None)[0]
    assert study.loss(0) == 2.0 and study.loss(1) == 0.0


def test_who_is_left():
    alive = Lesion(1, (0, 2)).alive((2, 3))
    assert [each.tolist() for each in alive] == [[1.0, 1.0], [0.0, 1.0, 0.0]]

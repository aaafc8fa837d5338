"""Evaluation: what it counts, in a network whose spikes are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import Corridor

from spikeloop.interaction import Actor
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire, SoftReset
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.training import evaluate, evaluation_json
from spikeloop.training.evaluation import join

WORLD = Corridor(end=6, limit=8)


@pytest.fixture(scope="module")
def known():
    """Driven by biases alone: in 4 ticks the first population fires 1, 2 and 0 times, the second 4 and 4 times."""
    policy = SpikingPolicy(network=FeedForward((3, 2), IntegrateAndFire(1.0, SoftReset())), ticks=4)
    params = jax.tree.map(jnp.zeros_like, policy.init(2, 2, jax.random.key(0)))
    params = eqx.tree_at(
        lambda p: [layer.bias for layer in p.network], params, [jnp.asarray([0.25, 0.5, 0.0]), jnp.ones(2)]
    )
    return Actor(policy, params, WORLD.spec.actions)


def play(actor, seed=0, episodes=5):
    """Two evaluations side by side, as two seeds have them: every result has a leading axis of 2."""
    keys = jax.random.split(jax.random.key(seed), 2)
    return jax.device_get(jax.jit(jax.vmap(lambda key: evaluate(WORLD, actor, key, episodes)))(keys))


@pytest.fixture(scope="module")
def blocks(known):
    return [play(known, seed) for seed in (0, 1)]


def test_spikes_are_counted_over_all_decisions(blocks):
    evaluation = blocks[0]
    # Both outputs are zero, so the first action is always taken: every episode stays until the time limit.
    np.testing.assert_array_equal(evaluation.lengths, np.full((2, 5), WORLD.limit))
    np.testing.assert_array_equal(evaluation.decisions, [5 * WORLD.limit] * 2)
    for counts, expected in zip(evaluation.spikes, ([1, 2, 0], [4, 4]), strict=True):
        np.testing.assert_array_equal(counts, [5 * WORLD.limit * np.asarray(expected)] * 2)


def test_rates_and_silence(blocks):
    first, second = blocks[0].firing_rates
    np.testing.assert_allclose(first, [(1 + 2 + 0) / 3 / 4] * 2)
    np.testing.assert_allclose(second, [1.0] * 2)
    np.testing.assert_allclose(blocks[0].silent_neurons, [[1 / 3] * 2, [0.0] * 2], rtol=1e-6)
    np.testing.assert_allclose(blocks[0].spikes_per_decision, [3 + 8] * 2)


def test_joined_evaluations_are_one_of_all_their_episodes(blocks):
    both = join(blocks, 8)
    returns = np.concatenate([block.returns for block in blocks], axis=1)
    np.testing.assert_array_equal(both.returns, returns[:, :8])
    assert len(set(returns[0].tolist())) > 1 and both.lengths.shape == (2, 8)
    np.testing.assert_array_equal(both.decisions, [10 * WORLD.limit] * 2)
    np.testing.assert_allclose(both.spikes_per_decision, [11.0] * 2)


def test_a_deep_policy_has_no_spikes():
    policy = DeepPolicy((4,))
    data = evaluation_json(play(Actor(policy, policy.init(2, 2, jax.random.key(0)), WORLD.spec.actions)))
    assert data["spikes_per_decision"] == [0.0, 0.0] and data["firing_rates"] == data["silent_neurons"] == []
    assert np.shape(data["returns"]) == np.shape(data["lengths"]) == (2, 5)

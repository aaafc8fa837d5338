"""Evaluation: what it counts, in a network whose spikes are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.interaction import Actor
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire, SoftReset
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.training import evaluate, evaluation_json
from spikeloop.training.evaluation import join
from tests.worlds import Corridor

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


@pytest.fixture(scope="module")
def blocks(known):
    play = jax.jit(lambda key: evaluate(WORLD, known, key, 5))
    return [jax.device_get(play(jax.random.key(seed))) for seed in (0, 1)]


def test_spikes_are_counted_over_all_decisions(blocks):
    evaluation = blocks[0]
    # Both outputs are zero, so the first action is always taken: every episode stays until the time limit.
    np.testing.assert_array_equal(evaluation.lengths, WORLD.limit)
    assert int(evaluation.decisions) == 5 * WORLD.limit
    for counts, expected in zip(evaluation.spikes, ([1, 2, 0], [4, 4]), strict=True):
        np.testing.assert_array_equal(counts, 5 * WORLD.limit * np.asarray(expected))


def test_rates_and_silence(blocks):
    first, second = (float(rate) for rate in blocks[0].firing_rates)
    assert first == pytest.approx((1 + 2 + 0) / 3 / 4) and second == pytest.approx(1.0)
    assert [float(part) for part in blocks[0].silent_neurons] == pytest.approx([1 / 3, 0.0])
    assert float(blocks[0].spikes_per_decision) == pytest.approx(3 + 8)


def test_joined_evaluations_are_one_of_all_their_episodes(blocks):
    both = join(blocks, 8)
    returns = np.concatenate([block.returns for block in blocks])
    np.testing.assert_array_equal(both.returns, returns[:8])
    assert len(set(returns.tolist())) > 1
    assert int(both.decisions) == 10 * WORLD.limit
    assert float(both.spikes_per_decision) == pytest.approx(11.0)


def test_a_deep_policy_has_no_spikes():
    policy = DeepPolicy((4,))
    actor = Actor(policy, policy.init(2, 2, jax.random.key(0)), WORLD.spec.actions)
    evaluation = jax.device_get(jax.jit(lambda key: evaluate(WORLD, actor, key, 3))(jax.random.key(0)))
    data = evaluation_json(evaluation)
    assert data["spikes_per_decision"] == 0.0 and data["firing_rates"] == [] and data["silent_neurons"] == []
    assert len(data["returns"]) == len(data["lengths"]) == 3

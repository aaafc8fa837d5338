"""Answers, tuning maps and sensitivities are what the policy itself says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.analysis.responses import preferred, respond, sensitivity, tuning_map
from spikeloop.environments import Box, Discrete
from spikeloop.interaction import Actor
from spikeloop.networks import FeedForward
from spikeloop.neurons import BernoulliLogistic
from spikeloop.policies import DeepPolicy, SpikingPolicy

SPIKING = SpikingPolicy(network=FeedForward((6,)), ticks=3)
OBS = jnp.asarray(np.random.default_rng(0).normal(size=(7, 4)), jnp.float32)


def test_answers_are_decisions_from_rest():
    params = SPIKING.init(4, 2, jax.random.key(0))
    found = respond(SPIKING, params, 5.0 * OBS)
    for place in (0, 6):
        _, decision = SPIKING(params, SPIKING.init_state(params), 5.0 * OBS[place], None)
        np.testing.assert_allclose(found.output[place], decision.output, rtol=1e-6)
        np.testing.assert_array_equal(found.spikes[0][place], decision.spikes[0])


def test_of_chance_the_mean_comes_closer_to_the_probability():
    policy = SpikingPolicy(network=FeedForward((5,), BernoulliLogistic()), ticks=1)
    params = policy.init(4, 2, jax.random.key(0))
    found = respond(policy, params, OBS, draws=400, key=jax.random.key(1))
    probability = jax.nn.sigmoid(OBS @ params.network[0].weight + params.network[0].bias[None])
    np.testing.assert_allclose(found.spikes[0], probability, atol=0.11)  # 4 deviations of a mean of 400


def test_a_map_asks_where_it_says():
    params = SPIKING.init(4, 2, jax.random.key(0))
    at, first, second = OBS[0], jnp.linspace(-9, 9, 5), jnp.linspace(-3, 3, 4)
    found = tuning_map(SPIKING, params, at, (2, 0), (first, second))
    assert found.spikes[0].shape == (5, 4, 6) and found.output.shape == (5, 4, 2)
    asked = at.at[2].set(first[3]).at[0].set(second[1])
    np.testing.assert_allclose(found.output[3, 1], respond(SPIKING, params, asked[None]).output[0], rtol=1e-6)


def test_sensitivity_of_a_linear_policy_is_its_weights():
    policy = DeepPolicy(())
    params = policy.init(4, 2, jax.random.key(0))
    found = sensitivity(Actor(policy, params, Discrete(2)), OBS)
    np.testing.assert_allclose(found.effect, params[0].weight * jnp.std(OBS, axis=0)[:, None], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.size, jnp.abs(found.effect), rtol=1e-3, atol=1e-5)
    part = sensitivity(Actor(policy, params, Discrete(2)), OBS, variables=(3, 1))
    np.testing.assert_allclose(part.effect, found.effect[jnp.asarray([3, 1])], rtol=1e-3, atol=1e-5)
    # The action is the larger output: it changes where half a deviation outweighs the lead.
    gap = OBS @ (params[0].weight[:, 0] - params[0].weight[:, 1]) + (params[0].bias[0] - params[0].bias[1])
    reach = 0.5 * jnp.abs(found.effect[:, 0] - found.effect[:, 1])
    assert found.switched is not None
    np.testing.assert_allclose(found.switched, jnp.mean(jnp.abs(gap)[None] < reach[:, None], axis=1), atol=1e-6)


def test_a_variable_that_never_varied_does_nothing():
    policy = DeepPolicy(())
    params = policy.init(4, 1, jax.random.key(0))
    found = sensitivity(Actor(policy, params, Box((-1.0,), (1.0,))), OBS.at[:, 1].set(2.0))
    assert found.deviation[1] == 0 and not found.effect[1].any() and found.switched is None


@pytest.mark.parametrize(
    ("actions", "outputs", "known"), [(Discrete(3), 3, True), (Discrete(3), 2, False), (Box((0.0,), (1.0,)), 1, False)]
)
def test_an_action_is_preferred_where_each_has_an_output(actions, outputs, known):
    found = preferred(actions, OBS[:, :outputs])
    assert (found is not None) == known
    if found is not None:
        np.testing.assert_array_equal(found, np.asarray(OBS[:, :outputs]).argmax(-1))

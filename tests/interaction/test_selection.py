"""Selections: how often which action, within what chance allows; and never out of bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spikeloop.environments import Box, Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import (
    Constant,
    EpsilonGreedy,
    GaussianNoise,
    Greedy,
    LinearDecay,
    UniformRandom,
    bounded,
    standardised_action,
)

DRAWS = 20_000
OUTPUT = jnp.asarray([0.0, 2.0, -1.0, 1.0])
FOUR = Discrete(4)
bounds = st.floats(-100.0, 100.0, width=32, allow_subnormal=False)


def frequencies(selection, env_steps=0):
    """How often each of four actions was chosen in many draws."""
    keys = jax.random.split(jax.random.key(0), DRAWS)
    now = jnp.asarray(env_steps, jnp.int32)
    actions = np.asarray(jax.jit(jax.vmap(lambda key: selection(OUTPUT, FOUR, now, key)))(keys))
    assert actions.dtype == np.int32
    return np.bincount(actions, minlength=4)


def close_to(counts, probability):
    """Within five standard deviations of a binomial count."""
    return np.abs(counts - DRAWS * probability) <= 5.0 * np.sqrt(DRAWS * probability * (1.0 - probability))


@pytest.mark.parametrize("epsilon", [0.05, 0.3, 0.9])
def test_epsilon_greedy_frequencies(epsilon):
    counts = frequencies(EpsilonGreedy(Constant(epsilon)))
    assert close_to(counts[1], 1.0 - epsilon + epsilon / 4)
    assert close_to(counts[[0, 2, 3]], epsilon / 4).all()


@pytest.mark.parametrize("selection", [EpsilonGreedy(Constant(1.0)), UniformRandom()], ids=["epsilon 1", "uniform"])
def test_uniform(selection):
    assert stats.chisquare(frequencies(selection)).pvalue > 1e-3


def test_epsilon_zero_is_greedy():
    assert frequencies(EpsilonGreedy(Constant(0.0)))[1] == DRAWS


def test_epsilon_follows_its_schedule():
    selection = EpsilonGreedy(LinearDecay(1.0, 0.0, 100.0))
    assert close_to(frequencies(selection, 50)[1], 0.5 + 0.5 / 4)
    assert frequencies(selection, 100)[1] == DRAWS


def test_epsilon_greedy_refuses_continuous_actions():
    with pytest.raises(InvalidInput, match="needs discrete actions"):
        EpsilonGreedy()(OUTPUT, Box((-1.0,) * 4, (1.0,) * 4), jnp.zeros((), jnp.int32), jax.random.key(0))


def greedy(output, actions):
    return np.asarray(Greedy()(jnp.asarray(output, jnp.float32), actions, jnp.zeros((), jnp.int32), None))


@given(output=st.lists(st.integers(-2, 2), min_size=1, max_size=6))
def test_greedy_is_the_first_of_the_largest(output):
    assert greedy(output, Discrete(len(output))) == output.index(max(output))


def test_greedy_scales_tanh_to_the_bounds():
    """Zero is the middle; far out are the bounds; a sixth of the way is where tanh is -2/3."""
    actions = Box((-1.0, 0.0, -4.0), (1.0, 2.0, 2.0))
    np.testing.assert_allclose(greedy([0.0] * 3, actions), [0.0, 1.0, -1.0], atol=1e-6)
    np.testing.assert_allclose(greedy([50.0] * 3, actions), [1.0, 2.0, 2.0], rtol=1e-6)
    np.testing.assert_allclose(greedy([-50.0] * 3, actions), [-1.0, 0.0, -4.0], atol=1e-6)
    np.testing.assert_allclose(greedy([np.arctanh(-2 / 3)] * 3, actions), [-2 / 3, 1 / 3, -3.0], rtol=1e-5)


@given(low=bounds, high=bounds, output=st.floats(-30.0, 30.0, width=32), seed=st.integers(0, 1000))
def test_continuous_actions_stay_within_the_bounds(low, high, output, seed):
    low, high = sorted((low, high))
    actions = Box((low,), (high,))
    drawn = UniformRandom()(jnp.zeros(1), actions, jnp.zeros((), jnp.int32), jax.random.key(seed))
    for action in (greedy([output], actions), np.asarray(drawn)):
        assert action.shape == (1,) and action.dtype == np.float32
        assert low <= float(action[0]) <= high


def test_random_continuous_actions_fill_the_box_evenly():
    keys = jax.random.split(jax.random.key(0), 5000)
    actions = Box((-1.0, 10.0), (3.0, 11.0))
    drawn = jax.vmap(lambda key: UniformRandom()(jnp.zeros(2), actions, jnp.zeros((), jnp.int32), key))(keys)
    for column, low, width in ((0, -1.0, 4.0), (1, 10.0, 1.0)):
        assert stats.kstest(np.asarray(drawn[:, column]), "uniform", args=(low, width)).pvalue > 1e-3
    assert abs(np.corrcoef(np.asarray(drawn).T)[0, 1]) < 5.0 / np.sqrt(5000)


def test_gaussian_noise_has_the_mean_and_deviation_that_it_says_and_is_clipped():
    """In halves of the range, of each entry on its own; beyond the bounds there is the bound."""
    box, output, now = Box((-2.0, 0.0), (2.0, 1.0)), jnp.asarray([0.2, 5.0]), jnp.asarray(100, jnp.int32)
    selection = GaussianNoise(0.1, random_steps=100)
    keys = jax.random.split(jax.random.key(0), DRAWS)
    actions = np.asarray(jax.jit(jax.vmap(lambda key: selection(output, box, now, key)))(keys))
    assert actions.dtype == np.float32
    assert abs(actions[:, 0].mean() - 2.0 * np.tanh(0.2)) < 5 * 0.2 / np.sqrt(DRAWS)
    assert abs(actions[:, 0].std() / 0.2 - 1.0) < 5 / np.sqrt(2 * DRAWS)
    assert actions[:, 1].max() == 1.0 and 0.4 < (actions[:, 1] == 1.0).mean() < 0.6


def test_before_the_policy_is_asked_every_action_is_equally_likely():
    box, now = Box((-2.0,), (4.0,)), jnp.asarray(99, jnp.int32)
    selection = GaussianNoise(0.1, random_steps=100)
    keys = jax.random.split(jax.random.key(1), DRAWS)
    actions = np.asarray(jax.jit(jax.vmap(lambda key: selection(jnp.asarray([9.0]), box, now, key)))(keys))
    assert stats.kstest(actions[:, 0], stats.uniform(-2.0, 6.0).cdf).pvalue > 1e-4


def test_gaussian_noise_refuses_discrete_actions():
    with pytest.raises(InvalidInput, match="GaussianNoise needs continuous actions"):
        GaussianNoise()(OUTPUT, FOUR, jnp.asarray(0, jnp.int32), jax.random.key(0))


@given(bounds, st.floats(0.125, 100.0, width=32), st.floats(-1.0, 1.0, width=32))
def test_an_action_goes_to_its_bounds_and_back(low, size, action):
    box = Box((low,), (low + size,))
    there = bounded(jnp.asarray([action], jnp.float32), box)
    assert np.float32(box.low[0]) <= there[0] <= np.float32(box.high[0])
    np.testing.assert_allclose(standardised_action(there, box), [action], atol=1e-3)

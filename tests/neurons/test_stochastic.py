"""Neurons that fire by chance: how often, what they say of it, and that their tags are derivatives of log-probabilities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.neurons import EscapeNoise, SoftWinnerTakeAll
from spikeloop.plasticity import CentredPairs, NoBounds, Seen, ThreeFactor, WindowSum

CURRENT = jnp.asarray([0.4, -0.7, 1.3])
ESCAPE, WINNER = EscapeNoise(temperature=0.5, threshold=0.3), SoftWinnerTakeAll(temperature=0.5)
neurons = pytest.mark.parametrize("neuron", [ESCAPE, WINNER], ids=lambda neuron: type(neuron).__name__)


def known(neuron, current):
    """The probabilities of spikes, in numpy."""
    if neuron is ESCAPE:
        return 1.0 / (1.0 + np.exp(-(np.asarray(current) - 0.3) / 0.5))
    odds = np.exp(np.asarray(current) / 0.5)
    return odds / odds.sum()


@neurons
def test_spikes_are_as_frequent_as_the_neuron_says(neuron):
    state, spikes = jax.vmap(lambda key: neuron.step(neuron.init(3), CURRENT, key))(
        jax.random.split(jax.random.key(0), 40_000)
    )
    np.testing.assert_allclose(np.asarray(neuron.expected(state)[0]), known(neuron, CURRENT), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(spikes.mean(axis=0)), known(neuron, CURRENT), atol=4 * 0.5 / 200)  # 4 sigma
    if neuron is WINNER:
        assert (np.asarray(spikes.sum(axis=1)) == 1.0).all()


def test_potentials_leak_and_only_escape_noise_resets():
    key = jax.random.key(0)
    for neuron in (EscapeNoise(tau=4.0, threshold=-100.0), SoftWinnerTakeAll(tau=4.0)):
        state, spikes = neuron.step(neuron.init(3), CURRENT, key)
        reset = 1.0 - np.asarray(spikes) if isinstance(neuron, EscapeNoise) else 1.0
        np.testing.assert_allclose(np.asarray(state.v), np.asarray(CURRENT) * reset)
        after, _ = neuron.step(state, jnp.zeros(3), key)
        if isinstance(neuron, SoftWinnerTakeAll):
            np.testing.assert_allclose(np.asarray(after.v), 0.75 * np.asarray(CURRENT), rtol=1e-6)


@neurons
def test_centred_tags_are_the_derivative_of_the_log_probability_of_the_spikes(neuron):
    """By finite differences, of a train of inputs and the spikes they happened to draw; times the temperature."""
    rng = np.random.default_rng(1)
    pre = (rng.random((6, 4)) < 0.5).astype(float)
    weights = rng.normal(size=(4, 3))
    p = np.stack([known(neuron, x @ weights) for x in pre])
    post = np.eye(3)[rng.integers(0, 3, 6)] if neuron is WINNER else (rng.random(p.shape) < p).astype(float)

    def log_probability(w):
        p = np.stack([known(neuron, x @ w) for x in pre])
        silent = 0.0 if neuron is WINNER else (1.0 - post) * np.log(1.0 - p)
        return np.sum(post * np.log(p) + silent)

    slope = np.zeros_like(weights)
    for at in np.ndindex(*weights.shape):
        nudge = np.zeros_like(weights)
        nudge[at] = 1e-5
        slope[at] = (log_probability(weights + nudge) - log_probability(weights - nudge)) / 2e-5
    rule = ThreeFactor(1.0, CentredPairs(), WindowSum(), NoBounds())
    held = jnp.asarray(weights, jnp.float32)
    seen = Seen(*(jnp.asarray(x, jnp.float32) for x in (pre, post, p)))
    _, change = rule.change(rule.see(rule.init(held), held, seen), held, jnp.ones(()))
    np.testing.assert_allclose(np.asarray(change), 0.5 * slope, atol=1e-4)

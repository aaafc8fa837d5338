"""Stochastic neurons: they fire as often as they say, and their scores are derivatives of their own log-probability."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.neurons import BernoulliLogistic, BinaryConcrete, GeneralisedLinear, Ising, ThroughProbability

NEURONS = {
    "bernoulli": BernoulliLogistic(gain=1.5),
    "linear": GeneralisedLinear(filter=(1.0, -0.5, 0.25), gain=0.8),
    "ising": Ising(),
}
INPUTS = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)  # [tick, synapse]
WEIGHTS = np.random.default_rng(1).normal(size=4).astype(np.float32)
SPIKES = np.asarray([1.0, 0.0, 0.0, 1.0, 1.0], np.float32)


def odds(name, w):
    """Log-odds of a spike at every tick, in NumPy's double precision, from the definitions."""
    currents = INPUTS.astype(np.float64) @ w
    if name == "ising":  # P(y = 1) = e^I / (e^I + e^-I)
        return np.log(np.exp(currents) / np.exp(-currents))
    if name == "bernoulli":
        return 1.5 * currents
    return 0.8 * np.convolve(currents, [1.0, -0.5, 0.25])[: len(currents)]


def log_probability(name, w):
    p = 1.0 / (1.0 + np.exp(-odds(name, w)))
    return float(np.sum(SPIKES * np.log(p) + (1.0 - SPIKES) * np.log(1.0 - p)))


@pytest.mark.parametrize("name", NEURONS)
def test_a_neurons_score_is_the_finite_difference_of_its_log_probability(name):
    neuron = NEURONS[name]

    @jax.jit
    @jax.value_and_grad
    def score(w):
        def tick(state, now):
            x, fired = now
            return neuron.log_probability(state, (x @ w)[None], fired[None])

        return jnp.sum(jax.lax.scan(tick, neuron.init(1), (jnp.asarray(INPUTS), jnp.asarray(SPIKES)))[1])

    value, gradient = score(jnp.asarray(WEIGHTS))
    assert float(value) == pytest.approx(log_probability(name, WEIGHTS.astype(np.float64)), rel=1e-5)
    steps = 1e-5 * np.eye(4)
    difference = [(log_probability(name, WEIGHTS + s) - log_probability(name, WEIGHTS - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(np.asarray(gradient), difference, rtol=1e-3, atol=1e-4)


def test_the_score_of_an_ising_unit_is_hebbian_with_a_soft_gate():
    """2 y x / (1 + exp(2 y w.x)), as the companion paper has it."""
    x, w = jnp.asarray(INPUTS[0]), jnp.asarray(WEIGHTS)
    for spike in (0.0, 1.0):
        y = 2.0 * spike - 1.0
        score = jax.grad(
            lambda w, o=spike: Ising().log_probability(Ising().init(1), (x @ w)[None], jnp.asarray([o]))[1][0]
        )(w)
        expected = 2.0 * y * INPUTS[0] / (1.0 + np.exp(2.0 * y * (INPUTS[0] @ WEIGHTS)))
        np.testing.assert_allclose(np.asarray(score), expected, rtol=1e-4)
    np.testing.assert_array_equal(np.asarray(Ising().signal(jnp.asarray([0.0, 1.0]))), [-1.0, 1.0])


@pytest.mark.parametrize("name", NEURONS)
def test_what_was_expected_is_the_probability(name):
    neuron, state = NEURONS[name], NEURONS[name].init(1)
    for x, log_odds in zip(INPUTS, odds(name, WEIGHTS.astype(np.float64)), strict=True):
        state, _ = neuron.step(state, jnp.asarray([x @ WEIGHTS]), jax.random.key(0))
        assert float(neuron.expected(state)[0]) == pytest.approx(1.0 / (1.0 + np.exp(-log_odds)), rel=1e-4)


@pytest.mark.parametrize("draw", [ThroughProbability(), BinaryConcrete(1.0), BinaryConcrete(1e-6)], ids=str)
def test_spikes_are_bernoulli_at_every_temperature(draw):
    log_odds = jnp.asarray([-3.0, -0.5, 0.0, 2.0])
    n = 40_000
    spikes = np.asarray(jax.jit(lambda key: draw(jnp.broadcast_to(log_odds, (n, 4)), key))(jax.random.key(0)))
    assert set(np.unique(spikes).tolist()) == {0.0, 1.0}
    p = 1.0 / (1.0 + np.exp(-np.asarray(log_odds)))
    assert (np.abs(spikes.mean(axis=0) - p) < 4.0 * np.sqrt(p * (1 - p) / n)).all()
    pairs = np.corrcoef(spikes[:, 1], spikes[:, 2])[0, 1]
    assert abs(pairs) < 4.0 / np.sqrt(n)


def test_the_soft_draw_becomes_the_spike_as_the_temperature_falls():
    log_odds, noise = jnp.asarray(0.3), jax.random.logistic(jax.random.key(1), (20_000,))
    for temperature in (1.0, 0.01):
        draw = BinaryConcrete(temperature)
        soft = jax.vmap(lambda g, draw=draw: draw.soft(log_odds, log_odds + g))(noise)
        hard = np.asarray(log_odds + noise > 0)
        assert (np.abs(np.asarray(soft) - hard).mean() < 0.005) == (temperature == 0.01)
        slopes = jax.vmap(jax.grad(lambda x, g, draw=draw: draw.soft(x, x + g)), (None, 0))(log_odds, noise)
        if temperature == 0.01:  # then the slope is that of the probability, on average
            p = 1.0 / (1.0 + np.exp(-0.3))
            slopes = np.asarray(slopes)
            assert abs(slopes.mean() - p * (1 - p)) < 4.0 * slopes.std() / np.sqrt(len(slopes))


def test_the_derivative_through_the_probability_does_not_ask_for_the_draw():
    slopes = [
        float(jax.grad(lambda x, k=k: ThroughProbability()(x, jax.random.key(k)))(jnp.asarray(0.7))) for k in range(2)
    ]
    p = 1.0 / (1.0 + np.exp(-0.7))
    np.testing.assert_allclose(slopes, p * (1 - p), rtol=1e-5)


@pytest.mark.parametrize("filter", [(), (0.0, 0.0), (1.0, float("nan"))])
def test_a_filter_that_hears_nothing_is_refused(filter):
    with pytest.raises(
        InvalidInput, match=r"^GeneralisedLinear\.filter must be a tuple of finite numbers, not all zero"
    ):
        GeneralisedLinear(filter=filter)


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(InvalidInput, match=r"^BinaryConcrete\.temperature must be a positive finite number, got 0"):
        BinaryConcrete(0.0)

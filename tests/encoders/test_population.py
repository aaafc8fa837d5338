"""Population codes: the Gaussian and its gradient, rates of the codings, and what training cannot break."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.encoders import (
    BernoulliPopulationCode,
    DeterministicPopulationCode,
    PoissonCode,
    PoissonPopulationCode,
    PopulationCode,
    ReceptiveFields,
    TwoNeurons,
)
from spikeloop.encoders.firing import straight_through
from spikeloop.errors import InvalidInput

CODES = (PopulationCode, BernoulliPopulationCode, PoissonPopulationCode, DeterministicPopulationCode)
OBS = jnp.asarray([0.4, -1.3, 2.6])
codes = pytest.mark.parametrize("cls", CODES, ids=lambda cls: cls.__name__)


def run(encoder, params, obs, ticks, key=None):
    """Inputs of every tick."""
    keys = None if key is None else jax.random.split(key, ticks)

    def tick(state, tick_key):
        return encoder.step(params, state, obs, tick_key)

    return jax.lax.scan(tick, encoder.init_state(params), keys, length=ticks)[1]


def with_activity(activity):
    """Receptive fields of one neuron whose activity for the observation 0 is the given one."""
    distance = math.sqrt(-2.0 * math.log(activity)) if activity < 1.0 else 0.0
    return ReceptiveFields(jnp.full((1, 1), distance), jnp.ones((1, 1)))


def test_the_published_fields_and_the_gaussian():
    encoder = PopulationCode()
    params = encoder.init(3, jax.random.key(0))
    assert encoder.size(3) == 30 and PopulationCode.constant
    np.testing.assert_allclose(np.asarray(params.mean), np.tile(np.linspace(-3, 3, 10), (3, 1)), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(params.deviation) ** 2, 0.15, rtol=1e-6)
    distance = np.asarray(OBS, float)[:, None] - np.linspace(-3, 3, 10)
    expected = np.exp(-(distance**2) / (2 * 0.15)).ravel()
    np.testing.assert_allclose(np.asarray(encoder.step(params, None, OBS, None)[1]), expected, rtol=1e-4, atol=1e-7)


def test_a_population_of_one_answers_to_the_middle():
    encoder = PopulationCode(1, low=-1.0, high=3.0)
    params = encoder.init(1, jax.random.key(0))
    assert float(encoder.step(params, None, jnp.ones(1), None)[1][0]) == 1.0


def activity64(mean, deviation, obs):
    return np.exp(-((obs[:, None] - mean) ** 2) / (2 * deviation**2)).ravel()


def finite_differences(weights, values, ticks=1.0, step=1e-6):
    """Gradients of ticks times the weighted activity by mean, deviation and observation, in double precision."""
    gradients = []
    for place, value in enumerate(values):
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            moved = [[v.copy() for v in values] for _ in range(2)]
            moved[0][place][index] += step
            moved[1][place][index] -= step
            up, down = (float(weights @ activity64(*v)) for v in moved)
            gradient[index] = ticks * (up - down) / (2 * step)
        gradients.append(gradient)
    return gradients


@codes
def test_gradient_is_that_of_the_activity(cls):
    """Straight through: a spike differentiates as A. In Cdet the reset adds 0.001 of the tick before: within 0.2 %."""
    encoder, ticks = cls(neurons_per_variable=4), 5
    rng = np.random.default_rng(0)
    params = encoder.init(3, jax.random.key(0))
    deviation = jnp.asarray(rng.uniform(0.5, 1.5, (3, 4)) * rng.choice([-1, 1], (3, 4)), jnp.float32)
    params = ReceptiveFields(params.mean, deviation)
    weights = rng.normal(size=12)
    key = jax.random.key(1) if encoder.stochastic else None

    def loss(params, obs):
        return jnp.sum(run(encoder, params, obs, ticks, key) @ jnp.asarray(weights, jnp.float32))

    by_params, by_obs = jax.grad(loss, argnums=(0, 1))(params, OBS)
    values = [np.asarray(x, float) for x in (params.mean, params.deviation, OBS)]
    expected = finite_differences(weights, values, ticks)
    for gradient, one in zip((by_params.mean, by_params.deviation, by_obs), expected, strict=True):
        np.testing.assert_allclose(np.asarray(gradient), one, rtol=2e-3, atol=2e-3)


@codes
@pytest.mark.parametrize("size", [1.0, -0.4, 1e4, -1e4])
def test_deviation_stays_positive_after_a_step_of_any_size(cls, size):
    encoder = cls()
    params = encoder.init(3, jax.random.key(0))
    steps = [params.deviation - size, jnp.zeros_like(params.deviation)]
    for deviation in steps:
        moved = ReceptiveFields(params.mean, deviation)
        used = np.maximum(np.abs(np.asarray(deviation, float)), 0.01)  # |sigma|, or the least there is
        activity = np.asarray(encoder.activity(moved, OBS))
        expected = activity64(np.asarray(params.mean, float), used, np.asarray(OBS, float))
        np.testing.assert_allclose(activity, expected, rtol=1e-3, atol=1e-6)
        gradients = jax.grad(lambda p, o: jnp.sum(encoder.activity(p, o) ** 2), argnums=(0, 1))(moved, OBS)
        assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(gradients))


def test_deterministic_rates():
    """At A = 1 a spike every tick, at A = 1/2 every second; the threshold of 0.999 forgives rounding."""
    encoder = DeterministicPopulationCode(neurons_per_variable=1)
    full = np.asarray(run(encoder, with_activity(1.0), jnp.zeros(1), 500))
    assert (full == 1.0).all()
    half = np.asarray(run(encoder, with_activity(0.5), jnp.zeros(1), 12))[:, 0]
    np.testing.assert_array_equal(half, [0, 1] * 6)


@given(activity=st.floats(0.02, 1.0), threshold=st.sampled_from([0.999, 1.0]))
def test_deterministic_spikes_are_as_many_as_the_activity_asks(activity, threshold):
    """After t ticks floor(t A / threshold), or one less or more where rounding decides."""
    encoder = DeterministicPopulationCode(neurons_per_variable=1, threshold=threshold)
    spikes = np.asarray(run(encoder, with_activity(activity), jnp.zeros(1), 50))[:, 0]
    exact = activity * np.arange(1, 51) / threshold
    assert (np.abs(np.cumsum(spikes) - exact) <= 1.0 + 1e-3).all()


@pytest.mark.parametrize("activity", [0.02, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(
    ("cls", "probability"),
    [(BernoulliPopulationCode, lambda a: a), (PoissonPopulationCode, lambda a: 1 - math.exp(-a))],
)
def test_stochastic_rates_are_binomial(cls, probability, activity):
    """The mean of n draws lies within five standard deviations: wrong once in two million."""
    n = 20_000
    encoder = cls(neurons_per_variable=1)
    spikes = np.asarray(run(encoder, with_activity(activity), jnp.zeros(1), n, jax.random.key(0)))
    p = probability(activity)
    assert set(np.unique(spikes)) <= {0.0, 1.0}
    assert abs(spikes.mean() - p) <= 5.0 * math.sqrt(p * (1 - p) / n) + 1e-6


def test_neurons_and_ticks_draw_for_themselves():
    encoder = BernoulliPopulationCode(neurons_per_variable=2)
    params = ReceptiveFields(jnp.zeros((1, 2)), jnp.ones((1, 2)))
    obs = jnp.full(1, math.sqrt(2 * math.log(2)))  # activity one half
    spikes = np.asarray(run(encoder, params, obs, 4000, jax.random.key(2))) - 0.5
    bound = 5.0 * 0.25 / math.sqrt(4000)  # five standard deviations of a mean of products of +-1/2
    assert abs((spikes[:, 0] * spikes[:, 1]).mean()) < bound
    assert abs((spikes[1:, 0] * spikes[:-1, 0]).mean()) < bound


def test_poisson_code_lays_its_range_over_the_rates():
    encoder, n = PoissonCode(), 20_000
    obs = jnp.asarray([-5.0, -3.0, 0.0, 1.5, 3.0, 9.0])
    spikes = np.asarray(run(encoder, None, obs, n, jax.random.key(0)))
    p = 1 - np.exp(-np.asarray([0.0, 0.0, 0.5, 0.75, 1.0, 1.0]))
    assert (np.abs(spikes.mean(axis=0) - p) <= 5.0 * np.sqrt(p * (1 - p) / n)).all()
    gradient = jax.grad(lambda obs: jnp.sum(run(encoder, None, obs, 1, jax.random.key(0))))(jnp.asarray([0.2, 7.0]))
    np.testing.assert_allclose(np.asarray(gradient), [1 / 6, 0.0], rtol=1e-6)


def test_straight_through_keeps_the_spikes_as_they_are():
    activity = jnp.linspace(0.0, 1.0, 1001)
    spikes = (activity > 0.3).astype(activity.dtype)
    np.testing.assert_array_equal(np.asarray(straight_through(spikes, activity)), np.asarray(spikes))
    gradient = jax.grad(lambda a: jnp.sum(straight_through(spikes, a)))(activity)
    np.testing.assert_array_equal(np.asarray(gradient), 1.0)


def test_two_neurons():
    encoder = TwoNeurons()
    np.testing.assert_allclose(np.asarray(encoder.step(None, None, OBS, None)[1]), [0.4, 0, 0, 1.3, 2.6, 0], rtol=1e-6)
    assert encoder.size(3) == 6 and TwoNeurons.constant
    scaled = np.asarray(TwoNeurons((1.0, 2.0, 10.0)).step(None, None, OBS, None)[1])
    np.testing.assert_allclose(scaled, [0.4, 0, 0, 2.6, 26.0, 0], rtol=1e-6)
    pairs = np.asarray(encoder.step(None, None, OBS, None)[1]).reshape(3, 2)
    np.testing.assert_allclose(pairs[:, 0] - pairs[:, 1], np.asarray(OBS), rtol=1e-6)
    with pytest.raises(InvalidInput, match="2 entries, but an observation has 3"):
        TwoNeurons((1.0, 2.0)).size(3)


@codes
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"neurons_per_variable": 0}, "neurons_per_variable must be a whole number of at least 1, got 0"),
        ({"low": math.inf}, "low must be a finite number"),
        ({"high": -3.0}, "high must be above low, -3.0, got -3.0"),
        ({"deviation": 0.0}, "deviation must be a positive finite number"),
        ({"least_deviation": 0.0}, "least_deviation must be a positive finite number"),
    ],
)
def test_invalid_fields(cls, fields, message):
    with pytest.raises(InvalidInput, match=rf"{cls.__name__}\.{message}"):
        cls().with_fields(**fields)


def test_invalid_fields_of_the_others():
    with pytest.raises(InvalidInput, match=r"DeterministicPopulationCode\.threshold must be a positive finite number"):
        DeterministicPopulationCode(threshold=0.0)
    with pytest.raises(InvalidInput, match=r"PoissonCode\.high must be above low"):
        PoissonCode(1.0, 1.0)
    with pytest.raises(InvalidInput, match=r"TwoNeurons\.gain must be"):
        TwoNeurons(0.0)

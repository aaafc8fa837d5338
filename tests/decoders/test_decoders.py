"""Decoders against the naive computation, tick by tick, in plain numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import LastMembrane, LinearRate, MaxAbsMembrane, MaxMembrane, MeanMembrane, SpikeRate
from spikeloop.networks import Linear
from spikeloop.neurons import LeakyIntegrator

TICKS, INPUTS, OUTPUTS = 7, 5, 3
TAUS = (1.0, 2.0, 5.0)
membranes = pytest.mark.parametrize(
    ("cls", "statistic"),
    [
        (LastMembrane, lambda v: v[-1]),
        (MeanMembrane, lambda v: v.mean(0)),
        (MaxMembrane, lambda v: v.max(0)),
        (MaxAbsMembrane, lambda v: np.take_along_axis(v, np.abs(v).argmax(0)[None], 0)[0]),
    ],
)


def random_spikes(seed=0, ticks=TICKS, inputs=INPUTS):
    return (np.random.default_rng(seed).random((ticks, inputs)) < 0.4).astype(np.float32)


def decode(decoder, params, spikes):
    """The decoder's output for a decision's spikes [ticks, n]."""
    spikes = jnp.asarray(spikes)
    state = decoder.init_state(params, spikes.shape[1])
    for fired in spikes:
        state = decoder.step(params, state, fired)
    return decoder.read(params, state, spikes.shape[0])


def integrate(params, spikes, tau):
    """The readout's potential at every tick: leak and input, one tick after the other."""
    v, potentials = np.zeros(params.bias.shape[0]), []
    for fired in np.asarray(spikes, np.float64):
        v = v + (fired @ np.asarray(params.weight) + np.asarray(params.bias) - v) / tau
        potentials.append(v)
    return np.stack(potentials)


@membranes
@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize("seed", range(3))
def test_membranes_equal_naive_integration(cls, statistic, tau, seed):
    decoder = cls(LeakyIntegrator(tau))
    params = decoder.init(INPUTS, OUTPUTS, jax.random.key(seed))
    spikes = random_spikes(seed)
    expected = statistic(integrate(params, spikes, tau))
    np.testing.assert_allclose(np.asarray(decode(decoder, params, spikes)), expected, rtol=1e-5, atol=1e-6)


@membranes
def test_silence_leaves_the_bias_alone(cls, statistic):
    """With no spikes the potential is b (1 - (1 - 1/tau)^t)."""
    decoder = cls()
    params = Linear(jnp.ones((INPUTS, 2)), jnp.asarray([1.0, -1.0]))
    v = 1.0 - 0.5 ** np.arange(1, TICKS + 1)
    expected = statistic(np.stack([v, -v], axis=1))
    output = decode(decoder, params, np.zeros((TICKS, INPUTS), np.float32))
    np.testing.assert_allclose(np.asarray(output), expected, rtol=1e-6)


@pytest.mark.parametrize("cls", [MaxMembrane, MaxAbsMembrane])
def test_gradient_of_the_extreme_runs_through_its_tick_alone(cls):
    """d v_{t*} / d o_t = W / tau (1 - 1/tau)^(t* - t) up to the tick t* of the extreme, and nothing after it."""
    tau, weight = 2.0, np.asarray([[1.0], [0.5]])
    params = Linear(jnp.asarray(weight), jnp.asarray([-0.25]))
    spikes = np.asarray([[1, 0], [0, 0], [1, 1], [0, 0], [0, 1]], np.float32)
    v = integrate(params, spikes, tau)[:, 0]
    peak = int(np.argmax(v))
    assert peak == 2 and np.abs(v).argmax() == peak  # neither the first nor the last tick
    gradient = jax.grad(lambda o: decode(cls(LeakyIntegrator(tau)), params, o)[0])(jnp.asarray(spikes))
    ages = peak - np.arange(len(spikes))
    expected = np.where(ages >= 0, 0.5 ** np.abs(ages) / tau, 0.0)[:, None] * weight[:, 0]
    np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-6)


def test_max_abs_keeps_the_sign_where_max_does_not():
    params = Linear(jnp.asarray([[-2.0], [1.0]]), jnp.zeros(1))
    spikes = np.asarray([[0, 1], [1, 0], [0, 1]], np.float32)  # tau 1: potentials 1, -2, 1
    assert float(decode(MaxMembrane(LeakyIntegrator(1.0)), params, spikes)[0]) == 1.0
    assert float(decode(MaxAbsMembrane(LeakyIntegrator(1.0)), params, spikes)[0]) == -2.0


def test_spike_rate_is_the_count_over_the_ticks():
    decoder = SpikeRate()
    assert decoder.population(OUTPUTS) == OUTPUTS
    values = set()
    for seed in range(60):
        spikes = random_spikes(seed, ticks=4, inputs=OUTPUTS)
        output = np.asarray(decode(decoder, decoder.init(OUTPUTS, OUTPUTS, jax.random.key(0)), spikes))
        np.testing.assert_array_equal(output, spikes.mean(0))
        values |= set(output.tolist())
    assert values == {0.0, 0.25, 0.5, 0.75, 1.0}  # ticks + 1 values and no others


def test_linear_rate_is_a_connection_on_the_mean_rate():
    decoder = LinearRate()
    assert decoder.population(OUTPUTS) is None
    params = decoder.init(INPUTS, OUTPUTS, jax.random.key(1))
    spikes = random_spikes(4)
    expected = spikes.mean(0) @ np.asarray(params.weight) + np.asarray(params.bias)
    np.testing.assert_allclose(np.asarray(decode(decoder, params, spikes)), expected, rtol=1e-5)
    shuffled = np.random.default_rng(0).permutation(spikes)
    np.testing.assert_allclose(np.asarray(decode(decoder, params, shuffled)), expected, rtol=1e-5)


def test_later_spikes_weigh_more_in_the_last_potential_and_less_in_the_mean():
    params = Linear(jnp.ones((1, 1)), jnp.zeros(1))
    early, late = np.eye(6, 1, 0, np.float32), np.eye(6, 1, -5, np.float32)
    assert decode(LastMembrane(), params, late) > decode(LastMembrane(), params, early)
    assert decode(MeanMembrane(), params, late) < decode(MeanMembrane(), params, early)

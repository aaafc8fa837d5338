"""The population readout: one affine map per output, and nothing leaks from one population into another's output."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import LastMembrane, PopulationRate
from spikeloop.errors import InvalidInput
from spikeloop.networks import Linear
from spikeloop.neurons import Integrator

OUT, TICKS = 3, 5


def decode(decoder, params, spikes):
    state = decoder.init_state(params, spikes.shape[1])
    for fired in spikes:
        state = decoder.step(params, state, fired)
    return decoder.read(params, state, len(spikes))


def example(neurons):
    decoder = PopulationRate(neurons)
    params = decoder.init(decoder.population(OUT), OUT, jax.random.key(0))
    spikes = jnp.asarray(np.random.default_rng(1).random((TICKS, OUT * neurons)) < 0.4, jnp.float32)
    return decoder, params, spikes


@pytest.mark.parametrize("neurons", [1, 4, 10])
def test_one_affine_map_per_output(neurons):
    decoder, params, spikes = example(neurons)
    assert decoder.population(OUT) == OUT * neurons
    rates = np.asarray(spikes, float).mean(axis=0)
    weight, bias = np.asarray(params.weight, float), np.asarray(params.bias, float)
    expected = [weight[m] @ rates[m * neurons : (m + 1) * neurons] + bias[m] for m in range(OUT)]
    np.testing.assert_allclose(np.asarray(decode(decoder, params, spikes)), expected, rtol=1e-5, atol=1e-6)


def test_populations_do_not_leak():
    decoder, params, spikes = example(4)
    jacobian = np.asarray(jax.jacobian(lambda s: decode(decoder, params, s))(spikes))  # [output, tick, neuron]
    by_population = jacobian.reshape(OUT, TICKS, OUT, 4)
    for m in range(OUT):
        own = np.tile(np.asarray(params.weight[m]) / TICKS, (TICKS, 1))
        np.testing.assert_allclose(by_population[m, :, m], own, rtol=1e-6)
        assert not np.delete(by_population[m], m, axis=1).any()
    by_params = jax.jacobian(lambda p: decode(decoder, p, spikes))(params)
    assert not any(np.asarray(by_params.weight[m, n]).any() for m in range(OUT) for n in range(OUT) if m != n)


def test_initial_weights_fill_their_interval():
    params = PopulationRate(10).init(20_000, 2000, jax.random.key(0))
    bound = 1.0 / np.sqrt(10.0)
    for values in (params.weight, params.bias):
        assert 0.99 * bound < float(jnp.abs(values).max()) <= bound
        assert float(jnp.std(values)) == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_the_population_must_fit():
    with pytest.raises(InvalidInput, match="3 outputs need a population of 30, not of 256"):
        PopulationRate().init(256, 3, jax.random.key(0))
    with pytest.raises(InvalidInput, match=r"PopulationRate\.neurons_per_output must be a whole number of at least 1"):
        PopulationRate(0)


def test_last_potential_without_a_leak_is_the_charge():
    """Akl et al. 2023, continuous actions: v <- v + o W (+ b here)."""
    spikes = np.asarray([[1, 0], [0, 1], [1, 1], [0, 0]], np.float32)
    params = Linear(jnp.asarray([[0.5, -1.0], [0.25, 2.0]]), jnp.asarray([0.125, 0.0]))
    output = decode(LastMembrane(Integrator()), params, jnp.asarray(spikes))
    np.testing.assert_array_equal(np.asarray(output), spikes.sum(0) @ np.asarray(params.weight) + [0.5, 0.0])

"""The feed-forward stack: by hand, and its symmetries."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.networks import FeedForward, Layer, Linear
from spikeloop.neurons import IntegrateAndFire, LeakyIntegrateAndFire, SoftReset


def run(network, params, inputs, ticks):
    """Spikes of every population at every tick, for a constant input."""
    current = network.drive(params, jnp.asarray(inputs))
    state, record = network.init_state(params), []
    for _ in range(ticks):
        state, spikes = network.step(params, state, current, None)
        record.append(spikes)
    return [np.stack([np.asarray(tick[place]) for tick in record]) for place in range(len(params))]


def test_two_populations_by_hand():
    """Spikes cross both connections within the tick in which they are fired."""
    params = (
        Layer(jnp.asarray([[0.5, 0.25]]), jnp.asarray([0.0, 0.25])),
        Layer(jnp.asarray([[0.5], [-0.25]]), jnp.asarray([0.25])),
    )
    network = FeedForward((2,), IntegrateAndFire(1.0, SoftReset()))
    hidden, output = run(network, params, [1.0], 4)
    # Both hidden neurons get 0.5 a tick and fire at every second one; the output gets 0.25, 0.5, 0.25, 0.5.
    np.testing.assert_array_equal(hidden, [[0, 0], [1, 1], [0, 0], [1, 1]])
    np.testing.assert_array_equal(output, [[0], [0], [1], [0]])


def test_linear_is_x_w_plus_b():
    layer = Linear(jnp.asarray([[1.0, 2.0], [3.0, 4.0]]), jnp.asarray([10.0, 20.0]))
    np.testing.assert_array_equal(np.asarray(layer(jnp.asarray([1.0, -1.0]))), [8.0, 18.0])


def test_initial_weights_fill_their_interval():
    layer = Linear.init(16, 2000, jax.random.key(0))
    for values in (layer.weight, layer.bias):
        assert float(jnp.abs(values).max()) <= 0.25
        assert float(jnp.abs(values).max()) > 0.249  # the interval's ends are reached,
        assert float(jnp.std(values)) == pytest.approx(0.25 / np.sqrt(3), rel=0.05)  # and it is filled evenly


@pytest.mark.parametrize("neuron", [IntegrateAndFire(), LeakyIntegrateAndFire(threshold=0.25)])
def test_order_of_hidden_neurons_does_not_matter(neuron):
    network = FeedForward((6, 4), neuron)
    params = network.init(3, 2, jax.random.key(1))
    # Stronger weights, so that every population fires.
    first, second, third = jax.tree.map(lambda leaf: 2.0 * leaf, params)
    order = np.random.default_rng(2).permutation(6)
    permuted = (
        Layer(first.weight[:, order], first.bias[order]),
        Layer(second.weight[order], second.bias),
        third,
    )
    inputs = [1.0, -0.5, 2.0]
    plain = run(network, (first, second, third), inputs, 12)
    shuffled = run(network, permuted, inputs, 12)
    assert all(0 < spikes.mean() < 1 for spikes in plain)
    np.testing.assert_array_equal(shuffled[0], plain[0][:, order])
    np.testing.assert_array_equal(shuffled[1], plain[1])
    np.testing.assert_array_equal(shuffled[2], plain[2])


def test_sizes_and_shapes():
    network = FeedForward((6, 4))
    assert network.sizes(None) == (6, 4) and network.sizes(2) == (6, 4, 2)
    params = network.init(3, 2, jax.random.key(0))
    assert [layer.weight.shape for layer in params] == [(3, 6), (6, 4), (4, 2)]
    assert [zeros.shape for zeros in network.silence(params)] == [(6,), (4,), (2,)]
    assert not any(zeros.any() for zeros in network.silence(params))


@pytest.mark.parametrize("widths", [(0,), (-1, 4), (4, 0)])
def test_invalid_widths(widths):
    with pytest.raises(InvalidInput, match=r"FeedForward\.widths must be a tuple of positive whole numbers"):
        FeedForward(widths)


def test_without_hidden_populations_there_must_be_an_output_population():
    assert FeedForward(()).sizes(2) == (2,) and len(FeedForward(()).init(3, 2, jax.random.key(0))) == 1
    with pytest.raises(InvalidInput, match=r"^FeedForward\.widths is empty, and the decoder asks for no population"):
        FeedForward(()).init(3, None, jax.random.key(0))

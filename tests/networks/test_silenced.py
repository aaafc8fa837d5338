"""Silenced neurons reach nobody, and nothing else changes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.networks import (
    Circuit,
    DelayedFeedForward,
    FeedForward,
    Fixed,
    FixedProjection,
    Plastic,
    Population,
    Silenced,
    SilencedParams,
    SpikingInputs,
    TrainableProjection,
)
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire, LeakyIntegrateAndFire

IN, OUT, TICKS = 4, 3, 30
RECURRENT = Circuit(
    (Population("in", IN), Population("middle", 6), Population("out", OUT)),
    (
        TrainableProjection("in", "middle", 2, ampa2=40.0),
        FixedProjection("middle", "middle", 2, ampa=20.0),
        TrainableProjection("middle", "out", 3, ampa2=40.0),
    ),
)
# Each with a constant drive that makes it fire.
NETWORKS = {
    "feed-forward": (FeedForward((7,), LeakyIntegrateAndFire()), 3.0),
    "spiking inputs": (SpikingInputs(IN, FeedForward((5,), LeakyIntegrateAndFire())), 1.0),
    "delayed": (DelayedFeedForward((IN, 6), AlphaCurrentLeakyIntegrateAndFire(resolution=0.5)), 900.0),
    "circuit": (RECURRENT, 200.0),
}


@eqx.filter_jit
def spikes_of(network, params, drive):
    """All spikes of some ticks under a constant drive, and the potentials after the last."""
    inputs = jnp.asarray([drive, 0.0, drive, drive]) if drive == 1.0 else jnp.full(IN, drive)
    currents = jnp.broadcast_to(network.drive(params, inputs), (TICKS, *network.drive(params, inputs).shape))
    state, spikes = network.run(params, network.init_state(params), currents)
    return spikes, network.potentials(params, state)


@pytest.fixture(params=NETWORKS)
def made(request):
    network, drive = NETWORKS[request.param]
    params = network.init(IN, OUT, jax.random.key(2))
    if isinstance(network, FeedForward):
        params = jax.tree.map(lambda weights: 3.0 * weights, params)
    return network, params, drive


def silenced(network, params, alive):
    return Silenced(network), SilencedParams(params, Fixed(alive))


def test_all_alive_is_the_network_itself(made):
    network, params, drive = made
    alive = tuple(map(jnp.ones_like, network.silence(params)))
    spikes, potentials = spikes_of(network, params, drive)
    again, their_potentials = spikes_of(*silenced(network, params, alive), drive)
    assert sum(float(fired.sum()) for fired in spikes[:-1]) > 0
    jax.tree.map(np.testing.assert_array_equal, (spikes, potentials), (again, their_potentials))


def test_none_alive_is_silence(made):
    network, params, drive = made
    spikes, _ = spikes_of(*silenced(network, params, network.silence(params)), drive)
    assert not any(fired.any() for fired in spikes)


def test_a_silenced_neuron_is_one_whose_spikes_reach_nobody(made):
    """Upstream nothing changes; downstream it is as if its outgoing weights were zero."""
    network, params, drive = made
    before, _ = spikes_of(network, params, drive)
    busiest = int(before[0].sum(0).argmax())
    alive = list(map(jnp.ones_like, network.silence(params)))
    alive[0] = alive[0].at[busiest].set(0.0)
    after, _ = spikes_of(*silenced(network, params, tuple(alive)), drive)
    expected, _ = spikes_of(network, network.muted(params, tuple(alive)), drive)
    np.testing.assert_array_equal(after[0], before[0] * alive[0][None])
    jax.tree.map(np.testing.assert_array_equal, after[1:], expected[1:])
    assert any((one != other).any() for one, other in zip(before[1:], after[1:], strict=True))


def test_muting_a_connection_zeroes_its_rows():
    network = FeedForward((5,))
    params = network.init(IN, OUT, jax.random.key(0))
    alive = (jnp.asarray([1.0, 0.0, 1.0, 1.0, 0.0]), jnp.ones(OUT))
    (muted,) = network.connections(network.muted(params, alive))
    (whole,) = network.connections(params)
    assert not muted.weights[jnp.asarray([1, 4])].any()
    np.testing.assert_array_equal(muted.weights[0], whole.weights[0])


def test_plasticity_must_be_outside():
    with pytest.raises(InvalidInput, match="inside Plastic"):
        Silenced(Plastic())
    assert Plastic(Silenced(FeedForward((5, 5)))).init(IN, None, jax.random.key(0))

"""Motor groups: spikes per neuron of every action, and draws that nobody always wins."""

import jax
import jax.numpy as jnp
import numpy as np

from spikeloop.decoders import MotorGroups
from spikeloop.environments import Discrete
from spikeloop.interaction import RandomAmongLargest


def test_reads_the_spikes_per_neuron_of_every_group():
    spikes = jnp.asarray([3.0, 1.0, 0.0, 2.0, 4.0, 6.0])
    for decoder, expected in ((MotorGroups(2), [2.0, 1.0, 5.0]), (MotorGroups((1, 3, 2)), [3.0, 1.0, 5.0])):
        assert decoder.population(3) == 6
        np.testing.assert_allclose(np.asarray(decoder.read(None, spikes, 4)), expected)
        means = [np.asarray(spikes)[decoder.membership(3) == action].mean() for action in range(3)]
        np.testing.assert_allclose(means, expected)


def test_draws_are_broken_evenly_and_only_draws():
    keys = jax.random.split(jax.random.key(0), 3000)
    output = jnp.asarray([2.0, 1.0, 2.0])
    chosen = jax.vmap(lambda key: RandomAmongLargest()(output, Discrete(3), jnp.zeros((), jnp.int32), key))(keys)
    share = np.bincount(np.asarray(chosen), minlength=3) / 3000
    assert share[1] == 0.0 and abs(share[0] - 0.5) < 4 * 0.5 / np.sqrt(3000)

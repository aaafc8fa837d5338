"""Counts in which every draw goes to one action: all counts of three neurons up to four, against the rule in words."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import SpikeCountChoice
from spikeloop.environments import Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Greedy

COUNTS = list(itertools.product(range(5), repeat=3))


@pytest.mark.parametrize("otherwise", [0, 1, 2])
def test_strict_majority_or_the_action_of_draws(otherwise):
    decoder = SpikeCountChoice(otherwise)

    def choose(counts):
        return Greedy()(decoder.read(None, counts, 20), Discrete(3), jnp.zeros((), jnp.int32), None)

    actions = np.asarray(jax.vmap(choose)(jnp.asarray(COUNTS, jnp.float32)))
    for counts, action in zip(COUNTS, actions, strict=True):
        winners = [a for a in range(3) if counts[a] == max(counts)]
        assert action == (winners[0] if len(winners) == 1 else otherwise)


def test_left_none_right():
    """Left or right only if it is strictly the largest; silence and every draw are no push."""
    read = SpikeCountChoice().read
    for counts, action in [
        ((3, 2, 2), 0),
        ((1, 0, 2), 2),
        ((2, 0, 2), 1),
        ((0, 0, 0), 1),
        ((2, 2, 0), 1),
        ((0, 3, 3), 1),
    ]:
        assert int(jnp.argmax(read(None, jnp.asarray(counts, jnp.float32), 20))) == action


def test_counts_spikes():
    decoder = SpikeCountChoice()
    state = decoder.init_state(None, 3)
    for spikes in ([1.0, 0.0, 1.0], [1.0, 0.0, 0.0]):
        state = decoder.step(None, state, jnp.asarray(spikes))
    np.testing.assert_array_equal(np.asarray(decoder.read(None, state, 2)), [2.0, 0.0, 1.0])
    assert decoder.population(3) == 3


def test_the_action_of_draws_must_exist():
    with pytest.raises(InvalidInput, match="otherwise is action 2, but the last of the actions is 1"):
        SpikeCountChoice(2).init(2, 2, jax.random.key(0))
    with pytest.raises(InvalidInput, match=r"SpikeCountChoice\.otherwise must be a whole number of at least 0"):
        SpikeCountChoice(-1)

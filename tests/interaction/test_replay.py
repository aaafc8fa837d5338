"""The replay against Python's own ring, and its draws against chance."""

from collections import deque

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Replay

LIKE = {"x": jnp.zeros((), jnp.int32), "y": jnp.zeros(2)}
BATCH = 64


def item(number):
    """An item whose two parts belong together."""
    return {"x": jnp.asarray(number, jnp.int32), "y": jnp.asarray([number, -number], jnp.float32)}


@eqx.filter_jit
def add(replay, state, new):
    return replay.add(state, new)


@eqx.filter_jit
def sample(replay, state, key):
    return replay.sample(state, BATCH, key)


@given(capacity=st.sampled_from([1, 2, 5]), numbers=st.lists(st.integers(0, 99), max_size=14))
def test_ring_holds_what_a_deque_holds(capacity, numbers):
    replay, ring = Replay(capacity), deque(maxlen=capacity)
    state = replay.init(LIKE)
    for number in numbers:
        state = add(replay, state, item(number))
        ring.append(number)
        size = int(replay.size(state))
        assert size == len(ring)
        assert sorted(np.asarray(state.items["x"])[:size].tolist()) == sorted(ring)
    assert int(state.added) == len(numbers)
    if numbers:
        batch = sample(replay, state, jax.random.key(len(numbers)))
        assert set(np.asarray(batch["x"]).tolist()) <= set(ring)
        np.testing.assert_array_equal(np.asarray(batch["y"]), np.stack([batch["x"], -batch["x"]], axis=1))


@pytest.mark.parametrize("added", [3, 8, 11])
def test_every_item_is_drawn_equally_often(added):
    replay = Replay(8)
    state = replay.init(LIKE)
    for number in range(added):
        state = add(replay, state, item(number))
    keys = jax.random.split(jax.random.key(added), 200)
    drawn = np.asarray(jax.vmap(lambda key: sample(replay, state, key)["x"])(keys)).ravel()
    held = range(max(0, added - 8), added)
    counts = np.asarray([np.sum(drawn == number) for number in held])
    assert counts.sum() == drawn.size
    assert stats.chisquare(counts).pvalue > 1e-3


def test_types_and_shapes_of_the_parts_are_kept():
    state = Replay(3).init({"flag": jnp.asarray(True), "obs": jnp.zeros((2, 2), jnp.uint8)})
    assert state.items["flag"].shape == (3,) and state.items["flag"].dtype == bool
    assert state.items["obs"].shape == (3, 2, 2) and state.items["obs"].dtype == jnp.uint8


@pytest.mark.parametrize("capacity", [0, -1])
def test_invalid_capacity(capacity):
    with pytest.raises(InvalidInput, match=r"Replay\.capacity must be a whole number of at least 1"):
        Replay(capacity)

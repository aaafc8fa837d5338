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
def extend(replay, state, new):
    return replay.extend(state, new)


@eqx.filter_jit
def sample(replay, state, key, length=1):
    return replay.sample(state, BATCH, length, key)


def filled(replay, added):
    """The ring after so many items, numbered from zero."""
    state = replay.init(LIKE)
    for number in range(added):
        state = add(replay, state, item(number))
    return state


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
    assert int(state.added) % capacity == len(numbers) % capacity
    if numbers:
        batch = sample(replay, state, jax.random.key(len(numbers)))
        assert batch["x"].shape == (BATCH, 1)
        assert set(np.asarray(batch["x"]).ravel().tolist()) <= set(ring)
        np.testing.assert_array_equal(np.asarray(batch["y"]), np.stack([batch["x"], -batch["x"]], axis=2))


@given(capacity=st.sampled_from([3, 5]), counts=st.lists(st.integers(1, 3), max_size=6))
def test_several_items_at_once_are_as_many_one_by_one(capacity, counts):
    replay = Replay(capacity)
    state, number = replay.init(LIKE), 0
    for count in counts:
        items = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(item(number + n) for n in range(count)))
        state, number = extend(replay, state, items), number + count
    for many, one in zip(jax.tree.leaves(state), jax.tree.leaves(filled(replay, number)), strict=True):
        np.testing.assert_array_equal(np.asarray(many), np.asarray(one))


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("added", [3, 8, 11])
def test_runs_are_consecutive_and_equally_likely(added, length):
    """A run never reaches from the newest item round to the oldest, and each place where it may begin is as likely."""
    replay = Replay(8)
    keys = jax.random.split(jax.random.key(added), 200)
    state = filled(replay, added)
    runs = np.asarray(jax.vmap(lambda key: sample(replay, state, key, length)["x"])(keys)).reshape(-1, length)
    np.testing.assert_array_equal(runs, runs[:, :1] + np.arange(length))
    starts = np.arange(max(0, added - 8), added - length + 1)
    counts = np.asarray([np.sum(runs[:, 0] == start) for start in starts])
    assert counts.sum() == len(runs)
    assert len(starts) == 1 or stats.chisquare(counts).pvalue > 1e-3


def test_types_and_shapes_of_the_parts_are_kept():
    state = Replay(3).init({"flag": jnp.asarray(True), "obs": jnp.zeros((2, 2), jnp.uint8)})
    assert state.items["flag"].shape == (3,) and state.items["flag"].dtype == bool
    assert state.items["obs"].shape == (3, 2, 2) and state.items["obs"].dtype == jnp.uint8


@pytest.mark.parametrize("capacity", [0, -1])
def test_invalid_capacity(capacity):
    with pytest.raises(InvalidInput, match=r"Replay\.capacity must be a whole number of at least 1"):
        Replay(capacity)


def test_the_count_never_overflows_and_the_newest_stay():
    """Whole rounds are left out of the count: the ring is full, and its place and what it holds are those of a long count."""
    replay = Replay(5)
    state = replay.init(jnp.zeros((), jnp.int32))
    for number in range(0, 33, 3):
        state = replay.extend(state, jnp.arange(number, number + 3, dtype=jnp.int32))
        assert int(state.added) < 10 and int(state.added) % 5 == (number + 3) % 5
        kept = set(range(max(0, number + 3 - 5), number + 3))
        assert set(np.asarray(state.items)[: int(replay.size(state))].tolist()) == kept

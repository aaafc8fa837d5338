"""Replay: a ring of past transitions, sampled uniformly with replacement, one by one or in runs.

Sampling with replacement costs one draw an item; without, a permutation of the ring at every update. With a batch of
128 from 10,000 the two differ by less than one repeated item a batch.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from spikeloop.component import Component, require_count


class ReplayState(eqx.Module):
    """The ring: every leaf of an item with a leading axis of `capacity`, and how many items were ever added.

    The count is the true one up to twice the capacity; after that whole rounds of the ring are left out, so that it never
    overflows.
    """

    items: Any
    added: Int[Array, ""]


class Replay(Component):
    """A ring buffer of a fixed capacity."""

    capacity: int = 10_000  # transitions kept; the oldest is overwritten

    def __check_init__(self):
        require_count(self, "capacity")

    def init(self, item: Any) -> ReplayState:
        """An empty ring for items like this one (arrays or shapes)."""
        items = jax.tree.map(lambda leaf: jnp.zeros((self.capacity, *leaf.shape), leaf.dtype), item)
        return ReplayState(items, jnp.zeros((), jnp.int32))

    def add(self, state: ReplayState, item: Any) -> ReplayState:
        """Append one item."""
        position = state.added % self.capacity
        items = jax.tree.map(lambda ring, leaf: ring.at[position].set(leaf), state.items, item)
        return ReplayState(items, self._count(state.added + 1))

    def extend(self, state: ReplayState, items: Any) -> ReplayState:
        """Append several items, stacked along a leading axis; at most as many as the ring holds."""
        count = jax.tree.leaves(items)[0].shape[0]
        positions = (state.added + jnp.arange(count)) % self.capacity
        kept = jax.tree.map(lambda ring, leaf: ring.at[positions].set(leaf), state.items, items)
        return ReplayState(kept, self._count(state.added + count))

    def size(self, state: ReplayState) -> Int[Array, ""]:
        """How many items the ring holds."""
        return jnp.minimum(state.added, self.capacity)

    def sample(self, state: ReplayState, batch_size: int, length: int, key: PRNGKeyArray) -> Any:
        """A batch of runs of consecutive items, every leaf with leading axes [batch_size, length].

        The ring must hold at least `length` items. A run may reach from one episode into the next: who uses it must look at
        the flags of its items.
        """
        size = self.size(state)
        # 32 random bits modulo the number of runs: some are likelier by one part in 2^32 / runs (4e5 for 10,000), and
        # `jax.random.randint`, which draws twice as many bits to avoid it, takes twice the time.
        runs = jnp.maximum(size - length + 1, 1).astype(jnp.uint32)
        first = state.added - size + (jax.random.bits(key, (batch_size,), jnp.uint32) % runs).astype(jnp.int32)
        chosen = (first[:, None] + jnp.arange(length)[None, :]) % self.capacity
        return jax.tree.map(lambda ring: ring[chosen], state.items)

    def _count(self, added):
        return jnp.where(added >= 2 * self.capacity, added - self.capacity, added)

"""Exact whole numbers beyond 32 bits, counted inside a jitted loop.

JAX counts in 32 bits unless a program asks for 64 everywhere: float32 is exact up to 1.7e7 and int32 ends at 2.1e9, and an episode
of a large network has more operations than that. A tally is two int32, n = 2^15 high + low with low < 2^15, so up to 7.0e13.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

BITS = 15
LOW = (1 << BITS) - 1


class Tally(eqx.Module):
    """A whole number of at least 0, of up to 46 bits."""

    high: Int[Array, "*shape"]
    low: Int[Array, "*shape"]  # below 2^15

    @classmethod
    def zero(cls) -> "Tally":
        """Nothing counted yet."""
        return cls(jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    def plus(self, counts: Int[Array, "*counts"]) -> "Tally":
        """The tally with all of these added: up to 32,000 numbers, each of at least 0."""
        low = self.low + jnp.sum(counts & LOW)
        return Tally(self.high + jnp.sum(counts >> BITS) + (low >> BITS), low & LOW)

    def read(self) -> np.ndarray:
        """The number, or numbers after ``vmap``, in 64 bits; on the host."""
        return np.asarray((np.asarray(self.high, np.int64) << BITS) + np.asarray(self.low, np.int64))


def add(tallies: Any, counts: Any) -> Any:
    """A tree of tallies with a tree of counts added, leaf by leaf."""
    return jax.tree.map(lambda tally, new: tally.plus(new), tallies, counts, is_leaf=lambda x: isinstance(x, Tally))

"""Equal individuals of a population, found without comparing each with each: of 8192, that would be most of a generation.

Equal ones are made neighbours by sorting fingerprints of 64 bits, and neighbours are compared gene by gene. So none that
differ are ever taken for equal; an equal one is missed only where one that differs has the same fingerprint.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt32


def first_equal(individuals: Float[Array, "count n"]) -> Int[Array, " count"]:
    """The place of the first that each is equal to: its own, unless there is one before it."""
    places = jnp.arange(individuals.shape[0], dtype=jnp.int32)
    # The sort is stable: of equals, the first stays the first.
    order = jax.lax.sort((*_fingerprints(individuals), places), num_keys=2)[-1]
    ordered = individuals[order]
    new = jnp.any(ordered != jnp.roll(ordered, 1, axis=0), axis=1).at[0].set(True)
    begins = jax.lax.cummax(jnp.where(new, places, 0))
    return jnp.zeros_like(places).at[order].set(order[begins])


def _fingerprints(individuals: Float[Array, "count n"]) -> list[UInt32[Array, " count"]]:
    """Two sums over the genes of their bits, mixed as in MurmurHash3 with constants that are each place's own."""
    genes = jnp.where(individuals == 0.0, 0.0, individuals)  # zero has two signs, which are equal
    bits = jax.lax.bitcast_convert_type(genes, jnp.uint32).reshape(individuals.shape[0], -1)
    sums = []
    for seed in range(2):
        drawn = np.random.default_rng(seed).integers(2**32, size=(2, 1, bits.shape[1]), dtype=np.uint32)
        mixed = (bits ^ jnp.asarray(drawn[0])) * jnp.uint32(0x85EBCA6B)
        mixed = (mixed ^ (mixed >> 13)) * jnp.asarray(drawn[1] | 1)  # an odd factor loses no bit
        sums.append(jnp.sum(mixed ^ (mixed >> 16), axis=1, dtype=jnp.uint32))
    return sums

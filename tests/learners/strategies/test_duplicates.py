"""Equal individuals are found exactly as by comparing each with each."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.learners.strategies._duplicates import _fingerprints, first_equal


def by_comparing_all(individuals):
    """The first place of an equal one; what holds a NaN is equal to nobody, so it stands for itself."""
    same = (individuals[:, None] == individuals[None]).all(axis=-1)
    return np.where(same.any(axis=1), same.argmax(axis=1), np.arange(len(individuals)))


@pytest.mark.parametrize("genes", [1, 2, 7])
@pytest.mark.parametrize("count", [1, 2, 33, 200])
def test_first_equal_is_that_of_all_comparisons(count, genes):
    """Half of them are others again; zeros of both signs (equal), infinities, and NaN (equal to nothing) among the genes."""
    rng = np.random.default_rng(count + genes)
    values = np.asarray([0.0, 1.0, 1.5, -1.0, np.inf, np.nan if count == 200 else 2.0], np.float32)
    individuals = rng.choice(values, (count // 2 + 1, genes))[rng.integers(0, count // 2 + 1, count)]
    individuals *= np.where(individuals == 0.0, rng.choice([-1.0, 1.0], individuals.shape), 1.0).astype(np.float32)
    found = np.asarray(jax.jit(first_equal)(jnp.asarray(individuals)))
    np.testing.assert_array_equal(found, by_comparing_all(individuals))
    assert count < 33 or (found < np.arange(count)).any()


def test_fingerprints_tell_apart_what_differs_in_one_gene_or_in_the_order():
    """No two of 10 000 share one: by chance 5e7 / 2^32 = 0.01 pairs would share half of it, and 3e-12 the whole."""
    one_changed = np.zeros((10_000, 5), np.float32)
    one_changed[np.arange(10_000), np.arange(10_000) % 5] = 1.0 + np.arange(10_000)
    orders = np.argsort(np.random.default_rng(0).random((10_000, 12)), axis=1).astype(np.float32)
    for individuals in (one_changed, orders):
        pairs = np.stack([np.asarray(half) for half in _fingerprints(jnp.asarray(individuals))], axis=1)
        assert len(np.unique(pairs, axis=0)) == len(np.unique(individuals, axis=0)) > 9_900

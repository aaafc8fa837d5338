"""Place cells: who fires where, how often, and that actor and critic can share one grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import BernoulliPlaceCells, PlaceCells, RegularPlaceCells
from spikeloop.errors import InvalidInput
from spikeloop.learners.critics import PlaceCellValue

GRID = {"low": (-1.0, 0.0), "high": (1.0, 4.0), "cells": (3, 5), "width": 0.5}
OBS = jnp.asarray([0.3, 2.6])


def run(encoder, ticks=1000):
    """Mean input of every cell over many ticks."""

    def tick(state, key):
        return encoder.step(None, state, OBS, key)

    keys = jax.random.split(jax.random.key(0), ticks)
    return np.asarray(jax.lax.scan(tick, encoder.init_state(encoder.init(2, jax.random.key(1))), keys)[1])


def by_hand():
    """Gaussians of the distances to all 15 centres, together one."""
    centres = np.asarray([[x, y] for x in np.linspace(-1, 1, 3) for y in np.linspace(0, 4, 5)])
    bumps = np.exp(-0.5 * np.sum(((np.asarray(OBS) - centres) / np.asarray([1.0, 1.0]) / 0.5) ** 2, axis=1))
    return bumps / bumps.sum()


def test_activities_are_normalised_gaussians_on_a_grid_which_the_critic_shares():
    activity = np.asarray(PlaceCells(**GRID, rate=1.0).step(None, None, OBS, None)[1])
    np.testing.assert_allclose(activity, by_hand(), rtol=1e-5)
    np.testing.assert_array_equal(activity, np.asarray(PlaceCellValue(**GRID).features(OBS)))


def test_beyond_the_ends_is_as_at_the_ends():
    cells = PlaceCells(**GRID)
    far, end = (cells.step(None, None, jnp.asarray(obs), None)[1] for obs in ([-9.0, 2.0], [-1.0, 2.0]))
    np.testing.assert_array_equal(np.asarray(far), np.asarray(end))


@pytest.mark.parametrize("rate", [1.0, 8.0])
def test_spikes_are_as_frequent_as_the_activity_asks(rate):
    wanted = np.minimum(rate * by_hand(), 1.0)
    regular, noisy = run(RegularPlaceCells(**GRID, rate=rate)), run(BernoulliPlaceCells(**GRID, rate=rate), 4000)
    assert set(np.unique(regular).tolist()) <= {0.0, 1.0} and set(np.unique(noisy).tolist()) <= {0.0, 1.0}
    np.testing.assert_allclose(regular.sum(axis=0), 1000 * wanted, atol=0.6)  # at most half a spike, and rounding
    np.testing.assert_allclose(noisy.mean(axis=0), wanted, atol=4 * 0.5 / np.sqrt(4000))


def test_mistakes_are_answered_in_one_line():
    with pytest.raises(InvalidInput, match=r"^cells has 2 entries, but an observation has 3 numbers$"):
        RegularPlaceCells(cells=(3, 3)).size(3)
    with pytest.raises(InvalidInput, match=r"^PlaceCells\.cells must be a positive whole number, or a tuple of them"):
        PlaceCells(cells=(3, 0))

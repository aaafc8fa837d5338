"""Bins of equal probability under a normal distribution."""

from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import NormalBins
from spikeloop.errors import InvalidInput

MEAN, DEVIATION = (1.0, -2.0), (0.5, 3.0)
ENCODER = NormalBins(bins=8, mean=MEAN, deviation=DEVIATION, amplitude=50.0)


@pytest.fixture(scope="module")
def encode():
    return jax.jit(jax.vmap(lambda obs: ENCODER.step(None, None, obs, None)[1].reshape(2, 8)))


def test_edges_are_quantiles_and_the_outer_bins_are_open(encode):
    """Just within either end of every bin of either variable, and far out."""
    for variable, (mean, deviation) in enumerate(np.stack([MEAN, DEVIATION], axis=1)):
        normal = NormalDist(float(mean), float(deviation))
        for place in range(8):
            low, high = ((place + share) / 8 for share in (0.01, 0.99))
            ends = [normal.inv_cdf(low), normal.inv_cdf(high)]
            if place == 0:
                ends.append(mean - 100.0 * deviation)
            if place == 7:
                ends.append(mean + 100.0 * deviation)
            obs = np.tile(np.asarray(MEAN, np.float32), (len(ends), 1))
            obs[:, variable] = ends
            driven = np.asarray(encode(jnp.asarray(obs)))[:, variable]
            assert (driven == 50.0 * np.eye(8)[place]).all()


def test_one_input_of_each_variable_is_driven(encode):
    obs = jnp.asarray(np.random.default_rng(0).normal(MEAN, DEVIATION, (64, 2)), jnp.float32)
    assert (np.asarray(encode(obs)).sum(axis=2) == 50.0).all()


def test_bad_input_is_answered_in_one_line():
    with pytest.raises(InvalidInput, match=r"^NormalBins\.deviation must be a positive finite number"):
        NormalBins(deviation=(1.0, 0.0))
    with pytest.raises(InvalidInput, match=r"^mean has 2 entries, but an observation has 3 numbers$"):
        ENCODER.size(3)

"""Direct coding: the observation times a gain."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import Direct
from spikeloop.errors import InvalidInput

OBS = jnp.asarray([0.5, -2.0, 3.0])


def encode(encoder, obs=OBS):
    return np.asarray(encoder.step(None, None, obs, None)[1])


def test_the_observation_itself():
    np.testing.assert_array_equal(encode(Direct()), np.asarray(OBS))
    assert Direct().size(3) == 3 and Direct.constant and not Direct.stochastic


def test_one_gain_for_all_and_one_for_each():
    np.testing.assert_array_equal(encode(Direct(4.0)), [2.0, -8.0, 12.0])
    np.testing.assert_array_equal(encode(Direct((1.0, 2.0, -1.0))), [0.5, -4.0, -3.0])


def test_a_gain_for_each_must_fit_the_observation():
    with pytest.raises(InvalidInput, match="2 entries, but an observation has 3"):
        Direct((1.0, 2.0)).size(3)


@pytest.mark.parametrize("gain", [0.0, math.nan, math.inf, (), (1.0, 0.0), (1.0, math.nan)])
def test_invalid_gain(gain):
    with pytest.raises(InvalidInput, match=r"Direct\.gain must be"):
        Direct(gain)

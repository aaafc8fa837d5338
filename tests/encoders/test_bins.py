"""One-hot bins: exactly one input of each variable is driven, the one in whose bin the variable lies."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.encoders import OneHotBins
from spikeloop.errors import InvalidInput

CAR = OneHotBins(30, low=(-1.2, -0.07), high=(0.6, 0.07))  # Mountain Car: position, velocity
encode = jax.jit(lambda obs: CAR.step(None, None, obs, None)[1])


@given(position=st.floats(-2.0, 1.0), velocity=st.floats(-0.1, 0.1))
def test_one_input_of_each_variable_is_driven(position, velocity):
    inputs = np.asarray(encode(jnp.asarray([position, velocity], jnp.float32))).reshape(2, 30)
    for row, value, low, high in zip(inputs, (position, velocity), (-1.2, -0.07), (0.6, 0.07), strict=True):
        assert sorted(set(row)) == [0.0, 40_000.0] and np.count_nonzero(row) == 1
        place = (value - low) / (high - low) * 30
        if abs(place - round(place)) > 1e-3:  # at the border of two bins, rounding decides
            assert row.argmax() == min(max(math.floor(place), 0), 29)


def test_ends_for_all_variables_and_amplitude():
    inputs = OneHotBins(4, 0.0, 1.0, amplitude=3.0).step(None, None, jnp.asarray([0.3, 5.0]), None)[1]
    np.testing.assert_array_equal(np.asarray(inputs), [0, 3, 0, 0, 0, 0, 0, 3])


def test_size():
    assert CAR.size(2) == 60 and OneHotBins(5).size(4) == 20
    with pytest.raises(InvalidInput, match="low has 2 entries, but an observation has 3 numbers"):
        CAR.size(3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bins": 0}, "bins must be a whole number of at least 1"),
        ({"low": math.inf}, "low must be a finite number or a tuple of them"),
        ({"low": 1.0}, "high must be above low, 1.0, for every variable, got 1.0"),
        ({"high": (2.0, -2.0)}, "high must be above low, -1.0, for every variable"),
        ({"amplitude": math.nan}, "amplitude must be a finite number"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=rf"OneHotBins\.{message}"):
        OneHotBins().with_fields(**fields)

"""Schedules: where they begin, where they end, and no way back."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, ExponentialDecay, LinearDecay


def values(schedule, steps):
    return np.asarray([float(schedule(jnp.asarray(n, jnp.int32))) for n in steps])


def test_constant():
    np.testing.assert_allclose(values(Constant(0.25), [0, 1, 10**9]), 0.25)


@pytest.mark.parametrize(("start", "end"), [(1.0, 0.1), (0.0, 2.0)])
def test_linear_decay(start, end):
    schedule = LinearDecay(start, end, 100.0)
    expected = [start, 0.75 * start + 0.25 * end, end, end, end]
    np.testing.assert_allclose(values(schedule, [0, 25, 100, 101, 10**9]), expected, rtol=1e-6)
    along = values(schedule, range(0, 120, 7)) * np.sign(start - end)
    assert (np.diff(along) <= 0).all() and along[0] > along[-1]


def test_exponential_decay():
    """end + (start - end) e^(-n / scale)."""
    schedule = ExponentialDecay(0.9, 0.05, 200.0)
    steps = [0, 1, 200, 400, 10**6]
    expected = 0.05 + 0.85 * np.exp(-np.asarray(steps) / 200.0)
    np.testing.assert_allclose(values(schedule, steps), expected, rtol=1e-5)
    assert (np.diff(values(schedule, range(0, 2000, 50))) < 0).all()


@pytest.mark.parametrize("cls", [LinearDecay, ExponentialDecay])
@pytest.mark.parametrize("fields", [(math.nan, 0.0, 1.0), (1.0, math.inf, 1.0), (1.0, 0.0, 0.0), (1.0, 0.0, -5.0)])
def test_invalid_fields(cls, fields):
    with pytest.raises(InvalidInput, match=cls.__name__):
        cls(*fields)


def test_invalid_constant():
    with pytest.raises(InvalidInput, match="value must be a finite number"):
        Constant(math.nan)

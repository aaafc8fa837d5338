"""Surrogates: forward the exact step, backward a bump of known area, peak and symmetry."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.neurons import Arctan, FastSigmoid, Gaussian, Rectangular, Sigmoid, Triangular

PARAMETERS = (0.5, 1.0, 2.0, 5.0)
# The surrogate, its area and its peak, for a parameter p; from the closed forms, not from the code.
LAWS = {
    Rectangular: (lambda p: 1.0, lambda p: 1.0 / p),
    Triangular: (lambda p: 1.0, lambda p: math.sqrt(p) / 2.0),
    Sigmoid: (lambda p: 1.0, lambda p: p / 4.0),
    Gaussian: (lambda p: 1.0, lambda p: 1.0 / math.sqrt(2.0 * math.pi * p)),
    Arctan: (lambda p: 1.0, lambda p: p / 2.0),
    FastSigmoid: (lambda p: 2.0 / p, lambda p: 1.0),
}
# The formulae of STBP (Wu et al. 2018, eqs 24-27, corrected), in double precision.
STBP = {
    Rectangular: lambda x, a: (np.abs(x) < a / 2) / a,
    Triangular: lambda x, a: (math.sqrt(a) / 2 - a / 4 * np.abs(x)) * (np.abs(x) < 2 / math.sqrt(a)),
    Sigmoid: lambda x, a: a * np.exp(-x * a) / (1 + np.exp(-x * a)) ** 2,
    Gaussian: lambda x, a: np.exp(-(x**2) / (2 * a)) / np.sqrt(2 * np.pi * a),
}
each = pytest.mark.parametrize("surrogate", [cls(p) for cls in LAWS for p in PARAMETERS], ids=repr)


def parameter(surrogate):
    """The one number of a surrogate."""
    return next(iter(vars(surrogate).values()))


def area(surrogate):
    """Integral over the whole line: x = tan(u) maps it to (-pi/2, pi/2), where the midpoint rule sees every tail."""
    u = (np.arange(400_000) + 0.5) / 400_000 * np.pi - np.pi / 2
    h = np.asarray(surrogate.derivative(jnp.asarray(np.tan(u), jnp.float32)), np.float64)
    return float(np.sum(h / np.cos(u) ** 2) * np.pi / 400_000)


@each
def test_area(surrogate):
    expected = LAWS[type(surrogate)][0](parameter(surrogate))
    assert area(surrogate) == pytest.approx(expected, rel=1e-3)


@each
def test_symmetry_and_peak(surrogate):
    x = jnp.linspace(0.0, 20.0, 2001)
    h = np.asarray(surrogate.derivative(x))
    np.testing.assert_allclose(h, np.asarray(surrogate.derivative(-x)), atol=1e-6)
    assert h[0] == pytest.approx(LAWS[type(surrogate)][1](parameter(surrogate)), rel=1e-6)
    assert (np.diff(h) <= 1e-7).all() and (h >= 0).all()


@pytest.mark.parametrize("cls", STBP)
@pytest.mark.parametrize("a", PARAMETERS)
def test_stbp_formulae(cls, a):
    x = np.linspace(-4.0, 4.0, 333)
    h = np.asarray(cls(a).derivative(jnp.asarray(x, jnp.float32)))
    np.testing.assert_allclose(h, STBP[cls](x, a), atol=2e-6)


@pytest.mark.parametrize("slope", PARAMETERS)
def test_sigmoid_is_exact_to_rounding_and_vanishes_far_away(slope):
    x = np.linspace(-60.0, 60.0, 100_001).astype(np.float32)
    z = np.abs(slope * x.astype(np.float64))
    h = np.asarray(Sigmoid(slope).derivative(jnp.asarray(x)))
    np.testing.assert_allclose(h, slope * np.exp(-z) / (1 + np.exp(-z)) ** 2, rtol=0, atol=2e-7 * slope)
    far = Sigmoid(slope).derivative(jnp.asarray([-3e38, -1e10, 1e10, 3e38, jnp.inf]))
    np.testing.assert_array_equal(np.asarray(far), 0.0)


@each
def test_the_threshold_is_where_zero_was(surrogate):
    v = jnp.linspace(-2.0, 4.0, 25)
    np.testing.assert_array_equal(np.asarray(surrogate(v, 1.5)), np.asarray(surrogate(v - 1.5)))
    slopes = jax.vmap(jax.grad(lambda v, threshold: surrogate(v, threshold), argnums=(0, 1)), (0, None))(v, 1.5)
    bump = np.asarray(surrogate.derivative(v - 1.5))
    np.testing.assert_allclose(np.asarray(slopes[0]), bump, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(slopes[1]), -bump, rtol=1e-6)


@pytest.mark.parametrize("cls", LAWS)
@given(distance=st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_forward_is_the_exact_step(cls, distance):
    assert float(cls()(jnp.float32(distance))) == (1.0 if distance >= 0 else 0.0)


@pytest.mark.parametrize("cls", LAWS)
def test_fires_at_the_threshold_itself(cls):
    spikes = cls()(jnp.asarray([0.0, -0.0, -1e-30, 1e-30]))
    np.testing.assert_array_equal(np.asarray(spikes), [1.0, 1.0, 0.0, 1.0])
    assert spikes.dtype == jnp.float32


@pytest.mark.parametrize("cls", LAWS)
def test_above_does_not_fire_at_the_threshold_itself(cls):
    x = jnp.asarray([0.0, -0.0, -1e-30, 1e-30, 1.0])
    np.testing.assert_array_equal(np.asarray(cls().above(x)), [0.0, 0.0, 0.0, 1.0, 1.0])
    v, threshold = x + 0.25, jnp.full(5, 0.25)
    one, two = (jax.grad(lambda v, fire=fire: jnp.sum(fire(v, threshold)))(v) for fire in (cls(), cls().above))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(two))  # the bump is the same


@each
def test_gradient_is_the_bump(surrogate):
    x = jnp.linspace(-3.0, 3.0, 41)
    bump = np.asarray(surrogate.derivative(x))
    one_by_one = jax.jit(jax.vmap(jax.grad(lambda v: surrogate(v))))(x)
    together = jax.grad(lambda v: jnp.sum(surrogate(v)))(x)
    _, forward = jax.jvp(surrogate, (x,), (jnp.ones_like(x),))
    for gradient in (one_by_one, together, forward):
        np.testing.assert_allclose(np.asarray(gradient), bump, rtol=1e-6)


def test_gradient_is_scaled_by_what_comes_after():
    gradient = jax.grad(lambda v: 3.0 * Sigmoid(4.0)(2.0 * v))(jnp.float32(0.0))
    assert float(gradient) == pytest.approx(3.0 * 2.0 * 1.0)


@pytest.mark.parametrize("cls", LAWS)
def test_sweep_over_a_traced_parameter(cls):
    values = jnp.asarray(PARAMETERS)
    swept = eqx.tree_at(lambda s: parameter(s), cls(), values)
    x = jnp.float32(0.1)

    @jax.jit
    @jax.vmap
    def gradient(surrogate):
        return jax.grad(lambda v: surrogate(v))(x)

    expected = [float(cls(p).derivative(x)) for p in PARAMETERS]
    np.testing.assert_allclose(np.asarray(gradient(swept)), expected, rtol=1e-6)
    assert len(set(expected)) == len(expected)


@pytest.mark.parametrize("cls", LAWS)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_invalid_parameter(cls, value):
    with pytest.raises(InvalidInput, match="positive finite"):
        cls(value)

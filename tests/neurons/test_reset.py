"""Resets: the potential after a spike, and where its gradient runs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.neurons import Detached, HardReset, Sigmoid, SoftReset

V = jnp.asarray([-0.5, 0.25, 0.75, 1.0, 1.5])
THRESHOLD = 0.75
SURROGATE = Sigmoid(4.0)
FIRED = np.asarray([0.0, 0.0, 1.0, 1.0, 1.0])
BUMP = np.asarray(SURROGATE.derivative(V - THRESHOLD))

# Reset, potential afterwards, and d(after)/dv through the spike, from the equations with do/dv = h.
CASES = [
    (HardReset(), np.asarray(V) * (1 - FIRED), 1 - FIRED - np.asarray(V) * BUMP),
    (HardReset(-0.5), np.where(FIRED, -0.5, np.asarray(V)), 1 - FIRED + (-0.5 - np.asarray(V)) * BUMP),
    (SoftReset(), np.asarray(V) - THRESHOLD * FIRED, 1 - THRESHOLD * BUMP),
    (Detached(HardReset()), np.asarray(V) * (1 - FIRED), 1 - FIRED),
    (Detached(HardReset(-0.5)), np.where(FIRED, -0.5, np.asarray(V)), 1 - FIRED),
    (Detached(SoftReset()), np.asarray(V) - THRESHOLD * FIRED, np.ones(5)),
]


@pytest.mark.parametrize(("reset", "after", "slope"), CASES, ids=lambda case: repr(case) if callable(case) else "")
def test_value_and_gradient(reset, after, slope):
    def advance(v):
        return reset(v, SURROGATE(v - THRESHOLD), THRESHOLD)

    np.testing.assert_allclose(np.asarray(advance(V)), after, rtol=1e-6)
    gradient = jax.grad(lambda v: jnp.sum(advance(v)))(V)
    np.testing.assert_allclose(np.asarray(gradient), slope, rtol=1e-5, atol=1e-6)


def test_hard_reset_to_a_traced_value():
    spikes = jnp.asarray(FIRED, jnp.float32)

    def after(value):
        reset = eqx.tree_at(lambda reset: reset.value, HardReset(), value)
        return reset(V, spikes, THRESHOLD)

    swept = jax.jit(jax.vmap(after))(jnp.asarray([0.0, -0.5]))
    np.testing.assert_array_equal(np.asarray(swept), [np.where(FIRED, value, np.asarray(V)) for value in (0.0, -0.5)])
    np.testing.assert_array_equal(np.asarray(jax.jacfwd(after)(jnp.float32(-0.5))), FIRED)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_reset_value_must_be_finite(value):
    with pytest.raises(InvalidInput, match="finite"):
        HardReset(value)

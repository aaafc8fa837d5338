"""What an action does to a weight, and what it cannot do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import Additive, Multiplicative

ACTIONS = np.asarray([-1.0, 0.0, 1.0], np.float32)
weights = st.floats(-1e3, 1e3, width=32)
steps = st.sampled_from([1e-4, 0.01, 0.06, 0.5, 0.99])


def changed(change, weight):
    return np.asarray(change(jnp.full(3, weight, jnp.float32), jnp.asarray(ACTIONS)))


@given(weights, steps)
def test_additive_change_is_exactly_alpha(weight, step):
    """Whatever the weight: to the last bit of a sum in float32."""
    expected = np.float32(weight) + np.float32(step) * ACTIONS
    np.testing.assert_array_equal(changed(Additive(step), weight), expected)
    np.testing.assert_array_equal(changed(Additive(step), 0.0), np.float32(step) * ACTIONS)


@given(weights.filter(lambda weight: abs(weight) > 1e-30), steps)
def test_multiplicative_change_is_a_share_of_the_weight(weight, step):
    after = changed(Multiplicative(step), weight)
    np.testing.assert_allclose(after, np.float32(weight) * (1.0 + step * ACTIONS), rtol=1e-5)
    assert (np.sign(after) == np.sign(weight)).all() and after[1] == np.float32(weight)
    assert abs(after[0]) < abs(after[1]) < abs(after[2])  # action 1 strengthens, of whatever sign


def test_multiplicative_never_flips_a_sign_and_keeps_zero():
    """10,000 weakenings at the largest steps there are."""
    change = Multiplicative(0.99)
    start = jnp.asarray([-3.0, 0.0, 1e-3])

    def weaken(weight, _):
        return change(weight, -jnp.ones(3)), None

    after = np.asarray(jax.jit(lambda w: jax.lax.scan(weaken, w, length=10_000)[0])(start))
    assert after[0] <= 0.0 and after[1] == 0.0 and after[2] >= 0.0
    assert (changed(Multiplicative(0.5), 0.0) == 0.0).all()


@pytest.mark.parametrize(
    ("cls", "step"),
    [(Multiplicative, 1.0), (Multiplicative, 1.5), (Multiplicative, 0.0), (Additive, 0.0), (Additive, -0.01)],
)
def test_steps_that_make_no_sense_are_refused(cls, step):
    with pytest.raises(InvalidInput, match=rf"^{cls.__name__}\.step must be"):
        cls(step)

"""Temporal differences by hand, and losses against Optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.objectives import DoubleBootstrap, Huber, MaxBootstrap, SquaredError, n_step_return, q_learning_error

Q_TM1 = jnp.asarray([1.0, 2.0, -3.0])
ERRORS = jnp.asarray([-7.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])


def error(q_tm1=Q_TM1, action=1, reward=3.0, discount=0.5, value=4.0):
    return q_learning_error(q_tm1, jnp.asarray(action), jnp.asarray(reward), jnp.asarray(discount), jnp.asarray(value))


def test_error_by_hand():
    assert float(error()) == 3.0 + 0.5 * 4.0 - 2.0
    assert float(error(action=2)) == 3.0 + 0.5 * 4.0 + 3.0
    assert float(error(discount=0.0)) == 3.0 - 2.0  # a task that ended has no value left


def test_gradient_runs_through_the_value_of_the_action_taken_alone():
    gradient = jax.grad(lambda q: error(q))(Q_TM1)
    np.testing.assert_array_equal(np.asarray(gradient), [0.0, -1.0, 0.0])

    def of_target(reward, discount, value):
        return q_learning_error(Q_TM1, jnp.asarray(1), reward, discount, value)

    target = jax.grad(of_target, argnums=(0, 1, 2))(jnp.asarray(3.0), jnp.asarray(0.5), jnp.asarray(4.0))
    assert [float(part) for part in target] == [0.0, 0.0, 0.0]


def test_max_bootstrap_never_asks_the_online_network():
    def refuse():
        raise AssertionError("the online network was asked")

    assert float(MaxBootstrap()(jnp.asarray([1.0, 5.0, 2.0]), refuse)) == 5.0


def test_double_bootstrap_lets_the_online_network_choose():
    assert float(DoubleBootstrap()(jnp.asarray([1.0, 5.0, 2.0]), lambda: jnp.asarray([0.0, 1.0, 9.0]))) == 2.0


@given(st.lists(st.floats(-10, 10, width=32), min_size=3, max_size=3))
def test_double_bootstrap_never_exceeds_the_maximum(online):
    q_t = jnp.asarray([1.0, 5.0, 2.0])
    value = float(DoubleBootstrap()(q_t, lambda: jnp.asarray(online, jnp.float32)))
    assert value in (1.0, 5.0, 2.0) and value <= float(MaxBootstrap()(q_t, lambda: q_t))


@given(
    steps=st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["on", "on", "end", "cut"])), min_size=4, max_size=4),
    discount=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)
def test_n_step_return_equals_a_plain_loop(steps, discount):
    """Rewards are summed to the end of the episode; the value after it counts unless the task itself ended."""
    rewards, fates = zip(*steps, strict=True)
    total, weight, last = 0.0, 1.0, 0
    for place, (reward, fate) in enumerate(steps):
        total, weight, last = total + weight * reward, weight * discount, place
        if fate != "on":
            weight = 0.0 if fate == "end" else weight
            break
    found = n_step_return(
        jnp.asarray(rewards, jnp.float32),
        jnp.asarray([fate == "end" for fate in fates]),
        jnp.asarray([fate == "cut" for fate in fates]),
        discount,
    )
    assert float(found.reward) == pytest.approx(total, abs=1e-5)
    assert float(found.discount) == pytest.approx(weight, abs=1e-6)
    assert int(found.last) == last


@pytest.mark.parametrize("delta", [0.5, 1.0, 4.0])
def test_huber_equals_optax_and_its_gradient_is_a_clipped_error(delta):
    np.testing.assert_allclose(
        np.asarray(Huber(delta)(ERRORS)), np.asarray(optax.losses.huber_loss(ERRORS, delta=delta)), rtol=1e-6
    )
    gradient = jax.grad(lambda e: jnp.sum(Huber(delta)(e)))(ERRORS)
    inside = jnp.abs(ERRORS) != delta  # at the joint itself autodiff may take either side's subgradient
    np.testing.assert_allclose(
        np.asarray(jnp.where(inside, gradient, 0.0)),
        np.asarray(jnp.where(inside, jnp.clip(ERRORS, -delta, delta), 0.0)),
    )


def test_gradient_of_huber_at_zero_and_at_the_joint():
    gradient = jax.vmap(jax.grad(Huber(1.0)))(jnp.asarray([0.0, 1.0, -1.0]))
    np.testing.assert_allclose(np.asarray(gradient), [0.0, 1.0, -1.0])


def test_squared_error():
    np.testing.assert_allclose(np.asarray(SquaredError()(ERRORS)), np.asarray(ERRORS) ** 2)


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan"), float("inf")])
def test_invalid_delta(delta):
    with pytest.raises(InvalidInput, match=r"Huber\.delta"):
        Huber(delta)

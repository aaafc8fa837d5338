"""What an action is judged by, against a loop over its definition; and who acts when."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import AllAtOnce, Deed, InTurn, MonteCarlo, SingleStep

ACTING, SYNAPSES, WIDTH, ITERATIONS = 2, 5, 3, 12
DRAWN = np.random.default_rng(0)
STATES = DRAWN.normal(size=(ITERATIONS, ACTING, WIDTH)).astype(np.float32)
ACTIONS = DRAWN.integers(-1, 2, size=(ITERATIONS, ACTING)).astype(np.int32)
WHO = np.stack([DRAWN.permutation(SYNAPSES)[:ACTING] for _ in range(ITERATIONS)]).astype(np.int32)
REWARDS = DRAWN.normal(size=ITERATIONS).astype(np.float32)
AFTER = DRAWN.normal(size=(ITERATIONS, SYNAPSES, WIDTH)).astype(np.float32)


def deed(t):
    return Deed(jnp.asarray(STATES[t]), jnp.asarray(ACTIONS[t]), jnp.asarray(WHO[t]))


def judged(returns, discount):
    """What is given out at every iteration."""
    memory, found = returns.init(deed(0)), []
    for t in range(ITERATIONS):
        memory, given = returns.step(memory, deed(t), jnp.asarray(REWARDS[t]), jnp.asarray(AFTER[t]), discount)
        found.append(given)
    return found


@pytest.mark.parametrize("horizon", [1, 2, 5, ITERATIONS])
@pytest.mark.parametrize("discount", [0.0, 0.8, 1.0])
def test_monte_carlo_is_the_discounted_sum_of_what_followed(horizon, discount):
    """At iteration t the deed of t - horizon + 1 is judged by its own reward and those after; none before its time."""
    for t, given in enumerate(judged(MonteCarlo(horizon), discount)):
        begun = t - horizon + 1
        assert bool(given.ready) == (begun >= 0)
        if begun >= 0:
            expected = sum(discount**k * float(REWARDS[begun + k]) for k in range(horizon))
            np.testing.assert_array_equal(np.asarray(given.experience.states), STATES[begun])
            np.testing.assert_array_equal(np.asarray(given.experience.actions), ACTIONS[begun])
            np.testing.assert_allclose(np.asarray(given.experience.rewards), [expected] * ACTING, rtol=1e-5, atol=1e-6)
            assert float(given.experience.discount) == 0.0  # nothing is added to the sum


def test_single_step_is_the_reward_and_the_state_of_the_same_synapses_afterwards():
    for t, given in enumerate(judged(SingleStep(), 0.7)):
        assert bool(given.ready)
        np.testing.assert_array_equal(np.asarray(given.experience.states), STATES[t])
        np.testing.assert_array_equal(np.asarray(given.experience.actions), ACTIONS[t])
        np.testing.assert_array_equal(np.asarray(given.experience.rewards), [REWARDS[t]] * ACTING)
        np.testing.assert_array_equal(np.asarray(given.experience.next_states), AFTER[t, WHO[t]])
        assert float(given.experience.discount) == pytest.approx(0.7)


@pytest.mark.parametrize(("group", "synapses"), [(1, 5), (2, 6), (3, 7), (7, 7), (9, 4)])
def test_in_turn_everyone_acts_equally_often_and_in_order(group, synapses):
    """Over as many iterations as there are synapses each acts `group` times; a round of `synapses` actions has each once."""
    turn = jax.jit(lambda iteration: InTurn(group)(synapses, iteration))
    acting = [np.asarray(turn(jnp.asarray(t, jnp.int32))) for t in range(synapses)]
    size = min(group, synapses)
    assert {len(who) for who in acting} == {size} and all(len(set(who.tolist())) == size for who in acting)
    order = np.concatenate(acting)
    np.testing.assert_array_equal(order, np.tile(np.arange(synapses), size))


def test_all_at_once_is_everyone_every_time():
    for t in (0, 1, 17):
        np.testing.assert_array_equal(np.asarray(AllAtOnce()(6, jnp.asarray(t, jnp.int32))), np.arange(6))


@pytest.mark.parametrize(("cls", "value"), [(MonteCarlo, 0), (InTurn, 0), (InTurn, -1)])
def test_invalid_fields(cls, value):
    with pytest.raises(InvalidInput, match=rf"^{cls.__name__}\.(horizon|group) must be a whole number"):
        cls(value)

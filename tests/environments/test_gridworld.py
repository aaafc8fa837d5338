"""The slipping gridworld: its best return by value iteration, its slips by counting, its walls and its time limit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.environments import Gridworld, GridworldState
from spikeloop.errors import InvalidInput

MOVES = {0: (-1, 0), 1: (1, 0), 2: (0, -1), 3: (0, 1)}  # up, down, left, right
LEFT_OF, RIGHT_OF = {0: 2, 1: 3, 2: 1, 3: 0}, {0: 3, 1: 2, 2: 0, 3: 1}


@pytest.fixture(scope="module")
def steps():
    """step(places, action, key) of many worlds at once."""
    world = Gridworld()

    def step(place, action, key):
        state, step = world.step(GridworldState(place, jnp.zeros((), jnp.int32)), action, key)
        return state.place, step

    return jax.jit(jax.vmap(step))


def transitions(side):
    """P[action, cell, cell] from the definition, walls included."""
    table = np.zeros((4, side * side, side * side))
    for action in MOVES:
        for cell in range(side * side):
            row, column = divmod(cell, side)
            table[action, cell, cell] += 0.1
            for move, p in ((action, 0.8), (LEFT_OF[action], 0.05), (RIGHT_OF[action], 0.05)):
                r = min(max(row + MOVES[move][0], 0), side - 1)
                c = min(max(column + MOVES[move][1], 0), side - 1)
                table[action, cell, r * side + c] += p
    return table


def test_value_iteration_gives_the_best_return():
    table, values = transitions(10), np.zeros(100)
    reward = np.zeros(100)
    reward[99] = 10.0
    for _ in range(300):
        values = np.max(table @ (reward + 0.9 * np.where(np.arange(100) == 99, 0.0, values)), axis=0)
    assert values[0] == pytest.approx(1.121, abs=5e-4)


def test_moves_and_slips_are_as_often_as_they_should_be(steps):
    """From a corner, the middle and a wall, every action: the cells reached, against the table."""
    table, n = transitions(10), 4000
    for place in ((0, 0), (4, 5), (9, 3)):
        for action in MOVES:
            keys = jax.random.split(jax.random.key(10 * place[1] + action), n)
            places, step = steps(jnp.broadcast_to(jnp.asarray(place), (n, 2)), jnp.full(n, action), keys)
            np.testing.assert_array_equal(np.asarray(step.obs), np.asarray(places))
            share = np.bincount(np.asarray(places) @ [10, 1], minlength=100) / n
            p = table[action, 10 * place[0] + place[1]]
            assert (np.abs(share - p) <= 4.5 * np.sqrt(p * (1 - p) / n)).all()


def test_the_goal_ends_it_and_pays_and_the_time_limit_is_not_the_end():
    world = Gridworld(side=2, ahead=1.0, left=0.0, right=0.0, max_steps=2)
    state, obs = world.reset(jax.random.key(0))
    assert obs.tolist() == [0.0, 0.0]
    for action in (0, 2):
        state, step = world.step(state, jnp.asarray(action), jax.random.key(1))
        assert not step.terminated and step.reward == 0.0 and state.place.tolist() == [0, 0]
    assert step.truncated
    state, _ = world.reset(jax.random.key(0))
    for action in (3, 1):
        state, step = world.step(state, jnp.asarray(action), jax.random.key(1))
    assert step.terminated and not step.truncated and step.reward == 10.0


def test_chances_that_exceed_one_are_refused():
    with pytest.raises(
        InvalidInput, match=r"^Gridworld\.right must be at most what ahead and left leave, 0\.15, got 0\.3"
    ):
        Gridworld(right=0.3)
    with pytest.raises(InvalidInput, match=r"^Gridworld\.side must be a whole number of at least 2"):
        Gridworld(side=1)

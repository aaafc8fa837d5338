"""The maze of pictures: ways, walls, codes and the end of an episode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.environments import ImageMaze, ImageMazeState, RandomCodes
from spikeloop.errors import InvalidInput

MAZE = ImageMaze()
ROWS = COLUMNS = 10


@pytest.fixture(scope="module")
def steps():
    """What every action brings from every cell: places [row, column, action, 2], and the Step."""

    def one(row, column, action):
        state = ImageMazeState(jnp.stack([row, column]), jnp.zeros((), jnp.int32))
        state, step = MAZE.step(state, action, jax.random.key(0))
        return state.place, step

    grid = jnp.meshgrid(*(jnp.arange(n, dtype=jnp.int32) for n in (ROWS, COLUMNS, 9)), indexing="ij")
    place, step = jax.jit(jax.vmap(jax.vmap(jax.vmap(one))))(*grid)
    return np.asarray(place), step


def test_the_distances_are_the_values_of_the_worlds_own_steps(steps):
    """Value iteration through `step` finds what breadth-first search finds on the plan."""
    place, _ = steps
    walls, target, starts = MAZE.plan()
    value = np.full((ROWS, COLUMNS), np.inf)
    value[target] = 0.0
    for _ in range(ROWS * COLUMNS):
        best = 1.0 + value[place[..., 0], place[..., 1]].min(axis=2)
        value = np.where(np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) == target[0] * COLUMNS + target[1], 0.0, best)
    np.testing.assert_array_equal(value[~walls], MAZE.distances()[~walls])
    assert np.isinf(MAZE.distances()[walls]).all()
    assert sorted(MAZE.distances()[tuple(start)] for start in starts) == [5, 5, 10, 10]  # round the wall, or not


def test_a_wall_blocks_the_whole_move_and_the_edge_only_its_axis(steps):
    place, _ = steps
    walls = MAZE.plan().walls
    for row, column, action in np.ndindex(ROWS, COLUMNS, 9):
        if walls[row, column]:
            continue
        down, right = action // 3 - 1, action % 3 - 1
        goal = (min(max(row + down, 0), ROWS - 1), min(max(column + right, 0), COLUMNS - 1))
        assert tuple(place[row, column, action]) == ((row, column) if walls[goal] else goal)
    assert tuple(place[3, 3, 0]) == (3, 3)  # into the corner of the wall: it does not slide along it
    assert tuple(place[0, 5, 2]) == (0, 6)  # into the edge: it does


def test_reward_and_end_are_at_the_target_alone(steps):
    place, step = steps
    there = (place == np.asarray(MAZE.plan().target)).all(axis=-1)
    np.testing.assert_array_equal(np.asarray(step.reward), there.astype(np.float32))
    np.testing.assert_array_equal(np.asarray(step.terminated), there)
    assert not np.asarray(step.truncated).any()


def test_what_is_seen_is_the_code_of_the_cell_and_every_cell_has_its_own(steps):
    place, step = steps
    np.testing.assert_array_equal(np.asarray(step.obs), MAZE.codes()[place[..., 0], place[..., 1]])
    codes = MAZE.codes().reshape(-1, 128)
    assert set(np.unique(codes)) == {0.0, 1.0} and len(np.unique(codes, axis=0)) == 100
    assert abs(codes.mean() - 0.5) < 5 * 0.5 / np.sqrt(codes.size)
    assert (ImageMaze(code=RandomCodes(seed=1)).codes() != MAZE.codes()).any()
    # What is kept under results/ was learned from these.
    drawn = np.random.default_rng(0).integers(0, 2, (ROWS, COLUMNS, 128))
    np.testing.assert_array_equal(MAZE.codes(), drawn.astype(np.float32))


def test_episodes_begin_in_any_corner_and_the_time_limit_is_not_the_target():
    key = jax.random.key(0)
    state, obs = jax.jit(jax.vmap(MAZE.reset))(jax.random.split(key, 200))
    corners, counts = np.unique(np.asarray(state.place), axis=0, return_counts=True)
    np.testing.assert_array_equal(corners, [[0, 0], [0, 9], [9, 0], [9, 9]])
    assert (counts > 25).all()
    np.testing.assert_array_equal(obs[0], MAZE.codes()[tuple(np.asarray(state.place[0]))])
    late = ImageMazeState(state.place[0], jnp.asarray(99, jnp.int32))
    _, step = MAZE.step(late, jnp.asarray(4, jnp.int32), key)
    assert bool(step.truncated) and not bool(step.terminated)
    arriving = ImageMazeState(jnp.asarray([4, 5], jnp.int32), jnp.asarray(99, jnp.int32))
    _, step = MAZE.step(arriving, jnp.asarray(3, jnp.int32), key)
    assert bool(step.terminated) and not bool(step.truncated)


@pytest.mark.parametrize("layout", [(), ("S.", "T"), ("S.",), ("ST", "TS"), ("T.",), ("SxT",)])
def test_a_layout_that_is_none_is_refused_in_one_line(layout):
    with pytest.raises(InvalidInput, match=r"ImageMaze\.layout must be rows of one length") as caught:
        ImageMaze(layout)
    assert "\n" not in str(caught.value)

"""A maze whose cells each show a picture of their own (Chevtchenko & Ludermir 2021, maze 4 of their public code).

10 x 10 cells. The target stands behind a wall with three sides; an episode begins in one of the four corners:

    S........S
    ..........
    ..#####...
    ..#.......
    ..#.T.....
    ..#.......
    ..#.......
    ..#####...
    ..........
    S........S

A move is one of {-1, 0, 1} along each of the two axes, diagonals included. What would leave the grid along an axis is cut off
along that axis alone; a move that would end in a wall does not happen at all. Reaching the target brings a reward of 1 and ends
the episode, everything else brings 0; after 100 steps it is truncated.

What is seen is not the place but a code of the picture that hangs there. The field `code` says where codes come from: by default
128 bits are drawn at random for every cell; `spikeloop.papers.chevtchenko2021.BinaryNetworkCodes` are made of pictures, by a binary
convolutional network as in the paper. Either way a cell has the same code at every visit, made once and never at a step.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Int32

from spikeloop.component import require, require_count
from spikeloop.environments._base import AbstractEnvironment, Discrete, Spec, Step
from spikeloop.environments.codes import AbstractCodes, RandomCodes

LAYOUT = (
    "S........S",
    "..........",
    "..#####...",
    "..#.......",
    "..#.T.....",
    "..#.......",
    "..#.......",
    "..#####...",
    "..........",
    "S........S",
)


class ImageMazeState(eqx.Module):
    """Where the agent stands, as row and column, and the steps taken in this episode."""

    place: Int32[Array, "2"]
    steps: Int32[Array, ""]


class ImageMaze(AbstractEnvironment):
    """A maze seen cell by cell: every cell shows a fixed code, and reaching the target brings a reward of 1.

    Action ``3 i + j`` moves by ``i - 1`` rows and ``j - 1`` columns. The observation holds the bits of the cell's code, 0 or 1.
    """

    layout: tuple[str, ...] = (
        LAYOUT  # rows of cells: # a wall, T the target, S a cell that an episode may begin in, . free
    )
    max_steps: int = 100  # steps after which an episode is truncated
    code: AbstractCodes = RandomCodes()  # what the cells show

    def __check_init__(self):
        rule = "rows of one length, of the characters #.ST, with one T and at least one S"
        require(self, "layout", _is_layout, rule)
        require_count(self, "max_steps")

    @property
    def spec(self):
        return Spec("ImageMaze", (self.code.bits,), Discrete(9), self.max_steps)

    def codes(self) -> Float[np.ndarray, "rows columns bits"]:
        """The code of every cell, 0.0 or 1.0."""
        return _codes(self.code, len(self.layout), len(self.layout[0]))

    def plan(self) -> "Plan":
        """Walls, target and starts as arrays."""
        return _plan(self.layout)

    def distances(self) -> Float[np.ndarray, "rows columns"]:
        """Fewest steps from every cell to the target; infinity for a wall and where there is no way."""
        walls, target, _ = self.plan()
        found = np.full(walls.shape, np.inf)
        found[target] = 0.0
        edge = [target]
        while edge:
            here = edge.pop(0)
            for there in _neighbours(here, walls):
                if found[there] == np.inf:
                    found[there] = found[here] + 1
                    edge.append(there)
        return found

    def reset(self, key):
        starts = jnp.asarray(self.plan().starts, jnp.int32)
        place = starts[jax.random.randint(key, (), 0, len(starts))]
        return ImageMazeState(place, jnp.zeros((), jnp.int32)), self._see(place)

    def step(self, state, action, key):
        walls, target, _ = self.plan()
        move = jnp.stack([action // 3, action % 3]).astype(jnp.int32) - 1
        moved = jnp.clip(state.place + move, 0, jnp.asarray(walls.shape, jnp.int32) - 1)
        place = jnp.where(jnp.asarray(walls)[moved[0], moved[1]], state.place, moved)
        steps = state.steps + 1
        arrived = jnp.all(place == jnp.asarray(target, jnp.int32))
        step = Step(
            obs=self._see(place),
            reward=arrived.astype(jnp.float32),
            terminated=arrived,
            truncated=~arrived & (steps >= self.max_steps),
        )
        return ImageMazeState(place, steps), step

    def _see(self, place: Int32[Array, "2"]) -> Float[Array, " bits"]:
        return jnp.asarray(self.codes())[place[0], place[1]]


class Plan(NamedTuple):
    """A layout as arrays."""

    walls: Bool[np.ndarray, "rows columns"]
    target: tuple[int, int]
    starts: Int[np.ndarray, "starts 2"]


@functools.lru_cache(maxsize=16)
def _plan(layout: tuple[str, ...]) -> Plan:
    cells = np.array([list(row) for row in layout])
    row, column = np.argwhere(cells == "T")[0].tolist()
    return Plan(cells == "#", (row, column), np.argwhere(cells == "S"))


@functools.lru_cache(maxsize=16)
def _codes(code: AbstractCodes, rows: int, columns: int) -> Float[np.ndarray, "rows columns bits"]:
    return code(rows, columns)


def _is_layout(layout) -> bool:
    text = "".join(layout)
    same = len({len(row) for row in layout}) == 1
    return same and set(text) <= set("#.ST") and text.count("T") == 1 and text.count("S") >= 1


def _neighbours(here: tuple[int, int], walls: Bool[np.ndarray, "rows columns"]) -> Iterator[tuple[int, int]]:
    for row in range(here[0] - 1, here[0] + 2):
        for column in range(here[1] - 1, here[1] + 2):
            if 0 <= row < walls.shape[0] and 0 <= column < walls.shape[1] and not walls[row, column]:
                yield row, column

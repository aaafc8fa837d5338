"""A square gridworld whose moves slip: the first task of Aenugu 2020 (arXiv:2005.05941), and of its companion's code.

    chosen direction d:   moves to d with probability 0.8, to the left of d with 0.05, to the right with 0.05, else stays

Starts in one corner, ends in the opposite one, which pays 10; every other step pays nothing. A move against the wall stays.
With gamma = 0.9 the best policy's expected discounted return on 10 x 10 cells is 1.121 (value iteration, in the tests).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import require, require_between, require_count, require_finite
from spikeloop.environments._base import AbstractEnvironment, Discrete, Spec, Step

# Rows and columns that a move adds, by direction, clockwise; and the direction of each action.
_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
_DIRECTIONS = (0, 2, 3, 1)  # up, down, left, right


class GridworldState(eqx.Module):
    """Row and column from the upper left corner, and the steps taken in this episode."""

    place: Int[Array, "2"]
    steps: Int[Array, ""]


class Gridworld(AbstractEnvironment):
    """Cells in a square, from the upper left corner to the lower right one, with slips. Sees (row, column), from 0.

    Actions are up, down, left and right.
    """

    side: int = 10  # cells along each side
    ahead: float = 0.8  # probability that a move goes where it should
    left: float = 0.05  # that it veers to the left of that
    right: float = 0.05  # and to the right; otherwise it stays where it is
    reward: float = 10.0  # at the goal
    max_steps: int = 300  # steps after which an episode is truncated

    def __check_init__(self):
        require_count(self, "side", least=2)
        require_count(self, "max_steps")
        require_between(self, 0.0, 1.0, "ahead", "left", "right")
        require_finite(self, "reward")
        most = 1.0 - self.ahead - self.left
        require(self, "right", lambda right: right <= most + 1e-6, f"at most what ahead and left leave, {most:g}")

    @property
    def spec(self):
        return Spec("Gridworld", (2,), Discrete(len(_MOVES)), self.max_steps)

    def reset(self, key):
        state = GridworldState(jnp.zeros(2, jnp.int32), jnp.zeros((), jnp.int32))
        return state, self._see(state)

    def step(self, state, action, key):
        u = jax.random.uniform(key)
        turn = jnp.where(u < self.ahead, 0, jnp.where(u < self.ahead + self.left, -1, 1))
        moves = u < self.ahead + self.left + self.right
        direction = (jnp.asarray(_DIRECTIONS)[action] + turn) % len(_MOVES)
        move = jnp.where(moves, jnp.asarray(_MOVES)[direction], 0)
        state = GridworldState(jnp.clip(state.place + move, 0, self.side - 1), state.steps + 1)
        arrived = jnp.all(state.place == self.side - 1)
        return state, Step(
            obs=self._see(state),
            reward=jnp.where(arrived, jnp.asarray(self.reward, jnp.float32), 0.0),
            terminated=arrived,
            truncated=~arrived & (state.steps >= self.max_steps),
        )

    def _see(self, state) -> Float[Array, "2"]:
        return state.place.astype(jnp.float32)

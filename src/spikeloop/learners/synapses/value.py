"""What a synapse expects of each of its three actions: Q(state, action), one function shared by all synapses.

A value function is told of experiences: that a synapse in some state took some action, was rewarded, and what came
next. It moves its estimates towards

    target = reward + discount max_a Q(next state, a)

where the discount is 0 if what came next does not matter or is already in the reward.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.component import Component, require_between, require_count
from spikeloop.errors import InvalidInput

ACTIONS = (-1, 0, 1)  # weaken, leave, strengthen: the places of an action's value in Q


class Experience(eqx.Module):
    """What a number of synapses lived through."""

    states: Float[Array, "n width"]
    actions: Int[Array, " n"]  # -1, 0 or 1
    rewards: Float[Array, " n"]
    next_states: Float[Array, "n width"]
    discount: Float[Array, ""]  # weight of the next state's value


class AbstractValue(Component):
    """A value function and how it learns."""

    @abc.abstractmethod
    def init(self, width: int, synapses: int, key: PRNGKeyArray) -> Any:
        """What it knows before the first experience. Raises InvalidInput if it cannot serve so many numbers or synapses."""

    @abc.abstractmethod
    def __call__(self, learned: Any, state: Float[Array, " width"]) -> Float[Array, "3"]:
        """The values of the three actions, for one synapse."""

    @abc.abstractmethod
    def learn(self, learned: Any, experience: Experience, key: PRNGKeyArray) -> Any:
        """What it knows after an experience."""

    def lessons(self, learned: Any) -> dict[str, Array]:
        """What it has learned, by name: kept beside the policy when training ends."""
        return {}


class FollowCredit(AbstractValue):
    """Q(s, a) = a s_1: nothing is learned, a synapse goes where the first number of its state points. Ours; a control."""

    def init(self, width, synapses, key):
        return None

    def __call__(self, learned, state):
        return jnp.asarray(ACTIONS, state.dtype) * state[0]

    def learn(self, learned, experience, key):
        return learned


class Table(AbstractValue):
    """A table: every number of the state cut into equal intervals of [-1, 1], one value per cell and action.

    Q(s, a) moves by `rate` towards the mean target of all synapses that were in cell s and did a (Bhargava et al. 2022
    update synapse by synapse; the mean does not hang on their order).
    """

    bins: int = 3  # intervals per number of the state; with 3, actions and signs keep their three values
    rate: float = 0.1  # of learning (alpha_q)

    def __check_init__(self):
        require_count(self, "bins")
        require_between(self, 0.0, 1.0, "rate")

    def init(self, width, synapses, key):
        cells = self.bins**width
        if cells > LARGEST_TABLE:
            raise InvalidInput(
                f"a table with {self.bins} bins for each of the state's {width} numbers has {self.bins}^{width} cells, more "
                f"than {LARGEST_TABLE:,}; use fewer bins or senses, or QNetwork()"
            )
        return jnp.zeros((cells, len(ACTIONS)))

    def __call__(self, learned, state):
        return learned[cell(state, self.bins)]

    def learn(self, learned, experience, key):
        where = jax.vmap(lambda state: cell(state, self.bins))(experience.states)
        next_values = learned[jax.vmap(lambda state: cell(state, self.bins))(experience.next_states)]
        target = experience.rewards + experience.discount * jnp.max(next_values, axis=-1)
        # One sum over synapses for both the targets and the visits.
        told = jnp.stack([target, jnp.ones_like(target)], axis=-1)
        total, visits = jnp.moveaxis(jnp.zeros((*learned.shape, 2)).at[where, experience.actions + 1].add(told), -1, 0)
        mean = total / jnp.maximum(visits, 1.0)
        return jnp.where(visits > 0, learned + self.rate * (mean - learned), learned)

    def lessons(self, learned):
        return {"table": learned}


LARGEST_TABLE = 1_000_000  # cells; beyond it, hardly any is ever visited
LARGEST_VALUE = float(np.finfo(np.float32).max)


class StaticTable(AbstractValue):
    """A table that was learned before and changes no more: Bhargava's golden policy."""

    bins: int  # intervals per number of the state
    values: tuple[tuple[float, float, float], ...]  # of weaken, leave, strengthen, for every cell

    def __check_init__(self):
        require_count(self, "bins")
        for place, row in enumerate(self.values):
            if len(row) != len(ACTIONS) or not all(abs(value) <= LARGEST_VALUE for value in row):
                raise InvalidInput(f"StaticTable.values must be rows of three finite numbers; row {place} is {row}")

    def require_width(self, width: int) -> None:
        """Raise InvalidInput unless it has a cell for every state of so many numbers."""
        # A power that is much too large is not worked out.
        if width * (self.bins.bit_length() - 1) > 64 or len(self.values) != self.bins**width:
            raise InvalidInput(
                f"the table has {len(self.values)} cells, and a state of {width} numbers in {self.bins} bins each needs "
                f"{self.bins}^{width}"
            )

    def init(self, width, synapses, key):
        self.require_width(width)
        return jnp.asarray(self.values, jnp.float32)

    def __call__(self, learned, state):
        return learned[cell(state, self.bins)]

    def learn(self, learned, experience, key):
        return learned


def cell(state: Float[Array, " width"], bins: int) -> Int[Array, ""]:
    """The cell of a table that a state falls into: the first number counts most."""
    digits = jnp.clip(jnp.floor((state + 1.0) * (0.5 * bins)), 0, bins - 1).astype(jnp.int32)
    return jnp.dot(digits, jnp.asarray([bins**power for power in reversed(range(state.shape[0]))], jnp.int32))

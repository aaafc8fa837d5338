"""Place cells: a grid of receptive fields over all variables together, one neuron for every place.

    x_d = clip((s_d - low_d) / (high_d - low_d), 0, 1) (n_d - 1)              the place along a variable, in cells
    g_d(k) = exp(-(x_d - k)^2 / 2 width^2) / sum_l exp(-(x_d - l)^2 / 2 width^2)
    A(k_1, ..., k_D) = product over d of g_d(k_d)                             so the activities of all cells add up to 1

    PlaceCells             the input is rate A at every tick, no spikes: what an analogue twin sees
    BernoulliPlaceCells    a spike with probability min(rate A, 1), one draw a tick and cell
    RegularPlaceCells      V <- V + rate A;  a spike and V <- V - 1 where V >= 1: regular trains, at most one spike a tick

Fremaux, Sprekeler & Gerstner 2013 (doi:10.1371/journal.pcbi.1003024) give actor and critic such an input. A regular code carries no
noise: over many ticks every cell fires as often as its activity says, the rest of a spike being kept in V. With a policy that
keeps its state between decisions (`KeepBetweenDecisions`) nothing of it is lost. All V begin at 1/2, which halves the wait for a
first spike.
"""

import abc
import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_count_each, require_positive
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.bins import check_range, require_range
from spikeloop.encoders.firing import bernoulli_spikes, straight_through
from spikeloop.errors import InvalidInput


class AbstractPlaceCells(AbstractEncoder):
    """What the forms share: the grid of receptive fields."""

    low: float | tuple[float, ...] = -1.0  # lower end of the observations: one for all variables, or one for each
    high: float | tuple[float, ...] = 1.0  # upper end; beyond the ends counts as at the end
    cells: int | tuple[int, ...] = 3  # cells along each variable: one number for all, or one for each
    width: float = 0.6  # sigma of a field, in distances between neighbours
    rate: float = 4.0  # spikes of all cells together in a tick, as long as no cell would have to fire twice

    def __check_init__(self):
        require_range(self)
        require_positive(self, "width", "rate")
        require_count_each(self, "cells")

    def size(self, obs_size):
        check_range(self, obs_size)
        return math.prod(cells_along(self.cells, obs_size))

    def init_state(self, params):
        return None

    def step(self, params, state, obs, key):
        return self._fire(state, self.rate * place_activity(self, obs), key)

    @abc.abstractmethod
    def _fire(self, state: Any, rates: Float[Array, " input"], key: Any) -> tuple[Any, Float[Array, " input"]]:
        """One tick: the new state, and the spikes at these mean rates."""


class PlaceCells(AbstractPlaceCells):
    """Place cells with an analogue activity, the same at every tick."""

    constant = True

    def _fire(self, state, rates, key):
        return state, rates


class BernoulliPlaceCells(AbstractPlaceCells):
    """Place cells that fire by chance, with their activity as probability."""

    stochastic = True

    def _fire(self, state, rates, key):
        return state, bernoulli_spikes(jnp.minimum(rates, 1.0), key)


class RegularPlaceCells(AbstractPlaceCells):
    """Place cells that fire at regular intervals, as often as their activity asks."""

    def init(self, obs_size, key):
        return jnp.full(self.size(obs_size), 0.5)  # what V begins with

    def init_state(self, params):
        return params

    def _fire(self, state, rates, key):
        v = state + jnp.minimum(rates, 1.0)
        spikes = straight_through((v >= 1.0).astype(v.dtype), v)
        return v - spikes, spikes


def place_activity(component: Any, obs: Float[Array, "..."]) -> Float[Array, " cells"]:
    """The activities of a grid of place cells, together one; the component has low, high, cells and width."""
    obs = jnp.ravel(obs)
    low, high = jnp.asarray(component.low, obs.dtype), jnp.asarray(component.high, obs.dtype)
    share = jnp.clip((obs - low) / (high - low), 0.0, 1.0)
    activity = None
    for place, cells in zip(share, cells_along(component.cells, obs.size), strict=True):
        distance = place * (cells - 1) - jnp.arange(cells, dtype=jnp.float32)
        bump = jax.nn.softmax(-0.5 * (distance / component.width) ** 2)
        activity = bump if activity is None else jnp.ravel(activity[:, None] * bump[None, :])
    assert activity is not None
    return activity


def cells_along(cells: int | tuple[int, ...], obs_size: int) -> tuple[int, ...]:
    """Cells along each variable. Raises InvalidInput unless there is a number for each."""
    along = cells if isinstance(cells, tuple) else (cells,) * obs_size
    if len(along) != obs_size:
        raise InvalidInput(f"cells has {len(along)} entries, but an observation has {obs_size} numbers")
    return along

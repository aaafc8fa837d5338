"""One-hot bins: each variable drives exactly one of its inputs, the one in whose bin it lies.

    input_i = amplitude [ i = floor((x - low) / width) ],   width = (high - low) / bins

As in the Mountain Car network of Learning to Learn (Yegenoglu et al. 2022), and Labady 2023, where the amplitude is a
direct current of 40 000 pA. (The bin of Labady's report, (low + high)/bins, is a misprint: for a speed it would be 0.)
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

from spikeloop.component import require, require_count, require_finite
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.errors import InvalidInput


class OneHotBins(AbstractEncoder):
    """Equal bins for each variable; exactly one of them is driven, the outermost also by what lies beyond."""

    constant = True

    bins: int = 30  # bins of each variable
    low: float | tuple[float, ...] = -1.0  # lower end of the bins: one for all variables, or one for each
    high: float | tuple[float, ...] = 1.0  # upper end
    amplitude: float = 40_000.0  # the driven input, pA for neurons with physical units

    def __check_init__(self):
        require_count(self, "bins")
        require_range(self)
        require_finite(self, "amplitude")

    def size(self, obs_size):
        check_range(self, obs_size)
        return obs_size * self.bins

    def step(self, params, state, obs, key):
        low, high = jnp.asarray(self.low, obs.dtype), jnp.asarray(self.high, obs.dtype)
        place = jnp.floor((obs - low) * (self.bins / (high - low)))
        index = jnp.clip(place, 0, self.bins - 1).astype(jnp.int32)
        return state, jnp.ravel(self.amplitude * jax.nn.one_hot(index, self.bins, dtype=obs.dtype))


def require_range(component: Any) -> None:
    """Raise InvalidInput unless the fields low and high are finite, one number or one a variable, and low is below high."""
    for field in ("low", "high"):
        require(
            component, field, lambda ends: all(map(math.isfinite, _entries(ends))), "a finite number or a tuple of them"
        )
    low, high = component.low, component.high
    n = max(len(_entries(low)), len(_entries(high)))
    above = all(bottom < top for bottom, top in zip(_spread(low, n), _spread(high, n), strict=False))
    require(component, "high", lambda _: above, f"above low, {low}, for every variable")


def check_range(component: Any, obs_size: int) -> None:
    """Raise InvalidInput unless low and high fit an observation of so many numbers."""
    for field, ends in (("low", component.low), ("high", component.high)):
        if isinstance(ends, tuple) and len(ends) != obs_size:
            raise InvalidInput(f"{field} has {len(ends)} entries, but an observation has {obs_size} numbers")


def _entries(ends):
    return ends if isinstance(ends, tuple) else (ends,)


def _spread(ends, n):
    return ends if isinstance(ends, tuple) else (ends,) * n

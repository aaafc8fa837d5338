"""Direct coding: the analogue observation is injected at every tick, and the first layer learns what to make of it."""

import math

import jax.numpy as jnp

from spikeloop.component import Component, require
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.errors import InvalidInput


class Direct(AbstractEncoder):
    """The observation itself, times a gain, at every tick (Zheng et al. 2026; SpikingJelly's examples)."""

    constant = True

    gain: float | tuple[float, ...] = 1.0  # factor on the observation: one for all variables, or one for each

    def __check_init__(self):
        require_gain(self)

    def size(self, obs_size):
        check_gain(self.gain, obs_size)
        return obs_size

    def step(self, params, state, obs, key):
        gain = jnp.asarray(self.gain, obs.dtype)
        return state, obs * gain


def require_gain(component: Component) -> None:
    """Its field `gain` must be a finite non-zero number, or a tuple of them. Raises InvalidInput."""

    def valid(gain):
        gains = (gain,) if isinstance(gain, int | float) else gain
        return len(gains) > 0 and all(math.isfinite(g) and g != 0 for g in gains)

    require(component, "gain", valid, "a finite non-zero number, or a tuple of them")


def check_gain(gain: float | tuple[float, ...], obs_size: int) -> None:
    """A gain of several entries must have one for each number of an observation. Raises InvalidInput."""
    if isinstance(gain, tuple) and len(gain) != obs_size:
        raise InvalidInput(f"gain has {len(gain)} entries, but an observation has {obs_size} numbers")

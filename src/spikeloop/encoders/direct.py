"""Direct coding: the analogue observation is injected at every tick, and the first layer learns what to make of it."""

import math
import numbers

import jax.numpy as jnp

from spikeloop.component import require
from spikeloop.encoders._base import AbstractEncoder
from spikeloop.errors import InvalidInput


class Direct(AbstractEncoder):
    """The observation itself, times a gain, at every tick (Zheng et al. 2026; SpikingJelly's examples)."""

    constant = True

    gain: float | tuple[float, ...] = 1.0  # factor on the observation: one for all variables, or one for each

    def __check_init__(self):
        def valid(gain):
            gains = (gain,) if isinstance(gain, numbers.Number) else gain
            return len(gains) > 0 and all(math.isfinite(g) and g != 0 for g in gains)

        require(self, "gain", valid, "a finite non-zero number, or a tuple of them")

    def size(self, obs_size):
        if isinstance(self.gain, tuple) and len(self.gain) != obs_size:
            raise InvalidInput(f"Direct.gain has {len(self.gain)} entries, but an observation has {obs_size} numbers")
        return obs_size

    def init(self, obs_size, key):
        return None

    def init_state(self, params):
        return None

    def step(self, params, state, obs, key):
        gain = jnp.asarray(self.gain, obs.dtype)
        return state, obs * gain

"""Two neurons for each variable, one for either sign.

    x -> (max(g x, 0), max(-g x, 0))

Akl et al. 2023 (Front. Neurorobotics 16:1075647), who find that it makes a network less sensitive to its decays and its
threshold; with gain 1/3 on observations clipped to [-3, 3], the input of PopSAN's baseline RateSAN (Tang et al. 2020).
"""

import jax.numpy as jnp

from spikeloop.encoders._base import AbstractEncoder
from spikeloop.encoders.direct import check_gain, require_gain


class TwoNeurons(AbstractEncoder):
    """Two inputs for each variable, side by side: its positive part, and the size of its negative part (Akl et al. 2023)."""

    constant = True

    gain: float | tuple[float, ...] = 1.0  # factor on the observation: one for all variables, or one for each

    def __check_init__(self):
        require_gain(self)

    def size(self, obs_size):
        check_gain(self.gain, obs_size)
        return 2 * obs_size

    def step(self, params, state, obs, key):
        scaled = obs * jnp.asarray(self.gain, obs.dtype)
        return state, jnp.ravel(jnp.stack([jnp.maximum(scaled, 0.0), jnp.maximum(-scaled, 0.0)], axis=1))

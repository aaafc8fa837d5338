"""Sources: what turns the rate of an input into spikes that drive a neuron.

A regular source that is switched on fires at once, then every 1/rate until it is switched off; its phase is lost only then. It
is the NSLOC source of Hasegan et al. 2022, without its noise: their inputs are 0 or 50 Hz for the whole of a decision, so one
that stays on over two decisions fires 3 and 2 times in their 50 ms each.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_positive


class RegularSource(Component):
    """A train of equally spaced pulses for every input that has a rate."""

    weight: float = 35.0  # of the AMPA synapse that a pulse reaches, mV at rest
    delay: float = 1.0  # from a pulse to its arrival, ms: a multiple of the tick

    def __check_init__(self):
        require_positive(self, "weight", "delay")

    def init(self, size: int) -> Float[Array, " n"]:
        """Ticks until the next pulse of every input, which is at once."""
        return jnp.zeros(size)

    def step(
        self, wait: Float[Array, " n"], rates: Float[Array, " n"], resolution: float
    ) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """A tick of `resolution` ms at these rates (Hz): the new waits, and the pulses, 0 or 1."""
        on = rates > 0
        # A wait is a sum of whole and broken ticks; what rounding leaves of it is no tick.
        pulse = on & (wait < 1e-3)
        period = 1000.0 / (jnp.where(on, rates, 1.0) * resolution)
        wait = jnp.where(pulse, wait + period, wait) - 1.0
        return jnp.where(on, wait, 0.0), pulse.astype(rates.dtype)

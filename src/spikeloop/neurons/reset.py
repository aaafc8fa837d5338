"""What happens to the membrane potential of a neuron that fired.

    hard    v <- v (1 - o) + value o
    soft    v <- v - threshold o          (keeps what was above the threshold)

The gradient runs through the spike o of the reset, unless the reset is wrapped in `Detached`.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_finite


class AbstractReset(Component):
    """How a membrane potential goes back after a spike."""

    @abc.abstractmethod
    def __call__(self, v: Float[Array, " n"], spikes: Float[Array, " n"], threshold: float) -> Float[Array, " n"]:
        """The potential after the reset, given the potential that was tested, the spikes (0 or 1) and the threshold."""


class HardReset(AbstractReset):
    """A neuron that fired starts again from a fixed value."""

    value: float = 0.0  # potential after a spike, in the units of the threshold

    def __check_init__(self):
        require_finite(self, "value")

    def __call__(self, v, spikes, threshold):
        return start_again(v, spikes, self.value)


# v (1 - o) + value o with its derivative, computed as a choice: the next tick waits for the result, and in sums and products
# a tick would take half as long again on a CPU. What a choice does not show is the derivative by the spike, value - v.
@eqx.filter_custom_jvp
def start_again(v, spikes, value):
    """The value for neurons that fired, their own potential for the others."""
    return jnp.where(spikes > 0, value, v)


@start_again.def_jvp
def _start_again_jvp(primals, tangents):
    v, spikes, value = primals

    def differential(dv, dspikes, dvalue):
        return jnp.where(spikes > 0, dvalue, dv) + (value - v) * dspikes

    return start_again(v, spikes, value), eqx.filter_jvp(differential, primals, tangents)[1]


class SoftReset(AbstractReset):
    """A neuron that fired loses one threshold; what was above it stays (reset by subtraction)."""

    def __call__(self, v, spikes, threshold):
        return v - threshold * spikes


class Detached(AbstractReset):
    """The reset inside, with no gradient through its spike (as in the DSQN papers)."""

    reset: AbstractReset = HardReset()

    def __call__(self, v, spikes, threshold):
        return self.reset(v, jax.lax.stop_gradient(spikes), threshold)

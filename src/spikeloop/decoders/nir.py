"""Readouts as the Neuromorphic Intermediate Representation has them: a connection, and integrators that never fire.

    LI    tau v' = v_leak - v + r (o W + b)          I    v' = r (o W + b)          output: v after the last tick

stepped by forward Euler at dt, like the neurons of `neurons.nir`. Every integrator has numbers of its own, which nothing trains.
`LastMembrane` is the same in ticks, for one time constant.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_finite, require_positive
from spikeloop.decoders._base import AbstractDecoder
from spikeloop.errors import InvalidInput
from spikeloop.networks import Linear


class ReadoutParams(eqx.Module):
    """The connection to the integrators, if there is one, and their own numbers by the names that NIR gives them."""

    weight: Float[Array, "inputs outputs"] | None
    bias: Float[Array, " outputs"] | None
    numbers: dict[str, Float[Array, " outputs"]]

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """The current that the spikes drive into each integrator."""
        driven = x if self.weight is None else x @ self.weight
        return driven if self.bias is None else driven + self.bias


class AbstractNIRReadout(AbstractDecoder):
    """What both share: weights or none, and the potential after the last tick as the output."""

    dt: float = 1e-4  # length of a tick, s
    r: float = 1.0  # resistance
    weighted: bool = True  # a full connection before the integrators; else there is one for each neuron
    biased: bool = True  # biases beside the weights

    def init(self, in_size, out_size, key):
        numbers = {name: jnp.full(out_size, getattr(self, name), float) for name in self._names()}
        if not self.weighted:
            if in_size != out_size:
                raise InvalidInput(f"a readout without weights needs {out_size} neurons before it, and has {in_size}")
            return ReadoutParams(None, None, numbers)
        drawn = Linear.init(in_size, out_size, key)
        return ReadoutParams(drawn.weight, drawn.bias if self.biased else None, numbers)

    def init_state(self, params, in_size):
        return jnp.zeros_like(params.numbers["r"])

    def read(self, params, state, ticks):
        return state

    def _names(self) -> tuple[str, ...]:
        return ("r",)


class NIRLeakyReadout(AbstractNIRReadout):
    """Leaky integrators in NIR's terms, LI; the output is their potential after the last tick."""

    tau: float = 2e-4  # membrane time constant, s
    v_leak: float = 0.0  # potential that it leaks to

    def __check_init__(self):
        require_positive(self, "dt", "tau")
        require_finite(self, "r", "v_leak")

    def step(self, params, state, spikes):
        numbers = jax.lax.stop_gradient(params.numbers)
        lost = self.dt / numbers["tau"]
        return state * (1.0 - lost) + (lost * numbers["r"]) * params(spikes) + lost * numbers["v_leak"]

    def _names(self):
        return ("r", "tau", "v_leak")


class NIRIntegratorReadout(AbstractNIRReadout):
    """Integrators without a leak in NIR's terms, I; the output is their potential after the last tick."""

    def __check_init__(self):
        require_positive(self, "dt")
        require_finite(self, "r")

    def step(self, params, state, spikes):
        return state + (self.dt * jax.lax.stop_gradient(params.numbers["r"])) * params(spikes)

"""A network some of whose neurons are silenced: they live on, but what they fire reaches nobody.

    spikes that count = spikes x alive          alive: 0 for a silenced neuron, 1 for every other

A silenced neuron integrates and resets as before; neither another neuron, nor a decoder, nor who counts spikes sees any of it.
So with all alive the network is the wrapped one, to the bit, and with none alive it is as if nothing had fired. What a lesion
does to behaviour is the difference between the two networks (`analysis.lesion_study`).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork
from spikeloop.networks.feed_forward import FeedForward
from spikeloop.networks.fixed import Fixed
from spikeloop.networks.plastic import Plastic
from spikeloop.networks.wrapped import AbstractWrappedNetwork


class SilencedParams(eqx.Module):
    """Parameters of the wrapped network, and who is alive in each population: 1, or 0 for the silenced."""

    network: Any
    alive: Fixed[tuple[Float[Array, " _"], ...]]


class Silenced(AbstractWrappedNetwork):
    """A network whose silenced neurons reach nobody. `init` silences none; `SilencedParams` says who."""

    network: AbstractNetwork = FeedForward()  # whose neurons can be silenced

    def __check_init__(self):
        if _is_plastic(self.network):
            raise InvalidInput(
                "Silenced.network must not be plastic; put Silenced inside Plastic, whose rule then sees it"
            )

    def inner(self, params):
        return params.network

    def outer(self, params, inner):
        return SilencedParams(inner, params.alive)

    def init(self, in_size, output_population, key):
        params = self.network.init(in_size, output_population, key)
        return SilencedParams(params, Fixed(tuple(map(jnp.ones_like, self.network.silence(params)))))

    def init_state(self, params):
        return self.network.init_state(params.network)

    def step(self, params, state, current, key):
        state, spikes = self.network.step(self._muted(params), state, current, key)
        return state, self._living(params, spikes)

    def run(self, params, state, currents):
        state, spikes = self.network.run(self._muted(params), state, currents)
        return state, self._living(params, spikes)

    def expected(self, params, state):
        pairs = zip(self.network.expected(params.network, state), self._alive(params), strict=True)
        return tuple(None if chance is None else chance * alive for chance, alive in pairs)

    def potentials(self, params, state):
        return self.network.potentials(params.network, state)

    def pathways(self, params, state):
        return self.network.pathways(params.network, state)

    def _alive(self, params):
        return jax.lax.stop_gradient(params.alive.value)

    def _muted(self, params):
        return self.network.muted(params.network, self._alive(params))

    def _living(self, params, spikes):
        pairs = zip(spikes, self._alive(params), strict=True)
        return tuple(fired * jnp.broadcast_to(alive, fired.shape) for fired, alive in pairs)


def _is_plastic(network: Any) -> bool:
    return isinstance(network, Plastic) or _is_plastic(network.network) if hasattr(network, "network") else False

"""A network whose connections change while it runs, by a local rule: learning within a life.

    spikes <- network(weights of now)          weights of now <- weights of now + change(traces, spikes at both ends)

The parameters are those of the wrapped network. They say where a life begins, and what trains them (evolution, a gradient)
is outside; the weights of now and the rule's traces are part of the state. How long a life is, the policy says: with
`KeepBetweenDecisions` an episode, while with `ResetBetweenDecisions` every decision begins with the parameters again. This
is the hybrid of Labady 2023 (introduction): evolution outside, plasticity within.

The rule acts on the weights as the parameters hold them, so its bounds are in their units: genes for `DelayedFeedForward`,
not pA. Connections between two populations can be plastic; that from the inputs cannot, for inputs are currents and no
spikes. The rule meets a presynaptic spike in the tick in which it is fired, whatever its delay to the target, and a
postsynaptic one `dendritic_delay` ticks after it was fired. The delay matters where spikes cross a connection within their
tick (`FeedForward`): without it the spike that fired a neuron would come, for the rule, at the same time as that neuron's
own, and STDP would weaken what caused it. In NEST the whole delay of a connection is such a dendritic one.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require, require_count
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork
from spikeloop.networks.feed_forward import FeedForward
from spikeloop.networks.wrapped import AbstractWrappedNetwork
from spikeloop.plasticity import STDP, AbstractPlasticity


class PlasticConnection(eqx.Module):
    """What has become of one plastic connection."""

    weights: Float[Array, "pre post"]  # as they are now
    traces: Any  # of the rule
    returning: Float[Array, "_ post"]  # [delay, neuron]: postsynaptic spikes on their way to the synapses


class PlasticState(eqx.Module):
    """The state of the wrapped network, and of each of its plastic connections."""

    network: Any
    connections: tuple[PlasticConnection, ...]


class Plastic(AbstractWrappedNetwork):
    """A network whose connections between populations a local rule changes at every tick, from where the parameters are."""

    network: AbstractNetwork = FeedForward((32, 32))  # whose connections change
    rule: AbstractPlasticity = STDP(w_min=-1.0, w_max=1.0)  # how they do
    only: tuple[int, ...] | None = None  # places of the connections that change, the first being 0; None: all
    dendritic_delay: int = 1  # ticks until the rule sees a postsynaptic spike

    def __check_init__(self):
        require_count(self, "dendritic_delay", least=0)
        rule = "None or a non-empty tuple of different whole numbers of at least 0"
        require(self, "only", lambda only: only is None or _are_places(only), rule)

    def init(self, in_size, output_population, key):
        params = self.network.init(in_size, output_population, key)
        inside, count = type(self.network).__name__, len(self.network.connections(params))
        if not count:
            raise InvalidInput(f"Plastic needs a connection between two populations, and this {inside} has none")
        if self.only is not None and max(self.only) >= count:
            raise InvalidInput(f"Plastic.only must be below {count}, the connections of {inside}, got {self.only}")
        return params

    def init_state(self, params):
        silence = self.network.silence(params)

        def begin(connection):
            returning = jnp.zeros((self.dendritic_delay, *silence[connection.post].shape))
            return PlasticConnection(connection.weights, self.rule.init(connection.weights), returning)

        connections = self.network.connections(params)
        plastic = tuple(begin(connections[place]) for place in self._places(connections))
        return PlasticState(self.network.init_state(params), plastic)

    def step(self, params, state, current, key):
        connections = self.network.connections(params)
        places = self._places(connections)
        network, spikes = self.network.step(self._as_they_are(params, state), state.network, current, key)
        plastic = tuple(
            self._changed(plastic, spikes[connections[place].pre], spikes[connections[place].post])
            for place, plastic in zip(places, state.connections, strict=True)
        )
        return PlasticState(network, plastic), spikes

    def expected(self, params, state):
        return self.network.expected(params, state.network)

    def potentials(self, params, state):
        return self.network.potentials(params, state.network)

    def pathways(self, params, state):
        return self.network.pathways(self._as_they_are(params, state), state.network)

    def _as_they_are(self, params, state):
        """The parameters with the weights that the rule has made of them."""
        connections = self.network.connections(params)
        weights = [connection.weights for connection in connections]
        for place, plastic in zip(self._places(connections), state.connections, strict=True):
            weights[place] = plastic.weights
        return self.network.with_weights(params, tuple(weights))

    def _places(self, connections):
        return range(len(connections)) if self.only is None else self.only

    def _changed(self, plastic, pre, post):
        on_their_way = jnp.concatenate([plastic.returning, post[None]])
        # No modulator reaches a synapse within a decision: zero, so a rule of three factors only keeps its traces here.
        modulator = jnp.zeros((), plastic.weights.dtype)
        traces, change = self.rule.step(plastic.traces, plastic.weights, pre, on_their_way[0], modulator)
        return PlasticConnection(plastic.weights + change, traces, on_their_way[1:])


def _are_places(only):
    whole = all(isinstance(place, int) and not isinstance(place, bool) and place >= 0 for place in only)
    return whole and len(set(only)) == len(only) > 0

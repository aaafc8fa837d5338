"""Chain: populations one after the other, each with neurons of its own kind, and with weights before it or without.

It is what a graph of the Neuromorphic Intermediate Representation is that does not branch: Affine or Linear or nothing, then
neurons, and again. `FeedForward` is the same with one kind of neuron, and always weights and biases.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_count
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork, Connection
from spikeloop.networks.linear import Linear, product
from spikeloop.neurons import AbstractNeuron, NIRLeakyIntegrateAndFire


class Link(Component):
    """One population of a chain, and what drives it."""

    size: int = 64  # neurons
    neuron: AbstractNeuron = NIRLeakyIntegrateAndFire()  # of the population
    weighted: bool = True  # a full connection before it; else each neuron hears the one of the same place before it
    biased: bool = True  # biases beside the weights

    def __check_init__(self):
        require_count(self, "size")


class LinkParams(eqx.Module):
    """Trainable parameters of one population: the connection that drives it, if there is one, and its neurons' own."""

    weight: Float[Array, "inputs outputs"] | None
    bias: Float[Array, " outputs"] | None
    neuron: Any = None

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """The current that the inputs drive into each neuron."""
        driven = x if self.weight is None else product(x, self.weight)
        return driven if self.bias is None else driven + self.bias


class Chain(AbstractNetwork):
    """Populations one after the other, each with neurons of its own kind."""

    links: tuple[Link, ...] = (Link(),)  # the populations, in their order

    def __check_init__(self):
        require(self, "links", lambda links: len(links) > 0, "a non-empty tuple")

    @property
    def stochastic(self):
        return any(link.neuron.stochastic for link in self.links)

    def sizes(self, output_population):
        sizes = tuple(link.size for link in self.links)
        if output_population not in (None, sizes[-1]):
            raise InvalidInput(
                f"the last population must have {output_population} neurons, the decoder's, and has {sizes[-1]}"
            )
        return sizes

    def init(self, in_size, output_population, key):
        sizes = (in_size, *self.sizes(output_population))
        keys = jax.random.split(key, len(self.links))
        return tuple(self._link(link, n, k) for link, n, k in zip(self.links, sizes[:-1], keys, strict=True))

    def _link(self, link, inputs, key):
        neuron = link.neuron.init_params(link.size, jax.random.fold_in(key, 2))
        if not link.weighted:
            if inputs != link.size:
                raise InvalidInput(f"a population of {link.size} without weights cannot hear {inputs} inputs")
            return LinkParams(None, None, neuron)
        drawn = Linear.init(inputs, link.size, key)
        return LinkParams(drawn.weight, drawn.bias if link.biased else None, neuron)

    def init_state(self, params):
        return tuple(
            link.neuron.bind(layer.neuron).init(link.size) for link, layer in zip(self.links, params, strict=True)
        )

    def silence(self, params):
        return tuple(jnp.zeros(link.size) for link in self.links)

    def drive(self, params, inputs):
        return params[0](inputs)

    def step(self, params, state, current, key):
        keys = jax.random.split(key, len(params)) if self.stochastic else (None,) * len(params)
        states, spikes = [], []
        for place, (link, layer) in enumerate(zip(self.links, params, strict=True)):
            if place:
                current = layer(spikes[-1])
            neuron = link.neuron.bind(layer.neuron)
            population, fired = neuron.step(state[place], current, keys[place] if neuron.stochastic else None)
            states.append(population)
            spikes.append(fired)
        return tuple(states), tuple(spikes)

    def expected(self, params, state):
        parts = zip(self.links, params, state, strict=True)
        return tuple(link.neuron.bind(layer.neuron).expected(population) for link, layer, population in parts)

    def potentials(self, params, state):
        parts = zip(self.links, params, state, strict=True)
        return tuple(link.neuron.bind(layer.neuron).potential(population) for link, layer, population in parts)

    def input_weights(self, params):
        return params[0].weight

    def with_input_weights(self, params, weights):
        return (LinkParams(weights, params[0].bias, params[0].neuron), *params[1:])

    def connections(self, params):
        return tuple(
            Connection(layer.weight, place, place + 1)
            for place, layer in enumerate(params[1:])
            if layer.weight is not None
        )

    def muted(self, params, alive):
        pairs = zip(params[1:], alive, strict=False)
        after = (
            LinkParams(
                jnp.diag(them) if layer.weight is None else layer.weight * them[:, None], layer.bias, layer.neuron
            )
            for layer, them in pairs
        )
        return (params[0], *after)

    def with_weights(self, params, weights):
        new = iter(weights)
        changed = (
            layer if layer.weight is None else LinkParams(next(new), layer.bias, layer.neuron) for layer in params[1:]
        )
        return (*params[:1], *changed)

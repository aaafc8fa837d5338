"""Feed-forward stack: each population drives the next through a full connection, within the same tick."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_counts
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork, Connection
from spikeloop.networks.linear import Linear, product
from spikeloop.neurons import AbstractNeuron, IntegrateAndFire


class Layer(eqx.Module):
    """Trainable parameters of one population: the full connection that drives it, and those of its neurons themselves."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]
    neuron: Any = None  # what the neuron's `init_params` made; None of most

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """The current that the inputs drive into each neuron."""
        return product(x, self.weight) + self.bias


class FeedForward(AbstractNetwork):
    """Fully connected populations of spiking neurons, one after the other."""

    widths: tuple[int, ...] = (64,)  # neurons of each hidden population
    neuron: AbstractNeuron = IntegrateAndFire()  # of every population

    def __check_init__(self):
        require_counts(self, "widths", least=0)

    @property
    def stochastic(self):
        return self.neuron.stochastic

    def sizes(self, output_population):
        return self.widths if output_population is None else (*self.widths, output_population)

    def init(self, in_size, output_population, key):
        sizes = (in_size, *self.sizes(output_population))
        if len(sizes) == 1:
            raise InvalidInput("FeedForward.widths is empty, and the decoder asks for no population of its own")
        keys = jax.random.split(key, len(sizes) - 1)
        return tuple(self._layer(n, m, k) for n, m, k in zip(sizes[:-1], sizes[1:], keys, strict=True))

    def _layer(self, inputs, size, key):
        connection = Linear.init(inputs, size, key)
        # The connection splits the key in two, which are its foldings with 0 and 1; the neurons' is the next.
        neuron = self.neuron.init_params(size, jax.random.fold_in(key, 2))
        return Layer(connection.weight, connection.bias, neuron)

    def init_state(self, params):
        return tuple(self.neuron.bind(layer.neuron).init(layer.bias.shape[0]) for layer in params)

    def silence(self, params):
        return tuple(jnp.zeros_like(layer.bias) for layer in params)

    def drive(self, params, inputs):
        return params[0](inputs)

    def step(self, params, state, current, key):
        keys = jax.random.split(key, len(params)) if self.stochastic else (None,) * len(params)
        states, spikes = [], []
        for place, (layer, population, population_key) in enumerate(zip(params, state, keys, strict=True)):
            if place:
                current = layer(spikes[-1])
            population, fired = self.neuron.bind(layer.neuron).step(population, current, population_key)
            states.append(population)
            spikes.append(fired)
        return tuple(states), tuple(spikes)

    def expected(self, params, state):
        pairs = zip(params, state, strict=True)
        return tuple(self.neuron.bind(layer.neuron).expected(population) for layer, population in pairs)

    def potentials(self, params, state):
        pairs = zip(params, state, strict=True)
        return tuple(self.neuron.bind(layer.neuron).potential(population) for layer, population in pairs)

    def input_weights(self, params):
        return params[0].weight

    def with_input_weights(self, params, weights):
        return (Layer(weights, params[0].bias, params[0].neuron), *params[1:])

    def connections(self, params):
        return tuple(Connection(layer.weight, place, place + 1) for place, layer in enumerate(params[1:]))

    def with_weights(self, params, weights):
        changed = (Layer(new, layer.bias, layer.neuron) for new, layer in zip(weights, params[1:], strict=True))
        return (*params[:1], *changed)

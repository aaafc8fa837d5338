"""Populations whose spikes take time to arrive: full connections with delays of whole ticks.

    input --one to one, direct current--> population 0 --weights--> population 1 --weights--> ... --> last population

What is sent at the end of tick k over a connection of delay d reaches its target at the end of tick k + d; a direct
current then acts from the tick after that one, d + 1 ticks after it was sent, as NEST's generators do. A weight is a
gene times `weight_scale`, and its sign picks the channel of the target. What is under way is part of the state, so a
policy that keeps its state between decisions loses no spike.

Spikes run one way, so many ticks are computed population by population: all spikes of the first, what they send as one
product, all spikes of the second, and so on.

With widths (60, 5), three outputs and NEST's neuron at t_ref = 1 ms and 0.2 ms a tick this is the Mountain Car network of
Learning to Learn (Yegenoglu et al. 2022) and Labady 2023: 60 x 5 + 5 x 3 = 315 genes.
"""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_counts, require_positive, require_ticks
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork, Connection
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire, AlphaInput, AlphaState


class DelayedState(eqx.Module):
    """The neurons of every population, and what is under way to it, next to arrive first."""

    neurons: tuple[AlphaState, ...]
    current: Float[Array, "_ first"]  # [delay, neuron]: direct current into the first population, pA
    weights: tuple[Float[Array, "_ signs _"], ...]  # [delay, sign, neuron]: weights into the others, pA


class DelayedFeedForward(AbstractNetwork):
    """Fully connected populations of NEST's neuron, one after the other, with delays; inputs are direct currents."""

    in_blocks = True

    widths: tuple[int, ...] = (60, 5)  # neurons of the population with one input each, and of each hidden one
    neuron: AlphaCurrentLeakyIntegrateAndFire = AlphaCurrentLeakyIntegrateAndFire()  # of every population
    delay: float | tuple[float, ...] = 1.0  # ms: one for all connections, or one for each, that of the inputs first
    weight_scale: float = 100.0  # weight of a gene of 1, pA
    gene_range: float = 20.0  # initial genes are drawn between minus this and this

    def __check_init__(self):
        require_counts(self, "widths")
        require_ticks(self, self.neuron.resolution, "delay")
        require_positive(self, "weight_scale", "gene_range")

    @property
    def stochastic(self):
        return self.neuron.stochastic

    def sizes(self, output_population):
        return self.widths if output_population is None else (*self.widths, output_population)

    def init(self, in_size, output_population, key):
        sizes = self.sizes(output_population)
        if in_size != sizes[0]:
            raise InvalidInput(f"{type(self).__name__}.widths must begin with {in_size}, the inputs, got {self.widths}")
        self._delays(len(sizes))
        shapes = list(itertools.pairwise(sizes))
        keys = jax.random.split(key, len(shapes))
        bound = self.gene_range
        return tuple(
            jax.random.uniform(k, shape, minval=-bound, maxval=bound) for shape, k in zip(shapes, keys, strict=True)
        )

    def init_state(self, params):
        sizes = _sizes(self, params)
        first, *later = self._delays(len(sizes))
        populations = [self.neuron.init(n) for n in sizes]
        driven = dataclasses.replace(populations[0], excitatory=None, inhibitory=None)  # no synapse leads there
        others = (dataclasses.replace(population, current=None) for population in populations[1:])
        return DelayedState(
            neurons=(driven, *others),
            current=jnp.zeros((first, sizes[0])),
            weights=tuple(jnp.zeros((delay, 2, n)) for delay, n in zip(later, sizes[1:], strict=True)),
        )

    def silence(self, params):
        return tuple(jnp.zeros(n) for n in _sizes(self, params))

    def drive(self, params, inputs):
        return inputs

    def step(self, params, state, current, key):
        state, spikes = self.run(params, state, current[None])
        return state, tuple(fired[0] for fired in spikes)

    def run(self, params, state, currents):
        ticks = currents.shape[0]
        arriving, current = _arrive(state.current, currents, ticks)
        neurons, fired = self.neuron.run(state.neurons[0], AlphaInput(arriving))
        populations, spikes, ways = [neurons], [fired], []
        for genes, way, neurons in zip(params, state.weights, state.neurons[1:], strict=True):
            arriving, way = _arrive(way, self._send(genes, fired), ticks)
            arriving = AlphaInput(excitatory=arriving[:, 0], inhibitory=arriving[:, 1])
            neurons, fired = self.neuron.run(neurons, arriving)
            populations.append(neurons)
            spikes.append(fired)
            ways.append(way)
        return DelayedState(tuple(populations), current, tuple(ways)), tuple(spikes)

    def potentials(self, params, state):
        return tuple(self.neuron.potential(neurons) for neurons in state.neurons)

    def connections(self, params):
        return tuple(Connection(genes, place, place + 1) for place, genes in enumerate(params))

    def with_weights(self, params, weights):
        return weights

    def _send(self, genes, fired):
        weights = self.weight_scale * genes
        by_sign = jnp.concatenate([jnp.maximum(weights, 0.0), jnp.minimum(weights, 0.0)], axis=1)
        # One product for both signs: half the time of two on a CPU.
        return jnp.matmul(fired, by_sign, precision=jax.lax.Precision.HIGHEST).reshape(len(fired), 2, -1)

    def _delays(self, connections):
        delays = self.delay if isinstance(self.delay, tuple) else (self.delay,) * connections
        if len(delays) != connections:
            raise InvalidInput(f"delay has {len(delays)} entries, but there are {connections} connections")
        return [self.neuron.ticks(delay) for delay in delays]


def _arrive(way, sent, ticks):
    """What arrives in so many ticks, and what is under way after them."""
    both = jnp.concatenate([way, sent])
    return both[:ticks], both[ticks:]


def _sizes(network, params):
    return (params[0].shape[0], *(genes.shape[1] for genes in params)) if params else (network.widths[0],)

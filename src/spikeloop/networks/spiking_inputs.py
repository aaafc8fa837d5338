"""A network whose inputs are spikes: they become its first population, so that the synapses from them can be plastic.

    encoder's spikes = population 0 --weights--> population 1 of the network --> ...

For a network the input of a policy is a current, and the connection from it is none of its connections. Where the encoder
spikes (`BernoulliPlaceCells`, `OneHotBins` with an amplitude of 1, ...) the inputs are neurons like others. This wrapper
counts them as such: they are reported with the spikes of the other populations, and their connection is the first.
"""

import jax.numpy as jnp

from spikeloop.component import require_count
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork, Connection, Pathway
from spikeloop.networks.feed_forward import FeedForward


class SpikingInputs(AbstractNetwork):
    """A network whose first population is the encoder itself, which must put out spikes (0 or 1)."""

    inputs: int = 81  # how many there are; as many as the encoder has outputs
    network: AbstractNetwork = FeedForward(())  # what they drive

    def __check_init__(self):
        require_count(self, "inputs")

    @property
    def stochastic(self):
        return self.network.stochastic

    def sizes(self, output_population):
        return (self.inputs, *self.network.sizes(output_population))

    def init(self, in_size, output_population, key):
        if in_size != self.inputs:
            raise InvalidInput(f"SpikingInputs.inputs must be {in_size}, what the encoder puts out, got {self.inputs}")
        params = self.network.init(in_size, output_population, key)
        if self.network.input_weights(params) is None:
            raise InvalidInput(
                f"SpikingInputs needs weights from the inputs, and a {type(self.network).__name__} has none; "
                "its own first population spikes already"
            )
        return params

    def init_state(self, params):
        return self.network.init_state(params)

    def silence(self, params):
        return (jnp.zeros_like(self._inputs(params)[:, 0]), *self.network.silence(params))

    def drive(self, params, inputs):
        return inputs

    def step(self, params, state, current, key):
        state, spikes = self.network.step(params, state, self.network.drive(params, current), key)
        return state, (current, *spikes)

    def expected(self, params, state):
        return (None, *self.network.expected(params, state))

    def potentials(self, params, state):
        return (None, *self.network.potentials(params, state))

    def pathways(self, params, state):
        inner = self.network.pathways(params, state)
        return tuple(
            Pathway(one.weights, 0 if one.pre is None else one.pre + 1, one.post + 1, one.kind, one.inhibits)
            for one in inner
        )

    def connections(self, params):
        inner = (Connection(one.weights, one.pre + 1, one.post + 1) for one in self.network.connections(params))
        return (Connection(self._inputs(params), 0, 1), *inner)

    def muted(self, params, alive):
        weights = self._inputs(params) * alive[0][:, None]
        return self.network.with_input_weights(self.network.muted(params, alive[1:]), weights)

    def with_weights(self, params, weights):
        return self.network.with_weights(self.network.with_input_weights(params, weights[0]), weights[1:])

    def _inputs(self, params):
        weights = self.network.input_weights(params)
        assert weights is not None  # `init` has asked
        return weights

"""What networks have in common that stand around another one: all that they do not change goes through to it."""

from typing import Any

from spikeloop.networks._base import AbstractNetwork


class AbstractWrappedNetwork(AbstractNetwork):
    """A network around another, `network`: the same populations, connections and inputs."""

    network: AbstractNetwork

    def inner(self, params: Any) -> Any:
        """The parameters of the wrapped network: all, unless overridden."""
        return params

    def outer(self, params: Any, inner: Any) -> Any:
        """These parameters with others of the wrapped network."""
        return inner

    @property
    def in_blocks(self):
        return self.network.in_blocks

    @property
    def stochastic(self):
        return self.network.stochastic

    def sizes(self, output_population):
        return self.network.sizes(output_population)

    def silence(self, params):
        return self.network.silence(self.inner(params))

    def drive(self, params, inputs):
        return self.network.drive(self.inner(params), inputs)

    def input_weights(self, params):
        return self.network.input_weights(self.inner(params))

    def with_input_weights(self, params, weights):
        return self.outer(params, self.network.with_input_weights(self.inner(params), weights))

    def connections(self, params):
        return self.network.connections(self.inner(params))

    def with_weights(self, params, weights):
        return self.outer(params, self.network.with_weights(self.inner(params), weights))

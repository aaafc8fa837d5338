"""Population readout: each output has a population of its own at the end of the network, and listens to nothing else.

    fr_m = (spikes of population m) / T;    output_m = W_m . fr_m + b_m

As in PopSAN (Tang et al. 2020, arXiv:2010.09635) and MDC-SAN (Zhang et al. 2022): one independent affine map per output, a
grouped convolution in their code, whose initial W and b are U(-1/sqrt(n), 1/sqrt(n)) for n neurons an output. The output is
that before their tanh: for continuous actions it is the selection that applies tanh and scales to the bounds.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_count
from spikeloop.decoders.rate import AbstractSpikeCount
from spikeloop.errors import InvalidInput


class PopulationWeights(eqx.Module):
    """Trainable parameters of a population readout: one affine map per output."""

    weight: Float[Array, "outputs neurons"]
    bias: Float[Array, " outputs"]


class PopulationRate(AbstractSpikeCount):
    """An affine map on the mean firing rates of each output's own population (PopSAN)."""

    neurons_per_output: int = 10  # neurons of each output's population

    def __check_init__(self):
        require_count(self, "neurons_per_output")

    def population(self, out_size):
        return out_size * self.neurons_per_output

    def init(self, in_size, out_size, key):
        if in_size != self.population(out_size):
            raise InvalidInput(f"{out_size} outputs need a population of {self.population(out_size)}, not of {in_size}")
        weight_key, bias_key = jax.random.split(key)
        bound = 1.0 / math.sqrt(self.neurons_per_output)
        shape = (out_size, self.neurons_per_output)
        return PopulationWeights(
            weight=jax.random.uniform(weight_key, shape, minval=-bound, maxval=bound),
            bias=jax.random.uniform(bias_key, (out_size,), minval=-bound, maxval=bound),
        )

    def read(self, params, state, ticks):
        rates = state.reshape(params.weight.shape) / ticks
        return jnp.sum(params.weight * rates, axis=1) + params.bias

    def synapses(self, params):
        return params.weight.reshape(-1, 1)

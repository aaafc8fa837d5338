"""Two neurons that pull against each other for every output, as the motors of the vehicles of Bing et al. 2019.

    output_m = (n_m+ - n_m-) / n_max        n: spikes of a decision

The neurons come in the order m_1+, m_1-, m_2+, m_2-, ...
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_positive
from spikeloop.decoders.rate import AbstractSpikeCount


class OpposedCounts(AbstractSpikeCount):
    """Difference of the spike counts of two neurons an output, as a share of the largest count."""

    most: float = 40.0  # count of a neuron that stands for all of the output (n_max)

    def __check_init__(self):
        require_positive(self, "most")

    def population(self, out_size):
        return 2 * out_size

    def init(self, in_size, out_size, key):
        return None

    def read(self, params, state, ticks):
        return (state[0::2] - state[1::2]) / self.most

    def counts(self, output: Float[Array, " out"]) -> Float[Array, " neurons"]:
        """Counts that stand for an output, of -1 to 1, the two neurons sharing n_max: n_max (1 + output) / 2 and the rest."""
        half = 0.5 * self.most * (1.0 + jnp.stack([output, -output], axis=1))
        return half.ravel()

"""A fully connected layer of weights: y = x W + b."""

import math

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray


class Linear(eqx.Module):
    """Weights and biases (trainable arrays) of one full connection."""

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]

    @classmethod
    def init(cls, inputs: int, outputs: int, key: PRNGKeyArray) -> "Linear":
        """Weights and biases drawn from U(-1/sqrt(inputs), 1/sqrt(inputs)), PyTorch's default, which the papers used."""
        weight_key, bias_key = jax.random.split(key)
        bound = 1.0 / math.sqrt(inputs)
        return cls(
            weight=jax.random.uniform(weight_key, (inputs, outputs), minval=-bound, maxval=bound),
            bias=jax.random.uniform(bias_key, (outputs,), minval=-bound, maxval=bound),
        )

    def __call__(self, x: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """The current that the inputs drive into each output."""
        return x @ self.weight + self.bias

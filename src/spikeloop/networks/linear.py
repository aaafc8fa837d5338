"""A fully connected layer of weights: y = x W + b."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
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
        return product(x, self.weight) + self.bias


@jax.custom_jvp
def product(
    x: Float[Array | np.ndarray, " inputs"], weight: Float[Array | np.ndarray, "inputs outputs"]
) -> Float[Array, " outputs"]:
    """x W. Its gradient by x has the transposed weights laid out first, once for all ticks: a CPU multiplies by them in half
    the time that it takes to read the weights across.
    """
    return jnp.matmul(x, weight)


@product.defjvp
def _product_jvp(primals, tangents):
    (x, weight), (x_dot, weight_dot) = primals, tangents
    # Without the barrier the compiler would read the weights across again.
    transposed = jax.lax.optimization_barrier(weight.T)
    by_x = jax.lax.dot_general(x_dot, transposed, (((0,), (1,)), ((), ())))
    return product(x, weight), by_x + x @ weight_dot

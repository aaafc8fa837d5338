"""The product of a layer is a plain product, and so are its derivatives of every kind."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.networks.linear import product

X, WEIGHT = (jax.random.normal(jax.random.key(n), shape) for n, shape in enumerate([(3, 4), (4, 5)]))


def total(multiply, x, weight):
    """A number that depends on every entry of the products of all rows with the weights."""
    return jnp.sum(jnp.sin(jax.vmap(multiply, in_axes=(0, None))(x, weight)))


def plain(x, weight):
    return x @ weight


@pytest.mark.parametrize("derivative", [jax.grad, jax.jacfwd, lambda f, argnums: jax.jit(jax.grad(f, argnums))])
@pytest.mark.parametrize("argument", [0, 1])
def test_derivatives_by_inputs_and_by_weights(derivative, argument):
    ours, usual = (derivative(lambda *a, of=of: total(of, *a), argnums=argument)(X, WEIGHT) for of in (product, plain))
    np.testing.assert_allclose(ours, usual, rtol=1e-5, atol=1e-6)


def test_curvature_and_weights_of_each_row_of_their_own():
    def alone(multiply, x, weight):
        return jnp.sum(jnp.sin(multiply(x, weight)))

    for argument in (0, 1):
        ours, usual = (
            jax.vmap(jax.hessian(lambda *a, of=of: alone(of, *a), argument))(X, WEIGHT[None] + X[:, :1, None])
            for of in (product, plain)
        )
        np.testing.assert_allclose(ours, usual, rtol=1e-5, atol=1e-6)

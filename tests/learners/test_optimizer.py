"""The optimiser as a description does what Optax's own does."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, LinearDecay
from spikeloop.learners import Adam, ClipByNorm, ClipByValue, NoClipping

PARAMS = {"a": jnp.asarray([1.0, -2.0]), "b": jnp.asarray(0.5)}


def gradients(steps=20):
    generator = np.random.default_rng(0)
    return [
        jax.tree.map(lambda p: jnp.asarray(generator.normal(size=p.shape) * 3, jnp.float32), PARAMS)
        for _ in range(steps)
    ]


def ours(adam):
    direction, params = adam.direction(), PARAMS
    state = direction.init(params)
    for n, gradient in enumerate(gradients()):
        move, state = direction.update(gradient, state, params)
        rate = adam.learning_rate(jnp.asarray(n, jnp.int32))
        params = jax.tree.map(lambda p, m, r=rate: p + r * m, params, move)
    return params


def theirs(transformation):
    params, state = PARAMS, transformation.init(PARAMS)
    for gradient in gradients():
        move, state = transformation.update(gradient, state, params)
        params = optax.apply_updates(params, move)
    return params


def assert_close(one, two):
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-5, atol=1e-6)


def test_adam():
    assert_close(ours(Adam(Constant(0.01))), theirs(optax.adam(0.01)))
    assert_close(ours(Adam(Constant(0.1), beta_1=0.5, beta_2=0.9, epsilon=0.1)), theirs(optax.adam(0.1, 0.5, 0.9, 0.1)))


def test_learning_rate_follows_its_schedule():
    schedule = optax.linear_schedule(0.1, 0.0, 20)
    assert_close(ours(Adam(LinearDecay(0.1, 0.0, 20.0))), theirs(optax.adam(schedule)))


@pytest.mark.parametrize(
    ("clipping", "transformation"),
    [(ClipByValue(0.5), optax.clip(0.5)), (ClipByNorm(0.5), optax.clip_by_global_norm(0.5))],
)
def test_clipping_comes_before_adam(clipping, transformation):
    clipped = ours(Adam(Constant(0.01), clipping))
    assert_close(clipped, theirs(optax.chain(transformation, optax.adam(0.01))))
    assert float(clipped["b"]) != float(ours(Adam(Constant(0.01)))["b"])


def test_what_clipping_does_to_a_gradient():
    gradient = jnp.asarray([3.0, -4.0, 0.1])

    def clip(clipping):
        return np.asarray(clipping.transformation().update(gradient, clipping.transformation().init(gradient))[0])

    np.testing.assert_array_equal(clip(NoClipping()), np.asarray(gradient))
    np.testing.assert_allclose(clip(ClipByValue(1.0)), [1.0, -1.0, 0.1])
    assert np.linalg.norm(clip(ClipByNorm(2.0))) == pytest.approx(2.0, rel=1e-5)
    np.testing.assert_array_equal(clip(ClipByNorm(100.0)), np.asarray(gradient))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(beta_1=-0.1),
        lambda: Adam(beta_2=float("nan")),
        lambda: Adam(epsilon=0.0),
        lambda: ClipByValue(0.0),
        lambda: ClipByNorm(float("nan")),
    ],
)
def test_invalid_fields(make):
    with pytest.raises(InvalidInput, match=r"^(Adam|ClipByValue|ClipByNorm)\."):
        make()

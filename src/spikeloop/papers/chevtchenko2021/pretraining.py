"""Pre-training of the binary network: tell pictures apart, each a class of its own (Chevtchenko & Ludermir 2021, after BinaryNet).

Weights w in [-1, 1] are trained, of which the network uses the signs, and the gradient goes straight through:

    sign(x) = 1 where x >= 0, else -1;    d sign(x) / dx := 1 where |x| <= 1, else 0          (that of the hard tanh)
    loss = mean over pictures and classes of max(0, 1 - t a)^2,  t = 1 for the picture's own class, else -1
    w <- clip(w + Adam's step, -1, 1)

Adam's rate falls from epoch to epoch exponentially, from 1e-3 to a tenth. While batch norm learns it uses the moments of the batch;
those that are kept are the moments over all pictures, found layer by layer in the network as it will be used.
"""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from spikeloop.errors import InvalidInput
from spikeloop.interaction import ExponentialDecay
from spikeloop.learners import Adam
from spikeloop.papers.chevtchenko2021.binary_network import EPSILON, FEATURES, SHAPES, BatchNorm, BinaryNetwork, sums
from spikeloop.papers.chevtchenko2021.pictures import SIDE

BATCH = 16  # pictures
RATE, FALL = 1e-3, 0.1  # Adam's first rate, and which part of it is left at the end


class Trained(eqx.Module):
    """What pre-training changes: for every layer weights between -1 and 1, and gains and offsets of batch norm."""

    weights: tuple[Float[Array, "..."], ...]
    gains: tuple[Float[Array, " _"], ...]
    offsets: tuple[Float[Array, " _"], ...]


def pretrain(
    pictures: UInt8[np.ndarray, "n 64 64 3"],
    epochs: int = 1000,
    seed: int = 0,
    progress: Callable[[int, float], None] = lambda epoch, loss: None,
) -> BinaryNetwork:
    """The network that tells these pictures apart, at least 16 of them; `progress` hears of every epoch and its mean loss.

    An epoch shuffles the pictures, cuts them into batches of 16 and leaves out the rest. Equal seeds give equal networks on the
    same machine. Raises InvalidInput for fewer pictures, or of another shape, and for no epochs.
    """
    if len(pictures) < BATCH or pictures.shape[1:] != (SIDE, SIDE, 3) or epochs < 1:
        raise InvalidInput(
            f"pre-training needs {BATCH} or more pictures of {SIDE} x {SIDE} x 3 and at least one epoch; "
            f"it was given pictures of shape {list(pictures.shape)} and {epochs} epochs"
        )
    initial, shuffling = jax.random.split(jax.random.key(seed))
    trained, batches = initial_weights(len(pictures), initial), len(pictures) // BATCH
    adam = Adam(ExponentialDecay(RATE, 0.0, epochs / -math.log(FALL)))  # its steps are epochs
    moments, shown = adam.init(trained), jnp.asarray(pictures, jnp.float32)

    @jax.jit  # a batch, not a scan of many: on a CPU, XLA's convolutions are ten times as slow inside a loop of its own
    def batch(trained: Trained, moments: Any, chosen: Int[Array, " batch"], epoch: Int[Array, ""]):
        loss, slope = jax.value_and_grad(_loss)(trained, shown[chosen], chosen)
        trained, moments = adam.apply(trained, moments, slope, epoch)
        clipped = tuple(jnp.clip(weights, -1.0, 1.0) for weights in trained.weights)
        return eqx.tree_at(lambda tree: tree.weights, trained, clipped), moments, loss

    for epoch in range(epochs):
        order = jax.random.permutation(jax.random.fold_in(shuffling, epoch), len(pictures))
        losses = []
        for chosen in order[: batches * BATCH].reshape(batches, BATCH):
            trained, moments, loss = batch(trained, moments, chosen, jnp.asarray(epoch))
            losses.append(float(loss))
        progress(epoch, sum(losses) / batches)
    return finished(trained, pictures)


def initial_weights(classes: int, key: PRNGKeyArray) -> Trained:
    """Weights drawn evenly from -1 to 1, gains of 1, offsets of 0."""
    shapes = (*SHAPES, (FEATURES, classes))
    keys = jax.random.split(key, len(shapes))
    drawn = tuple(jax.random.uniform(each, shape, minval=-1.0) for each, shape in zip(keys, shapes, strict=True))
    units = [shape[-1] for shape in shapes]
    return Trained(drawn, tuple(jnp.ones(n) for n in units), tuple(jnp.zeros(n) for n in units))


def straight_through_sign(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """1 where x >= 0, else -1; its gradient is that of the hard tanh, 1 where |x| <= 1 (BinaryNet, eq. 4)."""
    hard_tanh = jnp.clip(x, -1.0, 1.0)
    return hard_tanh + jax.lax.stop_gradient(jnp.where(x >= 0, 1.0, -1.0) - hard_tanh)


def answers_in_training(trained: Trained, pictures: Float[Array, "batch 64 64 3"]) -> Float[Array, "batch classes"]:
    """What the network answers while it learns: batch norm by the moments of this batch."""
    values = pictures
    for place, weights in enumerate(trained.weights):
        signs = straight_through_sign(weights)
        raw = _pooled_convolution(values, signs) if signs.ndim == 4 else values.reshape(len(values), -1) @ signs
        values = _normalised(raw, trained.gains[place], trained.offsets[place])
        if place < len(SHAPES):
            values = straight_through_sign(values)
    return values


def finished(trained: Trained, pictures: UInt8[np.ndarray, "n 64 64 3"]) -> BinaryNetwork:
    """The network as it is used: signs of the weights, and batch norm by the moments over these pictures."""
    values, weights, signs = pictures.astype(np.float32), [], []
    for place, latent in enumerate(trained.weights):
        weights.append(np.where(np.asarray(latent) >= 0, np.float32(1), np.float32(-1)))
        raw = sums(values, weights[place]).astype(np.float64)
        every = tuple(range(raw.ndim - 1))
        gain, offset = (np.asarray(each[place], np.float64) for each in (trained.gains, trained.offsets))
        norm = BatchNorm(raw.mean(axis=every), raw.var(axis=every), gain, offset)
        if place == len(SHAPES):
            break
        signs.append(norm.folded())
        values = signs[place](raw)
    norm = jax.tree.map(lambda leaf: leaf.astype(np.float32), norm)
    return BinaryNetwork(tuple(weights[:-1]), tuple(signs), weights[-1], norm)


def _loss(trained: Trained, pictures: Float[Array, "batch 64 64 3"], classes: Int[Array, " batch"]) -> Float[Array, ""]:
    """Squared hinge."""
    answers = answers_in_training(trained, pictures)
    wanted = 2.0 * jax.nn.one_hot(classes, answers.shape[1]) - 1.0
    return jnp.mean(jax.nn.relu(1.0 - wanted * answers) ** 2)


def _pooled_convolution(values: Float[Array, "n rows columns in"], weights: Float[Array, "3 3 in out"]) -> Array:
    found = jax.lax.conv_general_dilated(values, weights, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    count, rows, columns, channels = found.shape
    return found.reshape(count, rows // 2, 2, columns // 2, 2, channels).max(axis=(2, 4))


def _normalised(raw: Float[Array, "... units"], gain: Float[Array, " units"], offset: Float[Array, " units"]) -> Array:
    every = tuple(range(raw.ndim - 1))
    mean, variance = raw.mean(axis=every, keepdims=True), raw.var(axis=every, keepdims=True)
    shape = (1,) * (raw.ndim - 1) + (-1,)
    return gain.reshape(shape) * (raw - mean) / jnp.sqrt(variance + EPSILON) + offset.reshape(shape)

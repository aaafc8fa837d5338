"""The binary network: signs and their gradient by hand, batch norm folded, what is trained is what is used, files."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.papers.chevtchenko2021 import SyntheticPictures, load_network, pretrain, save_network
from spikeloop.papers.chevtchenko2021.binary_network import EPSILON, SHAPES, BatchNorm, sums
from spikeloop.papers.chevtchenko2021.codes import PRETRAINED, PRETRAINED_ON
from spikeloop.papers.chevtchenko2021.pretraining import (
    answers_in_training,
    finished,
    initial_weights,
    straight_through_sign,
)
from spikeloop.storage import read_header


@pytest.fixture(scope="module")
def pictures():
    return SyntheticPictures(seed=7)(16)


@pytest.fixture(scope="module")
def untrained(pictures):
    """Latent weights with gains of both signs, and offsets."""
    drawn, random = initial_weights(len(pictures), jax.random.key(0)), np.random.default_rng(0)

    def some(low, high):
        return tuple(jnp.asarray(random.uniform(low, high, len(n)), jnp.float32) for n in drawn.gains)

    gains = tuple(jnp.where(jnp.asarray(random.random(len(gain)) < 0.3), -1.0, 1.0) * gain for gain in some(0.5, 1.5))
    return eqx.tree_at(lambda tree: (tree.gains, tree.offsets), drawn, (gains, some(-0.5, 0.5)))


def test_sign_and_its_gradient_by_hand():
    x = jnp.asarray([-3.0, -1.0, -0.25, -0.0, 0.0, 0.25, 1.0, 1.5])
    signs = straight_through_sign(x)
    np.testing.assert_array_equal(signs, [-1, -1, -1, 1, 1, 1, 1, 1])
    # The slope of clip(x, -1, 1) away from its corners; and a product of two signs, both of which it goes through.
    inside = jnp.asarray([-3.0, -0.25, 0.0, 0.25, 1.5])
    np.testing.assert_array_equal(jax.vmap(jax.grad(straight_through_sign))(inside), [0, 1, 1, 1, 0])
    slopes = jax.grad(lambda w, v: straight_through_sign(w) * straight_through_sign(v), argnums=(0, 1))(-0.5, 0.75)
    assert slopes == (1.0, -1.0)


def test_a_layers_sums_by_hand():
    """Ones everywhere: the inner pixels of a 4 x 4 picture add 9, and each pooled square has an inner one."""
    picture = np.ones((1, 4, 4, 1), np.float32)
    np.testing.assert_array_equal(sums(picture, np.ones((3, 3, 1, 1), np.float32)), np.full((1, 2, 2, 1), 9.0))
    # A kernel that looks up one row: beyond the edge is 0, which loses against the row below.
    up = np.zeros((3, 3, 1, 1), np.float32)
    up[0, 1] = -1.0
    np.testing.assert_array_equal(sums(picture, up)[0, :, :, 0], [[0.0, 0.0], [-1.0, -1.0]])
    np.testing.assert_array_equal(sums(np.ones((2, 1, 1, 3), np.float32), np.ones((3, 1), np.float32)), [[3.0], [3.0]])


def test_the_folded_threshold_asks_what_batch_norm_and_sign_ask():
    """For whole numbers and gains of both signs, also where the threshold is a whole number itself."""
    random, units = np.random.default_rng(1), 300
    gain = random.uniform(0.2, 2.0, units) * random.choice([-1.0, 1.0], units)
    norm = BatchNorm(random.normal(0, 9, units), random.uniform(0, 80, units), gain, random.normal(0, 1, units))
    whole = np.arange(-60.0, 61.0)[:, None] * np.ones(units)
    np.testing.assert_array_equal(norm.folded()(whole), np.where(norm(whole) >= 0, 1.0, -1.0))
    tied = BatchNorm(np.asarray([3.0, 3.0]), np.asarray([1.0, 1.0]), np.asarray([1.0, -1.0]), np.zeros(2))
    np.testing.assert_array_equal(
        tied.folded()(np.asarray([[2.0, 2.0], [3.0, 3.0], [4.0, 4.0]])), [[-1, 1], [1, 1], [1, -1]]
    )
    assert (norm.folded().threshold % 1 == 0).all() and EPSILON < 1e-3


def test_what_is_used_is_what_was_trained(pictures, untrained):
    """With all pictures in one batch: training's floats, and comparisons of whole numbers, give the same answers."""
    trained = np.asarray(answers_in_training(untrained, jnp.asarray(pictures, jnp.float32)))
    used = finished(untrained, pictures).answers(pictures)
    # A sum so near its threshold that rounding decides may turn a sign: of 8192 inputs to a feature a few.
    assert np.abs(trained - used).mean() < 0.05 * used.std()
    assert np.corrcoef(trained.ravel(), used.ravel())[0, 1] > 0.99


def test_the_gradient_reaches_every_layer(pictures, untrained):
    shown, wanted = jnp.asarray(pictures, jnp.float32), 2.0 * jnp.eye(16) - 1.0
    slopes = jax.jit(jax.grad(lambda tree: jnp.sum(wanted * answers_in_training(tree, shown))))(untrained)
    for leaf in jax.tree.leaves(slopes):
        assert bool(jnp.isfinite(leaf).all()) and bool((leaf != 0).any())


def test_weights_are_signs_and_features_bits(pictures, untrained):
    network = finished(untrained, pictures)
    for weights, shape in zip(network.weights, SHAPES, strict=True):
        assert weights.shape == shape and set(np.unique(weights)) == {-1.0, 1.0}
    bits = network.features(pictures)
    assert bits.shape == (16, 128) and set(np.unique(bits)) == {0.0, 1.0}
    np.testing.assert_array_equal(2.0 * bits - 1.0, network.signs_of(pictures))


def test_a_picture_has_its_bits_whatever_stands_beside_it(pictures, untrained):
    network = finished(untrained, pictures)
    alone = np.concatenate([network.features(pictures[place : place + 1]) for place in (3, 0, 3)])
    np.testing.assert_array_equal(alone, network.features(pictures)[[3, 0, 3]])


def test_pre_training_lowers_the_loss_and_gives_the_same_again(pictures):
    heard: list[float] = []
    once = pretrain(pictures, epochs=4, seed=1, progress=lambda _, loss: heard.append(loss))
    assert len(heard) == 4 and heard[-1] < heard[0]
    assert eqx.tree_equal(once, pretrain(pictures, epochs=4, seed=1))


def test_too_few_pictures_are_refused_in_one_line(pictures):
    for few, epochs in ((pictures[:15], 1), (pictures, 0)):
        with pytest.raises(InvalidInput, match="pre-training needs 16 or more pictures") as caught:
            pretrain(few, epochs)
        assert "\n" not in str(caught.value)


def test_the_networks_file(tmp_path, pictures, untrained):
    network = finished(untrained, pictures)
    save_network(tmp_path / "network.safetensors", network, {"by": "hand"})
    assert eqx.tree_equal(load_network(tmp_path / "network.safetensors"), network)
    assert read_header(tmp_path / "network.safetensors")["made"] == {"by": "hand"}
    other = next(PRETRAINED.parents[2].glob("trained/chevtchenko2021/maze/arms/*/policy.safetensors"))
    with pytest.raises(InvalidInput, match="does not hold a binary network") as caught:
        load_network(other)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInput, match="does not exist"):
        load_network(tmp_path / "none.safetensors")


def test_the_network_that_comes_with_the_library_tells_its_pictures_apart():
    network, pictures = load_network(PRETRAINED), PRETRAINED_ON(100)
    told = (network.answers(pictures).argmax(axis=1) == np.arange(100)).sum()
    assert told == read_header(PRETRAINED)["made"]["told_apart"] >= 95
    assert PRETRAINED.stat().st_size < 150_000

"""Places: every synapse is found where `ravel_pytree` lays it, and codes tell apart what they promise to."""

from itertools import pairwise
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from tests.worlds import ActionReward

from spikeloop.errors import InvalidInput
from spikeloop.learners import AntitheticSynapseAgents, SynapseAgents
from spikeloop.learners.synapses import (
    AbstractTopology,
    Place,
    PostLayer,
    PrePost,
    PrePostLayer,
    SynapseState,
    SynapticRule,
    places,
)
from spikeloop.networks import FeedForward, Linear
from spikeloop.policies import BlindPolicy, DeepPolicy, SpikingPolicy

CHAINS = [(1, 1), (4, 2), (4, 3, 2), (2, 5, 5, 2), (6, 1, 4, 1, 3)]  # neurons of every population, the input's first
chains = pytest.mark.parametrize("sizes", CHAINS, ids=str)


def deep(sizes):
    """The places in a chain of full connections."""
    return places(jax.eval_shape(lambda: DeepPolicy(sizes[1:-1]).init(sizes[0], sizes[-1], jax.random.key(0))))


class OnlyPost(AbstractTopology):
    """A user's code that forgets the layer and the neuron before."""

    identifies: ClassVar[str] = "synapse"

    @property
    def names(self):
        return ("post",)

    def code(self, places):
        return (places.post[:, None] / 100).astype(np.float32)


class OnlyPostOfNeurons(AbstractTopology):
    """The same, for neurons: it is unique as long as there is one layer."""

    identifies: ClassVar[str] = "neuron"

    @property
    def names(self):
        return ("post",)

    def code(self, places):
        return (places.post[:, None] / 100).astype(np.float32)


def written(layer, number):
    """A layer whose every number says where it is: 10,000 layer + 100 pre + post."""
    inputs, outputs = layer.weight.shape
    pre, post = np.arange(inputs + 1)[:, None], np.arange(outputs)[None, :]
    told = jnp.asarray(10_000 * number + 100 * pre + post, jnp.float32)
    return eqx.tree_at(lambda old: (old.weight, old.bias), layer, (told[:-1], told[-1]))


def read(where):
    return 10_000 * where.layer + 100 * where.pre + where.post


@chains
def test_order_is_that_of_ravel_pytree(sizes):
    """A bias begins at one more input of its layer."""
    params = DeepPolicy(sizes[1:-1]).init(sizes[0], sizes[-1], jax.random.key(0))
    told = tuple(written(layer, number) for number, layer in enumerate(params))
    where = places(params)
    np.testing.assert_array_equal(read(where), np.asarray(ravel_pytree(told)[0]))
    assert (where.layers, where.count) == (len(sizes) - 1, sum((n + 1) * m for n, m in pairwise(sizes)))
    assert [where.size(layer) for layer in range(where.layers)] == [(n + 1, m) for n, m in pairwise(sizes)]
    assert where.bias.sum() == sum(sizes[1:])
    assert all(where.pre[i] == where.size(int(where.layer[i]))[0] - 1 for i in np.flatnonzero(where.bias))


def test_a_spiking_policy_is_a_chain_that_ends_in_its_readout():
    policy = SpikingPolicy(network=FeedForward((3, 5)))
    params = policy.init(4, 2, jax.random.key(0))
    network = tuple(written(layer, number) for number, layer in enumerate(params.network))
    told = eqx.tree_at(lambda p: (p.network, p.decoder), params, (network, written(params.decoder, 2)))
    np.testing.assert_array_equal(read(places(params)), np.asarray(ravel_pytree(told)[0]))


def test_a_bias_that_comes_before_its_matrix_is_told_from_it():
    where = places({"layer": {"a bias": jnp.zeros(2), "weight": jnp.zeros((3, 2))}})
    assert where.bias.tolist() == [True] * 2 + [False] * 6 and where.layers == 1
    assert where.pre.tolist() == [3, 3, 0, 0, 1, 1, 2, 2] and where.post.tolist() == [0, 1] * 4


def test_a_policy_without_parameters_is_refused():
    with pytest.raises(InvalidInput, match="no synapses"):
        SynapseAgents(BlindPolicy()).init(ActionReward(), jax.random.key(0))


@chains
@pytest.mark.parametrize("topology", [PrePost(), PrePostLayer(), PostLayer()], ids=lambda t: type(t).__name__)
def test_codes_are_unique_and_between_0_and_1(topology, sizes):
    where = deep(sizes)
    code = topology.checked_code(where)
    assert code.shape == (where.count, len(topology.names)) and code.dtype == np.float32
    assert code.min() >= 0.0 and code.max() <= 1.0
    told_apart = sum(sizes[1:]) if isinstance(topology, PostLayer) else where.count
    assert len(np.unique(code, axis=0)) == told_apart


@chains
def test_the_synapses_of_a_neuron_share_its_post_layer_code(sizes):
    where = deep(sizes)
    code = PostLayer().code(where)
    for neuron in {*zip(where.layer.tolist(), where.post.tolist(), strict=True)}:
        own = code[(where.layer == neuron[0]) & (where.post == neuron[1])]
        width, layers = max(sizes[neuron[0] + 1] - 1, 1), max(len(sizes) - 2, 1)
        np.testing.assert_allclose(own, np.tile([neuron[1] / width, neuron[0] / layers], (len(own), 1)), rtol=1e-6)


@chains
def test_a_neuron_has_one_number_in_pre_post_wherever_it_is_met(sizes):
    """The code by which a layer's synapses end at a neuron is that by which the next layer's begin at it."""
    where = deep(sizes)
    code = PrePost().code(where)
    for layer in range(where.layers - 1):
        for neuron in range(sizes[layer + 1]):
            ends = code[(where.layer == layer) & (where.post == neuron), 1]
            begins = code[(where.layer == layer + 1) & (where.pre == neuron) & ~where.bias, 0]
            assert len({*ends.tolist(), *begins.tolist()}) == 1


def test_pre_post_layer_in_closed_form():
    where = deep((4, 3, 2))
    sizes = np.asarray([where.size(layer) for layer in where.layer.tolist()])
    expected = np.stack([where.pre / (sizes[:, 0] - 1), where.post / (sizes[:, 1] - 1), where.layer], axis=1)
    np.testing.assert_allclose(PrePostLayer().code(where), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("topology", "words"),
    [(OnlyPost(), r"gives 9 synapses the same code \(0\)"), (OnlyPostOfNeurons(), "gives 2 neurons the same code")],
    ids=["synapse", "neuron"],
)
def test_codes_that_are_not_unique_are_refused_in_one_line(topology, words):
    # The first neuron of each layer has 5 synapses from 4 inputs, and 4 from 3 neurons: 9 share its number.
    state = SynapseState((Place(topology),))
    learners = (
        SynapseAgents(DeepPolicy((3,)), SynapticRule(state)),
        AntitheticSynapseAgents(DeepPolicy((3,)), state=state),
    )
    with pytest.raises(InvalidInput, match=f"^{type(topology).__name__} {words}") as caught:
        SynapticRule(state).init(deep((4, 3, 2)), jax.random.key(0))
    assert "\n" not in str(caught.value)
    for learner in learners:
        with pytest.raises(InvalidInput, match="must be unique"):
            learner.init(ActionReward(), jax.random.key(0))


def test_synapses_of_one_neuron_may_share_a_code_that_names_neurons():
    assert len(OnlyPostOfNeurons().checked_code(deep((4, 3)))) == 15


def test_a_layer_needs_no_bias():
    where = places((jnp.zeros((2, 3)), Linear.init(3, 1, jax.random.key(0))))
    assert where.size(0) == (2, 3) and where.size(1) == (4, 1) and where.bias.sum() == 1

"""What a policy says went over its synapses is what its decision was made of."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import LinearRate, PopulationRate, SpikeCountChoice, SpikeRate
from spikeloop.encoders import BernoulliPopulationCode, OneHotBins, RegularPlaceCells
from spikeloop.networks import (
    Circuit,
    DelayedFeedForward,
    FeedForward,
    FixedProjection,
    Plastic,
    Population,
    SpikingInputs,
    TrainableProjection,
)
from spikeloop.neurons import Ising
from spikeloop.policies import (
    CoagentPolicy,
    DeepPolicy,
    EncodedDeepPolicy,
    KeepBetweenDecisions,
    NearOrFar,
    PlaceAndActionPolicy,
    SharedHidden,
    SpikingPolicy,
    StandardisedPolicy,
)

OUT = 3
CIRCUIT = Circuit(
    populations=(Population("in", 4), Population("out", 3)),
    projections=(
        TrainableProjection("in", "out", 2, ampa2=60.0, nmda=5.0, delay=(1.0, 2.0)),
        FixedProjection("out", "out", 1, gaba=10.0),
    ),
)
POLICIES = {
    "feed-forward": SpikingPolicy(network=FeedForward((6, 5)), ticks=5),
    "stochastic": SpikingPolicy(BernoulliPopulationCode(5), FeedForward((6,)), PopulationRate(4), ticks=5),
    "delayed": SpikingPolicy(OneHotBins(3), DelayedFeedForward((12, 5)), SpikeCountChoice(), ticks=50),
    "circuit": SpikingPolicy(network=CIRCUIT, decoder=SpikeRate(), ticks=40, between_decisions=KeepBetweenDecisions()),
    "plastic": SpikingPolicy(network=Plastic(FeedForward((6, 5))), decoder=LinearRate(), ticks=5),
    "spiking inputs": SpikingPolicy(
        RegularPlaceCells(cells=(3, 1, 2, 1)), SpikingInputs(6, FeedForward((5,))), SpikeRate(), ticks=5
    ),
    "deep": DeepPolicy((6, 5)),
    "encoded deep": EncodedDeepPolicy(OneHotBins(3), (6,), PopulationRate(4)),
    "standardised": StandardisedPolicy(SpikingPolicy(network=FeedForward((6,)), ticks=3)),
    "coagents": CoagentPolicy(neuron=Ising(), wiring=SharedHidden((4,)), actors=2, ticks=5, taps=2),
    "place and action": PlaceAndActionPolicy(hidden=40, places=7),
    "near or far": NearOrFar(DeepPolicy((3,)), SpikingPolicy(network=FeedForward((4,)), ticks=2), 1, 0.2),
}


@functools.cache
def decide(name: str):
    """A batch of decisions on random observations, by `__call__` and by `activity`."""
    policy = POLICIES[name]
    params = policy.init(4, OUT, jax.random.key(0))
    scale = 40.0 if name == "circuit" else 1.0
    observations = scale * jnp.asarray(np.random.default_rng(1).normal(size=(6, 4)), jnp.float32)
    if name == "place and action":
        observations = (observations > 0).astype(jnp.float32)
    keys = jax.random.split(jax.random.key(2), 6)

    def one(obs, key):
        given = (params, policy.init_state(params), obs, key if policy.stochastic else None)
        return policy(*given), policy.activity(*given)

    return jax.jit(jax.vmap(one))(observations, keys)


@pytest.mark.parametrize("name", POLICIES)
def test_it_is_the_same_decision(name):
    (state, decision), (after, activity) = decide(name)
    np.testing.assert_allclose(activity.decision.output, decision.output, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(activity.decision.spikes, decision.spikes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert jax.tree.structure(state) == jax.tree.structure(after)
    assert activity.traffic and len({one.name for one in activity.traffic}) == len(activity.traffic)
    assert any(np.asarray(one.inputs).any() for one in activity.traffic)
    for one in activity.traffic:
        inputs = np.asarray(one.inputs)
        assert inputs.shape[2] == one.weights.shape[1]
        assert not one.constant or (inputs == inputs[:, :1]).all()


@pytest.mark.parametrize("name", ["feed-forward", "stochastic", "delayed", "circuit", "plastic", "spiking inputs"])
def test_the_spikes_of_a_decision_are_its_outputs_and_what_is_sent_on(name):
    _, (_, activity) = decide(name)
    for counts, outputs in zip(activity.decision.spikes, activity.outputs, strict=True):
        np.testing.assert_array_equal(counts, np.asarray(outputs).sum(axis=1))
    assert sum(np.asarray(counts).sum() for counts in activity.decision.spikes) > 0
    for one in activity.traffic:
        if one.name.startswith("population") and one.inputs.shape[1] > 1:
            pre = int(one.name.split()[1])
            np.testing.assert_array_equal(one.inputs, activity.outputs[pre])


@pytest.mark.parametrize("name", ["feed-forward", "delayed", "circuit", "plastic"])
def test_membranes_are_followed_tick_by_tick(name):
    _, (_, activity) = decide(name)
    assert any((np.diff(np.asarray(v), axis=1) != 0).any() for v in activity.potentials)


def test_a_circuit_has_a_pathway_for_each_kind_of_receptor():
    params = CIRCUIT.init(4, None, jax.random.key(0))
    ways = CIRCUIT.pathways(params, CIRCUIT.init_state(params))
    assert [(way.pre, way.post) for way in ways] == [(0, 1), (0, 1), (1, 1)]
    # So many inputs of every neuron as its convergence says, and the two kinds of a synapse at the same places.
    np.testing.assert_array_equal(np.count_nonzero(ways[0].weights, axis=0), 2)
    np.testing.assert_array_equal(np.asarray(ways[0].weights) != 0, np.asarray(ways[1].weights) != 0)
    np.testing.assert_array_equal(np.count_nonzero(ways[2].weights, axis=0), 1)


def test_plastic_weights_are_counted_as_the_rule_has_made_them():
    network = Plastic(FeedForward((6, 5)))
    params = network.init(4, None, jax.random.key(0))
    state = network.init_state(params)
    state = jax.tree.map(jnp.zeros_like, state)
    first, second = network.pathways(params, state)
    assert np.asarray(first.weights).any() and not np.asarray(second.weights).any()


def test_a_memory_counts_the_membranes_of_the_readout_too():
    policy = SpikingPolicy(network=FeedForward((6, 5)))
    params = policy.init(4, OUT, jax.random.key(0))
    sizes = [leaf.size for leaf in jax.tree.leaves(jax.eval_shape(policy.memory, params))]
    assert sorted(sizes) == [3, 5, 6]

"""Counting by hand, exactness beyond 32 bits, and the laws that hold of every measurement."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.analysis.measurement import Measurement, Tally, count, has_synapses, measure, over_episodes
from spikeloop.analysis.measurement.energy import default_tables
from spikeloop.analysis.measurement.report import Report, as_json
from spikeloop.environments import Discrete, Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor
from spikeloop.networks import FeedForward, Fixed
from spikeloop.policies import Activity, BlindPolicy, Decision, DeepPolicy, SpikingPolicy, Traffic
from spikeloop.training import evaluate

WORLD = Gymnax("CartPole-v1", max_steps=8)
SPIKING = SpikingPolicy(network=FeedForward((6, 5)), ticks=4)


def stacked(policy, seeds=2) -> Actor:
    """Untrained policies of so many seeds."""
    keys = jax.random.split(jax.random.key(0), seeds)
    return Actor(policy, jax.vmap(lambda key: policy.init(4, 2, key))(keys), Discrete(2))


@pytest.fixture(scope="module")
def spiking() -> Measurement:
    """A spiking policy, of two seeds in three episodes each."""
    return measure(WORLD, stacked(SPIKING), episodes=3, seed=5)


def test_operations_by_hand():
    weights = jnp.asarray([[1.0, 0.0], [2.0, 3.0], [0.0, 0.0]])
    inputs = jnp.asarray([[1.0, 0.0, 1.0], [0.5, 0.0, 0.0], [0.0, -1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    outputs = jnp.asarray([[0.0, 0.2], [0.0, 0.0], [1.0, -1.0]])
    potentials = jnp.asarray([[0.0, 0.0], [0.5, 0.0], [0.5, 0.0], [0.0, 0.1]])
    counts = count(
        Activity(Decision(jnp.zeros(2), ()), (Traffic(weights, inputs, "by hand"),), (outputs,), (potentials,))
    )
    # Spikes and their negatives add; as soon as one input is anything else, all of the product is multiplied.
    assert counts.acs[0].tolist() == [1, 0, 2, 0, 0]
    assert counts.macs[0].tolist() == [0, 1, 0, 3, 0]
    assert int(counts.active[0]) == 3
    # Both in the first tick; then the first neuron moves once; then both.
    assert int(counts.updates[0]) == 2 + 1 + 0 + 2


def test_tallies_are_exact_where_floats_and_32_bits_are_not():
    numbers = np.random.default_rng(0).integers(0, 2**31 - 1, (2000, 3), dtype=np.int32)
    numbers[0] = 2**31 - 1

    def take(tally, more):
        return tally.plus(more), None

    tally, _ = jax.jit(lambda start, rows: jax.lax.scan(take, start, rows))(Tally.zero(), jnp.asarray(numbers))
    exact = int(numbers.astype(object).sum())
    assert exact > 1e12 and int(tally.read()) == exact
    assert float(np.float32(exact)) != exact


def test_measured_episodes_are_those_of_an_evaluation(spiking):
    actors = stacked(SPIKING)
    keys = jax.random.split(jax.random.key(5), 2)

    def one(params, key):
        return evaluate(WORLD, Actor(SPIKING, params, actors.actions), key, 3)

    played = jax.jit(jax.vmap(one))(actors.params, keys)
    np.testing.assert_array_equal(spiking.returns, played.returns)
    np.testing.assert_array_equal(spiking.decisions, played.lengths)
    # Without zero weights every spike is as many ACs as its neuron has synapses onto the next layer.
    fired = [np.asarray(counts).sum(axis=1) for counts in played.spikes]
    sent = [one.acs.sum(axis=1) for one in spiking.connections]
    np.testing.assert_array_equal(sent[1], fired[0] * 5)
    np.testing.assert_array_equal(sent[2], fired[1] * 2)
    np.testing.assert_array_equal([layer.counted.sum(axis=1) for layer in spiking.layers], fired)
    assert fired[0].all()


def test_a_constant_input_counts_at_every_tick_or_once(spiking):
    decisions = spiking.decisions
    np.testing.assert_array_equal(spiking.work().macs, decisions * 4 * 6 * SPIKING.ticks)
    np.testing.assert_array_equal(spiking.work(once=True).macs, decisions * 4 * 6)
    np.testing.assert_array_equal(spiking.work().acs, spiking.work(once=True).acs)
    np.testing.assert_array_equal(spiking.dense(), decisions * (24 + 30 + 10) * 4)
    np.testing.assert_array_equal(spiking.dense(once=True), decisions * (24 + 40 * 4))
    assert spiking.folds


def test_sparsities_and_scopes_fit_the_totals(spiking):
    possible = spiking.decisions * 4 * (6 + 5)
    active = sum(layer.counted for layer in spiking.layers)
    np.testing.assert_allclose(spiking.activation_sparsity, 1.0 - active / possible)
    np.testing.assert_array_equal(spiking.connection_sparsity, 0.0)
    work, episode = spiking.work(), spiking.decisions * 4 * (6 + 5 + 2)
    np.testing.assert_array_equal(work.updates + work.idle, episode)
    assert (work.updates < episode).any() and (work.updates >= spiking.decisions * 13).all()
    np.testing.assert_allclose(spiking.per("tick", work.acs) * 4, spiking.per("decision", work.acs))
    np.testing.assert_array_equal(spiking.per("episode", work.acs), work.acs)
    # Median over episodes, then the mean of two seeds.
    expected = np.median(work.acs / spiking.decisions, axis=1).mean()
    assert over_episodes(spiking.per("decision", work.acs)).estimate == pytest.approx(expected)
    assert Report.of(spiking, []).acs.estimate == pytest.approx(expected)


def test_memory_of_a_spiking_policy(spiking):
    parameters = 4 * 6 + 6 + 6 * 5 + 5 + 5 * 2 + 2
    assert spiking.memory.parameters == parameters
    assert (spiking.memory.parameter_bytes, spiking.memory.state_bytes) == (4 * parameters, 4 * (6 + 5 + 2))
    assert spiking.memory.footprint == 4 * (parameters + 13)


def test_a_deep_policy_multiplies_what_is_not_zero():
    actors = stacked(DeepPolicy((7,)), seeds=1)
    pruned = eqx.tree_at(lambda a: a.params[0].weight, actors, replace_fn=lambda w: w.at[0, :, :3].set(0.0))
    found = measure(WORLD, pruned, episodes=2)
    first, second = found.connections
    np.testing.assert_array_equal(first.macs, found.decisions * 4 * 4)
    assert first.present.tolist() == [16] and found.connection_sparsity[0] == pytest.approx(12 / 42)
    np.testing.assert_array_equal(second.macs, found.layers[0].counted * 2)
    np.testing.assert_array_equal(found.dense(), found.decisions * 42)
    assert not found.work().acs.any() and not found.membranes and found.memory.state_bytes == 0
    assert not found.folds and "constant_input_once" not in as_json(found, default_tables())


def test_fixed_arrays_are_no_parameters():
    from spikeloop.analysis.measurement.measure import _memory

    shapes = (jax.ShapeDtypeStruct((3,), jnp.float32), Fixed(jax.ShapeDtypeStruct((5,), jnp.int32)))
    memory = _memory(BlindPolicy(), shapes)
    assert (memory.parameters, memory.parameter_bytes, memory.fixed_bytes) == (3, 12, 20)


def test_a_policy_without_synapses_is_refused():
    actors = stacked(BlindPolicy(), seeds=1)
    assert not has_synapses(WORLD, actors) and has_synapses(WORLD, stacked(SPIKING))
    with pytest.raises(InvalidInput, match="BlindPolicy has no synapses"):
        measure(WORLD, actors)
    with pytest.raises(InvalidInput, match="at least one episode, got 0"):
        measure(WORLD, stacked(SPIKING), episodes=0)


def test_json_holds_both_ways_of_counting(spiking):
    found = as_json(spiking, default_tables())
    once = found["constant_input_once"]["decision"]["effective_macs"]["iqm"]
    assert found["every_tick"]["decision"]["effective_macs"]["iqm"] == 4 * once == 96.0
    assert found["every_tick"]["tick"]["effective_macs"]["iqm"] == 24.0
    assert [one["times_a_decision"] for one in found["connections"]] == [4, 4, 4]

"""The spiking policy against a loop in plain numpy, and what happens between decisions."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import LastMembrane, LinearRate, MaxAbsMembrane, MaxMembrane, MeanMembrane, SpikeRate
from spikeloop.encoders import AbstractEncoder, Direct
from spikeloop.errors import InvalidInput
from spikeloop.networks import FeedForward
from spikeloop.neurons import (
    DecayedInputLeakyIntegrateAndFire,
    HardReset,
    IntegrateAndFire,
    LeakyIntegrateAndFire,
    LeakyIntegrator,
    SoftReset,
)
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy

TICKS, OBS, OUT = 6, 3, 2
NEURONS = (
    IntegrateAndFire(0.5),
    IntegrateAndFire(0.5, SoftReset()),
    LeakyIntegrateAndFire(2.0, 0.5, HardReset(-0.5)),
    DecayedInputLeakyIntegrateAndFire(2.0, 0.25, SoftReset()),
)
DECODERS = (LastMembrane(), MeanMembrane(), MaxMembrane(), MaxAbsMembrane(), SpikeRate(), LinearRate())


class Coin(AbstractEncoder):
    """Each input is the observation or nothing, at random: a stochastic encoder to test with."""

    stochastic = True

    def size(self, obs_size):
        return obs_size

    def step(self, params, state, obs, key):
        return state, obs * jax.random.bernoulli(key, 0.5, obs.shape).astype(obs.dtype)


def dyadic(tree, seed=0):
    """The same tree filled with sixteenths, whose sums and halves are exact in single precision."""
    generator = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.asarray(generator.integers(-16, 17, leaf.shape) / 16, jnp.float32), tree)


def make(neuron=NEURONS[0], decoder=DECODERS[0], seed=0, **fields: Any):
    policy = SpikingPolicy(network=FeedForward((5, 4), neuron), decoder=decoder, ticks=TICKS, **fields)
    return policy, dyadic(policy.init(OBS, OUT, jax.random.key(0)), seed)


def decide(policy, params, obs, key=None):
    return policy(params, policy.init_state(params), jnp.asarray(obs), key)[1]


def fire(neuron, v, current):
    """One tick of a population, in plain numpy: spikes and potential."""
    if isinstance(neuron, IntegrateAndFire):
        v = v + current
    elif isinstance(neuron, LeakyIntegrateAndFire):
        v = v * (1 - 1 / neuron.tau) + current
    else:
        v = v + (current - v) / neuron.tau
    spikes = (v >= neuron.threshold).astype(float)
    if isinstance(neuron.reset, SoftReset):
        return spikes, v - neuron.threshold * spikes
    assert isinstance(neuron.reset, HardReset)
    return spikes, np.where(spikes > 0, neuron.reset.value, v)


def read(decoder, params, spikes):
    """A decoder in plain numpy, from the spikes of all ticks."""
    if isinstance(decoder, SpikeRate):
        return spikes.mean(0)
    weight, bias = np.asarray(params.weight, float), np.asarray(params.bias, float)
    if isinstance(decoder, LinearRate):
        return spikes.mean(0) @ weight + bias
    v, potentials = np.zeros(bias.shape), []
    for fired in spikes:
        v = v + (fired @ weight + bias - v) / decoder.neuron.tau
        potentials.append(v)
    v = np.stack(potentials)
    statistics = {LastMembrane: v[-1], MeanMembrane: v.mean(0), MaxMembrane: v.max(0)}
    return statistics[type(decoder)] if type(decoder) in statistics else v[np.abs(v).argmax(0), np.arange(v.shape[1])]


def naive(policy, params, obs):
    """Spikes of every population at every tick, and the output."""
    layers = [(np.asarray(layer.weight, float), np.asarray(layer.bias, float)) for layer in params.network]
    v = [np.zeros(bias.shape) for _, bias in layers]
    record = [[] for _ in layers]
    for _ in range(policy.ticks):
        signal = np.asarray(obs, float)
        for place, (weight, bias) in enumerate(layers):
            signal, v[place] = fire(policy.network.neuron, v[place], signal @ weight + bias)
            record[place].append(signal)
    spikes = [np.stack(population) for population in record]
    return spikes, read(policy.decoder, params.decoder, spikes[-1])


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda neuron: type(neuron).__name__)
@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: type(decoder).__name__)
def test_policy_equals_a_plain_loop_and_its_trace(neuron, decoder):
    policy, params = make(neuron, decoder)
    compiled = eqx.filter_jit(lambda obs: policy.trace(params, policy.init_state(params), obs, None)[1])
    plain = eqx.filter_jit(lambda obs: decide(policy, params, obs))
    fired = 0
    for obs in ([1.0, -0.5, 0.25], [-1.0, 2.0, 0.5], [0.0, 0.0, 0.0]):
        spikes, output = naive(policy, params, obs)
        traced, decision = compiled(jnp.asarray(obs)), plain(jnp.asarray(obs))
        np.testing.assert_allclose(np.asarray(decision.output), output, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(np.asarray(traced.decision.output), output, rtol=1e-6, atol=1e-7)
        for counts, kept, expected in zip(decision.spikes, traced.trace.spikes, spikes, strict=True):
            np.testing.assert_array_equal(np.asarray(kept), expected)
            np.testing.assert_array_equal(np.asarray(counts), expected.sum(0))
        np.testing.assert_allclose(np.asarray(traced.trace.evidence)[-1], output, rtol=1e-6, atol=1e-7)
        fired += sum(population.sum() for population in spikes)
    assert fired > 0
    assert tuple(len(counts) for counts in decision.spikes) == policy.populations(OUT)


def test_reset_between_decisions_forgets():
    policy, params = make()
    state = policy.init_state(params)
    state, first = policy(params, state, jnp.asarray([1.0, -0.5, 0.25]), None)
    _, again = policy(params, state, jnp.asarray([1.0, -0.5, 0.25]), None)
    assert eqx.tree_equal(first, again) and not policy.carries_state


def test_keep_between_decisions_goes_on_where_it_was():
    """Two decisions of T ticks have the spikes of one decision of 2T, and the second differs from the first."""
    obs = jnp.asarray([1.0, -0.5, 0.25])
    policy, params = make(NEURONS[1], between_decisions=KeepBetweenDecisions())
    long = eqx.tree_at(lambda p: p.ticks, policy, 2 * TICKS)
    state, first = policy.trace(params, policy.init_state(params), obs, None)
    assert any(population.v.any() for population in state.network)
    _, second = policy.trace(params, state, obs, None)
    _, whole = long.trace(params, policy.init_state(params), obs, None)
    for one, two, both in zip(first.trace.spikes, second.trace.spikes, whole.trace.spikes, strict=True):
        np.testing.assert_array_equal(np.concatenate([one, two]), np.asarray(both))
    assert not eqx.tree_equal(first.trace.spikes, second.trace.spikes)
    assert policy.carries_state


def test_vmap_equals_one_by_one():
    policy, params = make()
    batch = jnp.asarray(np.random.default_rng(0).normal(size=(4, OBS)), jnp.float32)
    together = jax.vmap(lambda obs: decide(policy, params, obs))(batch)
    for place, obs in enumerate(batch):
        alone = decide(policy, params, obs)
        np.testing.assert_allclose(np.asarray(together.output[place]), np.asarray(alone.output), rtol=1e-5, atol=1e-6)


def test_an_observation_of_any_shape_is_laid_flat():
    policy = SpikingPolicy(network=FeedForward((5,)), ticks=3)
    params = policy.init(4, OUT, jax.random.key(0))
    obs = jnp.asarray([[1.0, -0.5], [0.25, 2.0]])
    assert eqx.tree_equal(decide(policy, params, obs), decide(policy, params, jnp.ravel(obs)))


def program(policy, params):
    """The decision as JAX's program and as the machine's."""
    state = policy.init_state(params)

    def f(obs, key):
        return policy(params, state, obs, key)

    args = (jnp.ones(OBS), jax.random.key(0))
    return str(jax.make_jaxpr(f)(*args)), jax.jit(f).lower(*args).compile().as_text() or ""


def test_a_deterministic_policy_draws_nothing():
    policy, params = make()
    assert not policy.stochastic
    assert all("random" not in text and "threefry" not in text for text in program(policy, params))
    noisy, noisy_params = make(encoder=Coin())
    assert "random" in program(noisy, noisy_params)[0]  # the words are what a drawing policy would show


def test_a_stochastic_policy_draws_afresh_at_every_tick():
    policy, params = make(NEURONS[0], encoder=Coin())
    assert policy.stochastic
    obs = jnp.asarray([1.0, -0.5, 0.25])
    one, again, two = jax.jit(jax.vmap(lambda key: decide(policy, params, obs, key).output))(
        jax.vmap(jax.random.key)(jnp.asarray([0, 0, 1]))
    )
    assert eqx.tree_equal(one, again) and not eqx.tree_equal(one, two)
    # A coin tossed once a decision would fire at all 8 ticks or at none.
    policy = SpikingPolicy(encoder=Coin(), network=FeedForward((1,), IntegrateAndFire(0.75)), ticks=8)
    params = jax.tree.map(jnp.zeros_like, policy.init(1, 1, jax.random.key(0)))
    params = eqx.tree_at(lambda p: p.network[0].weight, params, jnp.ones((1, 1)))
    keys = jax.random.split(jax.random.key(2), 100)
    counts = jax.jit(jax.vmap(lambda key: decide(policy, params, [1.0], key).spikes[0][0]))(keys)
    assert 3.0 < float(counts.mean()) < 5.0
    assert 1.0 < float(counts.var()) < 3.5  # 8 tosses: variance 2; one toss: 16


class Repeated(AbstractEncoder):
    """Direct coding that does not say that it is the same at every tick."""

    def size(self, obs_size):
        return obs_size

    def step(self, params, state, obs, key):
        return state, obs


def products_per_tick(policy, params):
    """Matrix products in the body of the tick loop."""

    def decide_at_rest(obs):
        return policy(params, policy.init_state(params), obs, None)

    jaxpr = jax.make_jaxpr(decide_at_rest)(jnp.ones(OBS))
    (loop,) = [equation for equation in jaxpr.eqns if equation.primitive.name == "scan"]
    return str(loop.params["jaxpr"]).count("dot_general")


def test_a_constant_input_is_multiplied_once():
    """A direct-coded first layer costs one matrix product a decision and not one a tick, with the same result."""
    policy, params = make()
    repeated, _ = make(encoder=Repeated())
    assert products_per_tick(policy, params) == 1  # the second layer's; the readout's comes after the loop
    assert products_per_tick(repeated, params) == 2
    obs = [1.0, -0.5, 0.25]
    np.testing.assert_array_equal(
        np.asarray(decide(policy, params, obs).output), np.asarray(decide(repeated, params, obs).output)
    )


@pytest.mark.parametrize("ticks", [0, -1, 2.5, True])
def test_invalid_ticks(ticks):
    with pytest.raises((InvalidInput, TypeError)):
        SpikingPolicy(ticks=ticks)


def test_gain_of_the_encoder_scales_the_observation():
    policy, params = make()
    louder = eqx.tree_at(lambda p: p.encoder, policy, Direct(2.0))
    obs = jnp.asarray([0.5, -0.25, 0.125])
    assert eqx.tree_equal(decide(louder, params, obs), decide(policy, params, 2.0 * obs))


def test_readout_time_constant_has_its_effect():
    slow, params = make(decoder=LastMembrane(LeakyIntegrator(1e6)))
    assert float(jnp.abs(decide(slow, params, [1.0, -0.5, 0.25]).output).max()) < 1e-4

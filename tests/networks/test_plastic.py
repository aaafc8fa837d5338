"""A network that changes as it runs: what STDP says pair by pair, what an episode keeps, and the plain network at rate zero."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.component import build, describe
from spikeloop.decoders import SpikeCountChoice
from spikeloop.encoders import Direct
from spikeloop.errors import InvalidInput
from spikeloop.networks import (
    AbstractNetwork,
    Connection,
    DelayedFeedForward,
    FeedForward,
    Layer,
    Linear,
    Plastic,
    SpikingInputs,
)
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire, IntegrateAndFire, SoftReset
from spikeloop.plasticity import STDP, NearestNeighbour
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy


class Ring(AbstractNetwork):
    """One population that also drives itself, a tick later: a user's network."""

    neuron: IntegrateAndFire = IntegrateAndFire(reset=SoftReset())

    @property
    def stochastic(self):
        return False

    def sizes(self, output_population):
        return (output_population or 6,)

    def init(self, in_size, output_population, key):
        (n,) = self.sizes(output_population)
        inwards, around = jax.random.split(key)
        return Linear.init(in_size, n, inwards), Linear.init(n, n, around)

    def init_state(self, params):
        return self.neuron.init(params[1].bias.shape[0]), jnp.zeros_like(params[1].bias)

    def silence(self, params):
        return (jnp.zeros_like(params[1].bias),)

    def drive(self, params, inputs):
        return params[0](inputs)

    def step(self, params, state, current, key):
        neurons, fired = self.neuron.step(state[0], current + params[1](state[1]), None)
        return (neurons, fired), (fired,)

    def connections(self, params):
        return (Connection(params[1].weight, 0, 0),)

    def with_weights(self, params, weights):
        return params[0], Linear(weights[0], params[1].bias)


STACK = FeedForward((4, 6, 5), IntegrateAndFire(reset=SoftReset()))
DELAYED = DelayedFeedForward((4, 6), AlphaCurrentLeakyIntegrateAndFire(t_ref=1.0, resolution=0.2))
RULE = STDP(rate=0.05, w_min=-1.0, w_max=2.0)
PLASTIC = {
    "stack": Plastic(STACK, RULE),
    "delayed": Plastic(DELAYED, STDP(rate=0.05, w_min=-20.0, w_max=30.0, resolution=0.2)),
    "ring": Plastic(Ring(), RULE),
}
networks = pytest.mark.parametrize("network", PLASTIC.values(), ids=PLASTIC)


def loud(network, seed=0):
    """Parameters for four inputs and two outputs with which every population fires: no bias or gene holds a neuron back."""
    params = network.init(4, 2, jax.random.key(seed))
    return jax.tree.map(lambda leaf: jnp.abs(leaf) if leaf.ndim == 1 or _delayed(network) else leaf, params)


def _delayed(network):
    return isinstance(network.network, DelayedFeedForward)


def strength(network):
    """How large an input must be, in the network's own units."""
    return 4000.0 if _delayed(network) else 4.0


def drives(network, seed=0, ticks=300):
    """Random inputs at every tick."""
    return strength(network) * jnp.asarray(np.random.default_rng(seed).random((ticks, 4)))


@eqx.filter_jit
def _run(network, params, inputs):
    def tick(state, now):
        return network.step(params, state, network.drive(params, now), None)

    return jax.lax.scan(tick, network.init_state(params), inputs)


def run(network, params=None, inputs=None):
    """The weights before and after of every connection and the spikes of every population, in double precision."""
    with jax.enable_x64(True):
        params = loud(network) if params is None else params
        state, spikes = _run(network, params, drives(network) if inputs is None else inputs)
        before = [np.asarray(connection.weights) for connection in network.connections(params)]
        after = [np.asarray(connection.weights) for connection in state.connections]
        assert all(fired.any() for fired in spikes)
        return before, after, [np.asarray(fired) for fired in spikes]


def of_all_pairs(rule, delay, pre, post):
    """The change of every weight, a sum over all pairs of spikes, if no bound is in the way."""
    ticks = np.arange(len(pre))
    lag = (ticks[None, :] - ticks[:, None]) * rule.resolution
    window = np.where(lag > 0, np.exp(-lag / rule.tau_pre), -rule.alpha * np.exp(lag / rule.tau_post))
    seen = np.concatenate([np.zeros((delay, post.shape[1])), post])[: len(post)]
    return rule.rate * (rule.w_max - rule.w_min) * pre.T @ window @ seen


@networks
@pytest.mark.parametrize("delay", [0, 1, 7])
def test_every_pair_of_spikes_counts_once(network, delay):
    rule = network.rule.with_fields(
        rate=1e-5, mu_plus=0.0, mu_minus=0.0, alpha=1.3, tau_pre=15.0, tau_post=25.0, w_min=-50.0, w_max=50.0
    )
    network = network.with_fields(rule=rule, dendritic_delay=delay)
    before, after, spikes = run(network)
    for old, new, connection in zip(before, after, network.connections(loud(network)), strict=True):
        expected = of_all_pairs(rule, delay, spikes[connection.pre], spikes[connection.post])
        assert expected.any()
        np.testing.assert_allclose(new - old, expected, rtol=1e-6, atol=1e-12)


def pairings(delay, n=6):
    """The weight after n spikes each of which fires its target in the same tick, and the spikes of the target."""
    rule = STDP(rate=0.05, w_min=0.0, w_max=4.0, tau_pre=1.0, tau_post=1.0, trace=NearestNeighbour())
    network = Plastic(FeedForward((1,), IntegrateAndFire()), rule, dendritic_delay=delay)
    with jax.enable_x64(True):
        params = tuple(Layer(jnp.full((1, 1), weight), jnp.zeros(1)) for weight in (1.0, 2.0))
    inputs = np.zeros((40 * n, 1))
    inputs[::40] = 1.0
    _, (weight,), (_, target) = run(network, params, inputs)
    assert target.sum() == n
    return weight[0, 0]


def test_a_spike_that_fires_its_target_strengthens_their_connection():
    """n pairs a tick apart for the rule; without the dendritic delay they coincide, and STDP takes that for the other order."""
    assert 4.0 - pairings(delay=1) == pytest.approx(2.0 * (1.0 - 0.05 * np.exp(-1.0)) ** 6, rel=1e-9)
    assert pairings(delay=0) == pytest.approx(2.0 * (1.0 - 0.05) ** 6, rel=1e-9)


TICKS = 100  # a decision so long is a loop, which is quick to compile


def policy(network, **fields: Any):
    return SpikingPolicy(Direct(strength(network)), network, SpikeCountChoice(), **{"ticks": TICKS, **fields})


OBSERVATIONS = jnp.asarray(np.random.default_rng(2).uniform(0.2, 1.0, (4, 4)), jnp.float32)
KEEP = KeepBetweenDecisions()


@eqx.filter_jit
def decide(policy, network_params, observations=OBSERVATIONS):
    """Decisions one after the other: the last state, and what was decided with the spikes of every tick."""
    params = policy.init(4, 2, jax.random.key(0))
    params = eqx.tree_at(lambda p: p.network, params, network_params)
    return jax.lax.scan(lambda s, obs: policy.trace(params, s, obs, None), policy.init_state(params), observations)


@networks
def test_at_a_rate_of_zero_it_is_the_plain_network_bit_for_bit(network):
    still = network.with_fields(rule=network.rule.with_fields(rate=0.0))
    params = loud(network)
    _, plain = decide(policy(network, between_decisions=KEEP).with_fields(network=network.network), params)
    _, wrapped = decide(policy(still, between_decisions=KEEP), params)
    assert eqx.tree_equal(plain, wrapped) and all(counts.any() for counts in plain.decision.spikes)
    _, plastic = decide(policy(network, between_decisions=KEEP), params)
    assert not eqx.tree_equal(plain.trace, plastic.trace)


@networks
def test_what_was_learned_lives_as_long_as_the_state(network):
    """Kept, decisions are one long one. Reset, each begins with the parameters again, which do not change."""
    params, same = loud(network), jnp.stack([OBSERVATIONS[0]] * 2)
    kept, two = decide(policy(network, between_decisions=KEEP), params, same)
    once, long = decide(policy(network, ticks=2 * TICKS), params, same[:1])
    for apart, whole in zip(two.trace.spikes, long.trace.spikes, strict=True):
        np.testing.assert_array_equal(np.asarray(apart).reshape(2 * TICKS, -1), np.asarray(whole[0]))
    reset, again = decide(policy(network), params, same)
    first, _ = decide(policy(network), params, same[:1])
    assert eqx.tree_equal(kept.network.connections, once.network.connections)
    assert eqx.tree_equal(reset.network.connections, first.network.connections)
    assert eqx.tree_equal(*(jax.tree.map(lambda leaf, k=k: leaf[k], again) for k in (0, 1)))
    for changed, connection in zip(kept.network.connections, network.connections(params), strict=True):
        assert (changed.weights != connection.weights).any()


@networks
@given(seed=st.integers(0, 10_000), hard=st.booleans())
def test_weights_keep_their_bounds(network, seed, hard):
    rule = network.rule.with_fields(rate=0.5, **({"mu_plus": 0.0, "mu_minus": 0.0} if hard else {}))
    network = network.with_fields(rule=rule)
    state, _ = _run(network, loud(network, seed), drives(network, seed))
    for connection in state.connections:
        weights = np.asarray(connection.weights)
        assert weights.min() >= rule.w_min - 1e-5 and weights.max() <= rule.w_max + 1e-5  # w + (bound - w) is rounded


@networks
def test_vmap_over_a_population_equals_one_by_one(network):
    every = [loud(network, seed) for seed in range(3)]
    together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *every)
    many, spikes = jax.vmap(lambda params: _run(network, params, drives(network)))(together)
    for place, params in enumerate(every):
        alone, fired = _run(network, params, drives(network))
        for a, b in zip(spikes, fired, strict=True):
            np.testing.assert_array_equal(np.asarray(a[place]), np.asarray(b))
        for a, b in zip(jax.tree.leaves(many.connections), jax.tree.leaves(alone.connections), strict=True):
            np.testing.assert_allclose(np.asarray(a[place]), np.asarray(b), rtol=1e-5, atol=1e-6)


def test_spiking_inputs_are_the_network_itself_with_one_more_plastic_connection():
    """Its first connection is plastic by the same rule as any other, seen from the encoder's spikes."""
    wrapped = SpikingInputs(4, FeedForward((6,), STACK.neuron))
    rule = STDP(rate=1e-5, mu_plus=0.0, mu_minus=0.0, tau_pre=15.0, tau_post=25.0, w_min=-50.0, w_max=50.0)
    inputs = jnp.asarray(np.random.default_rng(5).random((300, 4)) < 0.3, float)
    params = jax.tree.map(jnp.abs, wrapped.init(4, 2, jax.random.key(0)))
    _, (seen, *spikes) = _run(wrapped, params, inputs)
    _, plain = _run(wrapped.network, params, inputs)
    np.testing.assert_array_equal(np.asarray(seen), np.asarray(inputs))
    assert all((a == b).all() and a.any() for a, b in zip(spikes, plain, strict=True))
    network = Plastic(wrapped, rule, only=(0,))
    before, after, fired = run(network, inputs=np.asarray(inputs, np.float64))
    np.testing.assert_allclose(after[0] - before[0], of_all_pairs(rule, 1, fired[0], fired[1]), rtol=1e-6, atol=1e-12)


def test_connections_can_be_chosen_and_have_rules_of_their_own():
    """The others stay as they are; one rule in two wrappings is that rule on both connections."""
    before, both, spikes = run(Plastic(STACK, RULE, only=(0, 2)))
    assert len(before) == 3 and len(both) == 2 and all((both[i] != before[2 * i]).any() for i in (0, 1))
    outer = run(Plastic(Plastic(STACK, RULE, only=(0,)), RULE, only=(2,)))
    np.testing.assert_array_equal(outer[1][0], both[1])
    for one, other in zip(outer[2], spikes, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "network",
    [STACK, DELAYED, Ring(), PLASTIC["stack"], SpikingInputs(4, STACK)],
    ids=lambda network: type(network).__name__,
)
def test_weights_of_connections_go_in_as_they_come_out(network):
    params = network.init(4, 2, jax.random.key(0))
    connections, sizes = network.connections(params), network.sizes(2)
    assert all(c.weights.shape == (sizes[c.pre], sizes[c.post]) for c in connections)
    assert eqx.tree_equal(network.with_weights(params, tuple(c.weights for c in connections)), params)
    doubled = tuple(2.0 * c.weights for c in connections)
    changed = network.connections(network.with_weights(params, doubled))
    assert eqx.tree_equal(tuple(c.weights for c in changed), doubled)


def test_gradient_reaches_the_weights_that_a_life_begins_with():
    network = Plastic(FeedForward((4, 6), STACK.neuron), RULE)
    gradient = jax.grad(lambda params: jnp.sum(_run(network, params, drives(network, ticks=20))[1][-1]))(loud(network))
    assert all(np.isfinite(leaf).all() and leaf.any() for leaf in jax.tree.leaves(gradient))


def test_chosen_connections_survive_the_way_to_json():
    network = Plastic(DELAYED, RULE, only=(1, 0))
    assert build(describe(network)) == network


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Plastic(only=()), r"^Plastic\.only must be None or a non-empty tuple of different whole numbers"),
        (lambda: Plastic(only=(0, 0)), r"^Plastic\.only must be None or a non-empty tuple"),
        (lambda: Plastic(only=(-1,)), r"^Plastic\.only must be None or a non-empty tuple"),
        (
            lambda: Plastic(dendritic_delay=-1),
            r"^Plastic\.dendritic_delay must be a whole number of at least 0, got -1$",
        ),
        (
            lambda: Plastic(FeedForward((8,))).init(4, None, jax.random.key(0)),
            r"^Plastic needs a connection between two populations, and this FeedForward has none$",
        ),
        (
            lambda: Plastic(STACK, only=(0, 3)).init(4, 2, jax.random.key(0)),
            r"^Plastic\.only must be below 3, the connections of FeedForward, got \(0, 3\)$",
        ),
    ],
)
def test_mistakes_are_answered_in_one_line(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()

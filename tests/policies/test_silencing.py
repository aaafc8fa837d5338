"""Every kind of policy that spikes can have neurons silenced, exactly."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import SpikeRate
from spikeloop.errors import InvalidInput
from spikeloop.networks import FeedForward, Plastic, Silenced
from spikeloop.neurons import BernoulliLogistic
from spikeloop.policies import (
    CoagentPolicy,
    DeepPolicy,
    DrawnWeights,
    NearOrFar,
    PlaceAndActionPolicy,
    SpikingPolicy,
    StandardisedPolicy,
    TurnAway,
    silenced,
)

OBS, OUT = 5, 2
SPIKING = SpikingPolicy(network=FeedForward((6,)), decoder=SpikeRate(), ticks=6)
POLICIES = {
    "spiking": SPIKING,
    "plastic": SPIKING.with_fields(network=Plastic(FeedForward((6,)))),
    "standardised": StandardisedPolicy(SPIKING),
    "near or far": NearOrFar(TurnAway(), SPIKING.with_fields(network=FeedForward((16,))), sensors=1, threshold=9.0),
    "coagents": CoagentPolicy(neuron=BernoulliLogistic(), actors=3, ticks=4, taps=2, least=-1.0, most=2.0),
    "place and action": PlaceAndActionPolicy(hidden=40, places=6, start=DrawnWeights()),
}


@pytest.fixture(params=POLICIES)
def made(request):
    policy = POLICIES[request.param]
    params = policy.init(OBS, OUT, jax.random.key(0))
    return policy, jax.tree.map(lambda leaf: 3.0 * leaf, params)


@eqx.filter_jit
def decide(policy, params):
    obs, key = jnp.asarray([1.0, -2.0, 3.0, 1.5, 2.0]), jax.random.key(1)
    return policy(params, policy.init_state(params), obs, key if policy.stochastic else None)[1]


def test_all_alive_decides_as_before_to_the_bit(made):
    policy, params = made
    whole = decide(policy, params)
    alive = tuple(map(jnp.ones, policy.populations(OUT)))
    again = decide(*silenced(policy, params, alive))
    assert sum(float(counts.sum()) for counts in whole.spikes) > 0
    np.testing.assert_array_equal(again.output, whole.output)
    jax.tree.map(np.testing.assert_array_equal, again.spikes, whole.spikes)


def test_none_alive_gives_no_spikes_and_no_evidence(made):
    policy, params = made
    none = decide(*silenced(policy, params, tuple(map(jnp.zeros, policy.populations(OUT)))))
    assert not any(counts.any() for counts in none.spikes)
    assert not none.output.any()


def test_lesions_are_a_vmap(made):
    policy, params = made
    sizes = policy.populations(OUT)
    alive = tuple(jnp.ones((sizes[0], size)) for size in sizes)
    alive = (jnp.ones((sizes[0], sizes[0])) - jnp.eye(sizes[0]), *alive[1:])
    found = jax.jit(jax.vmap(lambda rows: decide(*silenced(policy, params, rows)).spikes[0]))(alive)
    assert not jnp.diagonal(found).any()
    one = decide(*silenced(policy, params, tuple(rows[2] for rows in alive))).spikes[0]
    np.testing.assert_array_equal(found[2], one)


def test_plasticity_stays_outside_of_what_is_silenced():
    policy = POLICIES["plastic"]
    params = policy.init(OBS, OUT, jax.random.key(0))
    made, _ = silenced(policy, params, tuple(map(jnp.ones, policy.populations(OUT))))
    assert isinstance(made, SpikingPolicy) and isinstance(made.network, Plastic)
    assert isinstance(made.network.network, Silenced)


def test_twice_silenced_is_silenced_by_both():
    params = jax.tree.map(lambda leaf: 3.0 * leaf, SPIKING.init(OBS, OUT, jax.random.key(0)))
    first, second = (tuple(map(jnp.ones, (6, OUT))) for _ in range(2))
    first, second = (first[0].at[0].set(0.0), first[1]), (second[0].at[1].set(0.0), second[1])
    both = (first[0] * second[0], first[1])
    twice = decide(*silenced(*silenced(SPIKING, params, first), second))
    np.testing.assert_array_equal(twice.spikes[0], decide(*silenced(SPIKING, params, both)).spikes[0])


def test_a_policy_without_spikes_has_none_to_silence():
    policy = DeepPolicy()
    params = policy.init(OBS, OUT, jax.random.key(0))
    assert silenced(policy, params, ()) == (policy, params)
    with pytest.raises(InvalidInput, match="DeepPolicy"):
        silenced(policy, params, (jnp.ones(3),))

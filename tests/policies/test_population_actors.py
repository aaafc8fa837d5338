"""The actors of PopSAN and MDC-SAN, composed of parts, against their equations written out in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import PopulationRate
from spikeloop.encoders import DeterministicPopulationCode, PopulationCode
from spikeloop.environments import Box
from spikeloop.interaction import Greedy
from spikeloop.networks import FeedForward
from spikeloop.neurons import CurrentLeakyIntegrateAndFire, DynamicNeuron
from spikeloop.policies import SpikingPolicy

TICKS, OBS, OUT = 5, 4, 2
POPSAN = SpikingPolicy(
    DeterministicPopulationCode(), FeedForward((32, 32), CurrentLeakyIntegrateAndFire()), PopulationRate(), TICKS
)
MDC_SAN = SpikingPolicy(PopulationCode(), FeedForward((32, 32), DynamicNeuron()), PopulationRate(), TICKS)


def activity(obs):
    return np.exp(-((obs[:, None] - np.linspace(-3, 3, 10)) ** 2) / (2 * 0.15)).ravel()


def deterministic(obs):
    """Tang et al. 2020: the input of every tick."""
    a, v = activity(obs), 0.0
    for _ in range(TICKS):
        v = v + a
        o = v > 0.999
        v = v - 0.999 * o
        yield o.astype(float)


def lif(state, current):
    c, v, o = state
    c = c / 2 + current
    v = 0.75 * v * (1 - o) + c
    return (c, v, (v > 0.5).astype(float)), v


def dynamic(state, current):
    c, v, u, o = state
    c = c / 2 + current
    v, u = v * (1 - o) + 0.021 * o, u + 0.132 * o
    v, u = v + (v**2 - v - u + c), u + (-0.172 * v - 0.529 * u)
    return (c, v, u, (v > 0.5).astype(float)), v


def by_hand(params, inputs, neuron, variables):
    """The decoder's value for these inputs, and how near any potential came to the threshold."""
    layers = [(np.asarray(layer.weight, float), np.asarray(layer.bias, float)) for layer in params.network]
    states = [tuple(np.zeros(b.size) for _ in range(variables)) for _, b in layers]
    count, near = np.zeros(layers[-1][1].size), np.inf
    for x in inputs:
        for place, (w, b) in enumerate(layers):
            states[place], v = neuron(states[place], x @ w + b)
            x, near = states[place][-1], min(near, np.abs(v - 0.5).min())
        count += x
    rates = (count / TICKS).reshape(OUT, 10)
    return (np.asarray(params.decoder.weight, float) * rates).sum(1) + np.asarray(params.decoder.bias, float), near


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("policy", "inputs", "neuron", "variables"),
    [
        (POPSAN, deterministic, lif, 3),
        (MDC_SAN, lambda obs: [activity(obs)] * TICKS, dynamic, 4),
    ],
    ids=["PopSAN", "MDC-SAN"],
)
def test_actor_equals_its_equations(policy, inputs, neuron, variables, seed):
    assert policy.populations(OUT) == (32, 32, 10 * OUT)
    params = policy.init(OBS, OUT, jax.random.key(seed))
    # Stronger weights, so that every population fires.
    network = jax.tree.map(lambda leaf: 3.0 * leaf, params.network)
    params = type(params)(params.encoder, network, params.decoder)
    obs = np.random.default_rng(seed).normal(size=OBS).astype(np.float32)
    decision = policy(params, policy.init_state(params), jnp.asarray(obs), None)[1]
    expected, near = by_hand(params, inputs(obs.astype(float)), neuron, variables)
    assert near > 1e-5  # no potential so near the threshold that rounding decides
    assert all(np.asarray(counts).any() for counts in decision.spikes)
    np.testing.assert_allclose(np.asarray(decision.output), expected, rtol=1e-5, atol=1e-6)
    # a = a_max tanh(W fr + b): the selection's part.
    action = Greedy()(decision.output, Box((-2.0,) * OUT, (2.0,) * OUT), jnp.zeros((), jnp.int32), None)
    np.testing.assert_allclose(np.asarray(action), 2.0 * np.tanh(expected), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("policy", [POPSAN, MDC_SAN], ids=["PopSAN", "MDC-SAN"])
def test_gradient_reaches_every_parameter(policy):
    params = policy.init(OBS, OUT, jax.random.key(0))
    batch = jnp.asarray(np.random.default_rng(0).normal(size=(16, OBS)), jnp.float32)

    def loss(params):
        outputs = jax.vmap(lambda obs: policy(params, policy.init_state(params), obs, None)[1].output)(batch)
        return jnp.sum(outputs**2)

    gradient = jax.grad(loss)(params)
    assert all(np.isfinite(np.asarray(leaf)).all() and np.asarray(leaf).any() for leaf in jax.tree.leaves(gradient))

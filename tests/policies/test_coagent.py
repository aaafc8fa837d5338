"""Coagent networks: what a unit hears, how probable what it did was, and how votes are pooled; against plain loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import CombinationCode
from spikeloop.errors import InvalidInput
from spikeloop.neurons import BernoulliLogistic
from spikeloop.policies import CoagentPolicy, ModulePerAction, SharedHidden

TRAINS = CombinationCode(levels=3)
POLICIES = {
    "modules": CoagentPolicy(TRAINS, wiring=ModulePerAction((2,)), actors=3, ticks=6, taps=3, least=-1.0, most=1.0),
    "shared": CoagentPolicy(
        TRAINS, BernoulliLogistic(), SharedHidden((3, 2)), actors=2, ticks=5, taps=2, constant=0.5, least=-1.0, most=1.0
    ),
}
ACTIONS = 4


@pytest.fixture(scope="module", params=POLICIES)
def decided(request):
    """A policy, its parameters, a decision and its log-probabilities."""
    policy = POLICIES[request.param]
    params = policy.init(2, ACTIONS, jax.random.key(0))
    _, decision = policy(params, None, jnp.asarray([0.4, 0.9]), jax.random.key(1))
    return policy, params, decision, policy.log_probabilities(params, decision.record)


def test_every_unit_hears_its_last_ticks_and_is_as_probable_as_its_neuron_says(decided):
    policy, params, decision, logs = decided
    ising = isinstance(policy.wiring, ModulePerAction)
    firing, modules = decision.record, policy.wiring.modules(ACTIONS)
    hidden, output = np.zeros((policy.actors, modules)), np.zeros((policy.actors, ACTIONS))
    for actor in range(policy.actors):
        for module in range(modules):
            heard = np.asarray(firing.inputs, np.float64)
            for layer, (all_weights, all_spikes) in enumerate(zip(params.weights, firing.spikes, strict=True)):
                weights, spikes = all_weights[actor, module], np.asarray(all_spikes[:, actor, module])
                taps = policy.taps
                assert len(spikes) == len(heard) - taps + 1
                for tick in range(len(spikes)):
                    window = np.concatenate([*heard[tick : tick + taps], [policy.constant]])
                    for unit in range(spikes.shape[1]):
                        log_odds = (2.0 if ising else 1.0) * float(window @ np.asarray(weights[:, unit], np.float64))
                        sign = 2.0 * spikes[tick, unit] - 1.0
                        log = -np.log1p(np.exp(-sign * log_odds))
                        if layer < len(params.weights) - 1:
                            hidden[actor, module] += log
                        else:
                            output[actor, module * spikes.shape[1] + unit] += log
                heard = 2.0 * spikes - 1.0 if ising else spikes
    np.testing.assert_allclose(np.asarray(logs.hidden), hidden, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(logs.output), output, rtol=1e-4, atol=1e-5)


def test_the_output_is_the_mean_vote_of_the_actors(decided):
    policy, _, decision, _ = decided
    last = np.asarray(decision.record.spikes[-1]).reshape(-1, policy.actors, ACTIONS)
    sent = 2.0 * last - 1.0 if isinstance(policy.wiring, ModulePerAction) else last
    np.testing.assert_allclose(np.asarray(decision.output), sent.mean(axis=1).sum(axis=0), atol=1e-6)


def test_a_trace_ends_in_the_decision_and_tells_when_units_fired(decided):
    policy, params, decision, _ = decided
    _, traced = policy.trace(params, None, jnp.asarray([0.4, 0.9]), jax.random.key(1))
    np.testing.assert_array_equal(np.asarray(traced.decision.output), np.asarray(decision.output))
    np.testing.assert_allclose(np.asarray(traced.trace.evidence[-1]), np.asarray(decision.output), atol=1e-6)
    for spikes, counts in zip(traced.trace.spikes, decision.spikes, strict=True):
        assert len(spikes) == policy.ticks
        np.testing.assert_array_equal(np.asarray(spikes).sum(axis=0), np.asarray(counts))


def test_a_train_too_short_for_the_layers_is_refused():
    with pytest.raises(
        InvalidInput, match=r"^CoagentPolicy\.ticks must be at least 5: each of 2 layers waits for 3 ticks"
    ):
        CoagentPolicy(ticks=4, taps=3)

"""Actor-critic through spikes: its advantage, the gradient of the decision that was made, and that it learns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import flat, iterate
from tests.worlds import Bullseye, ConstantReward, MatchingReward

from spikeloop.decoders import LinearRate
from spikeloop.encoders import OneHotBins
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, LinearDecay, Softmax
from spikeloop.learners import Adam, AnnealedTemperature, GradientActorCritic
from spikeloop.learners.critics import TableValue, TemporalDifference
from spikeloop.learners.gradient_actor_critic import Taken
from spikeloop.networks import FeedForward
from spikeloop.neurons import BernoulliLogistic, BinaryConcrete
from spikeloop.policies import DeepPolicy, KeepBetweenDecisions, SpikingPolicy

NEURON = BernoulliLogistic(draw=BinaryConcrete())
SPIKING = SpikingPolicy(OneHotBins(2, -2.0, 2.0, 1.0), FeedForward((16,), NEURON), LinearRate(), ticks=3)
CRITIC = TemporalDifference(TableValue(low=-2.0, high=2.0, bins=2), 0.1, 0.0)
POLICIES = {"spiking": SPIKING, "deep": DeepPolicy((16,))}


@pytest.mark.parametrize("name", POLICIES)
def test_it_learns_to_match_what_it_sees(name):
    learner = GradientActorCritic(POLICIES[name], Adam(Constant(0.03)), CRITIC, steps_per_update=16)
    _, _, report = iterate(learner, MatchingReward(), 80)
    returns = np.asarray(report.episodes.episode_return)
    assert abs(returns[:5].mean()) < 0.6
    assert returns[-20:].mean() > 0.9


def test_the_advantage_is_the_discounted_sum_of_errors_to_the_end_of_the_episode():
    learner = GradientActorCritic(discount=0.9, trace_decay=0.5)
    error = np.asarray([1.0, -2.0, 0.5, 3.0, 1.5], np.float32)
    done = np.asarray([False, False, True, False, False])
    expected = []
    for t in range(5):
        end = next((k for k in range(t, 5) if done[k]), 4)
        expected.append(sum(0.45 ** (k - t) * error[k] for k in range(t, end + 1)))
    taken = Taken(jnp.zeros((5, 1)), jnp.zeros(5, jnp.int32), None, jnp.asarray(error), jnp.asarray(done))
    np.testing.assert_allclose(np.asarray(learner._advantage(taken)), expected, rtol=1e-6)


def test_a_deep_actors_step_follows_the_policy_gradient():
    """A network without hidden units: its loss has the derivative A (pi - onehot) x for every step, in closed form."""
    policy, rng = DeepPolicy(()), np.random.default_rng(0)
    learner = GradientActorCritic(policy, entropy=0.0)
    params = policy.init(3, 2, jax.random.key(0))
    obs, action = rng.normal(size=(4, 3)).astype(np.float32), np.asarray([0, 1, 1, 0], np.int32)
    advantage = np.asarray([1.0, -0.5, 2.0, 0.3], np.float32)
    taken = Taken(jnp.asarray(obs), jnp.asarray(action), None, jnp.zeros(4), jnp.zeros(4, bool))
    gradient = jax.grad(lambda p: learner._loss(policy, p, taken, jnp.asarray(advantage))[0])(params)
    logits = obs @ np.asarray(params[0].weight) + np.asarray(params[0].bias)
    pi = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    pull = advantage[:, None] * (pi - np.eye(2)[action]) / 4
    np.testing.assert_allclose(np.asarray(gradient[0].weight), obs.T @ pull, rtol=1e-4, atol=1e-6)


def test_the_gradient_is_that_of_the_very_decision_that_was_made():
    """Going over a decision with its record gives the same spikes and the same output."""
    params = SPIKING.init(1, 2, jax.random.key(0))
    _, first = SPIKING(params, SPIKING.init_state(params), jnp.ones(1), jax.random.key(3))
    _, again = SPIKING(params, SPIKING.init_state(params), jnp.ones(1), first.record)
    np.testing.assert_array_equal(np.asarray(first.spikes[0]), np.asarray(again.spikes[0]))
    assert 0 < np.asarray(first.spikes[0]).sum() < 48


def test_annealing_changes_gradients_and_not_spikes():
    params = SPIKING.init(1, 2, jax.random.key(0))
    outputs, gradients = [], []
    for steps in (0, 1000):
        policy = AnnealedTemperature(LinearDecay(1.0, 0.1, 1000))(SPIKING, jnp.asarray(steps))

        def output(p, policy=policy):
            return policy(p, policy.init_state(p), jnp.ones(1), jax.random.key(3))[1].output[0]

        value, gradient = jax.value_and_grad(output)(params)
        outputs.append(float(value))
        gradients.append(flat(jax.tree.map(lambda g: g[None], gradient.network))[0])
    assert outputs[0] == outputs[1]
    assert np.linalg.norm(gradients[1]) > 1.2 * np.linalg.norm(gradients[0]) > 0.0


def test_softmax_draws_as_often_as_it_says():
    output, n = jnp.asarray([0.0, 1.0, -2.0]), 20_000
    selection = Softmax(0.5)
    draw = jax.jit(jax.vmap(lambda key: selection(output, DISCRETE, jnp.asarray(0), key)))
    share = np.bincount(np.asarray(draw(jax.random.split(jax.random.key(0), n))), minlength=3) / n
    p = np.exp(2.0 * np.asarray(output)) / np.exp(2.0 * np.asarray(output)).sum()
    assert (np.abs(share - p) < 4.0 * np.sqrt(p * (1 - p) / n)).all()


DISCRETE = ConstantReward().spec.actions


def test_what_it_cannot_learn_is_refused():
    with pytest.raises(InvalidInput, match=r"^AnnealedTemperature needs neurons with draw=BinaryConcrete\(\)"):
        GradientActorCritic(DeepPolicy(), annealing=AnnealedTemperature()).init(ConstantReward(), jax.random.key(0))
    with pytest.raises(InvalidInput, match=r"^GradientActorCritic needs discrete actions, and those of Bullseye"):
        GradientActorCritic().init(Bullseye(), jax.random.key(0))
    with pytest.raises(InvalidInput, match=r"^GradientActorCritic needs a policy that starts every decision at rest"):
        GradientActorCritic(SpikingPolicy(between_decisions=KeepBetweenDecisions()))

"""DQN learns the known values of tiny worlds, with a deep and with a spiking network."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import ActionReward, ConstantReward, Cut, DelayedReward, MatchingReward, ObservationReward

from spikeloop.interaction import Constant, Replay, UniformRandom
from spikeloop.learners import DQN, Adam, HardTarget
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire
from spikeloop.policies import DeepPolicy, SpikingPolicy

DISCOUNT = 0.5
POLICIES = {
    "deep": DeepPolicy((16,)),
    "spiking": SpikingPolicy(network=FeedForward((32,), IntegrateAndFire(0.5)), ticks=4),
}
# The world, and its Q-values at each observation: a row of one value an action.
WORLDS = {
    "constant": (ConstantReward(), {1.0: [1.0, 1.0]}),
    "observation": (ObservationReward(), {-1.0: [-1.0, -1.0], 1.0: [1.0, 1.0]}),
    "delayed": (DelayedReward(), {-1.0: [DISCOUNT, DISCOUNT], 1.0: [1.0, 1.0]}),
    "action": (ActionReward(), {1.0: [-1.0, 1.0]}),
    "matching": (MatchingReward(), {-1.0: [1.0, -1.0], 1.0: [-1.0, 1.0]}),
    "cut off": (Cut(), {1.0: [1.0 / (1.0 - DISCOUNT)] * 2}),
}


@functools.cache
def learned_values(policy_name, world_name, n_step=1, copies=20):
    """The Q-values at each observation after 600 updates; the target is copied every so many updates."""
    policy, (world, values) = POLICIES[policy_name], WORLDS[world_name]
    observations = jnp.asarray(list(values))[:, None]
    learner = DQN(
        policy,
        Adam(Constant(0.01)),
        UniformRandom(),
        Replay(500),
        HardTarget(copies),
        discount=DISCOUNT,
        n_step=n_step,
        batch_size=32,
        learning_starts=32,
    )

    @jax.jit
    def learn(key):
        init_key, key = jax.random.split(key)
        state, _ = jax.lax.scan(
            lambda state, key: (learner.step(world, state, key)[0], None),
            learner.init(world, init_key),
            jax.random.split(key, 600),
        )
        params = learner.actor(world, state).params
        return jax.vmap(lambda obs: policy(params, policy.init_state(params), obs, None)[1].output)(observations)

    return np.asarray(learn(jax.random.key(0)))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("world", WORLDS)
def test_dqn_finds_the_known_values(policy, world):
    values = WORLDS[world][1]
    np.testing.assert_allclose(learned_values(policy, world), list(values.values()), atol=0.1)


def test_the_time_limit_is_not_a_death():
    """The same steps and rewards, once cut off and once ended, differ by the value that is left: 2 against 1."""
    np.testing.assert_allclose(learned_values("deep", "cut off") - learned_values("deep", "constant"), 1.0, atol=0.15)


@pytest.mark.parametrize("world", ["delayed", "cut off"])
def test_several_steps_at_once_lead_to_the_same_values(world):
    """Runs that reach past the end of an episode must not bring in what came after it."""
    np.testing.assert_allclose(learned_values("deep", world, n_step=3), list(WORLDS[world][1].values()), atol=0.1)


def test_two_steps_at_once_need_no_target_to_see_a_reward_two_steps_ahead():
    """With a target that is never copied one step cannot see the delayed reward, and two steps can."""
    expected = list(WORLDS["delayed"][1].values())
    np.testing.assert_allclose(learned_values("deep", "delayed", n_step=2, copies=10**6), expected, atol=0.1)
    assert np.abs(learned_values("deep", "delayed", n_step=1, copies=10**6)[0] - DISCOUNT).max() > 0.15

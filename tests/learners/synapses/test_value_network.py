"""The shared network: known values of a bandit and of a task without end, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import ActionReward

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, Replay
from spikeloop.learners import Adam, AntitheticSynapseAgents, EpisodicTarget, HardTarget
from spikeloop.learners.synapses import Experience, QNetwork, SynapticRule, places
from spikeloop.networks import FeedForward
from spikeloop.policies import DeepPolicy, KeepBetweenDecisions, SpikingPolicy

KEY = jax.random.key(0)
NETWORK = QNetwork(DeepPolicy((32,)), Adam(Constant(0.01)), Replay(512), HardTarget(20), batch_size=64, updates=10)


def learned(value, live, rounds=60, acting=32):
    """What the network knows after so many rounds of `live`, a function from states and actions to an experience."""

    @jax.jit
    def go(key):
        init_key, key = jax.random.split(key)

        def learn(state, key):
            state_key, action_key, learn_key = jax.random.split(key, 3)
            states = jax.random.uniform(state_key, (acting, 2), minval=-1.0)
            actions = jax.random.randint(action_key, (acting,), -1, 2)
            return value.learn(state, live(states, actions), learn_key), None

        return jax.lax.scan(learn, value.init(2, acting, init_key), jax.random.split(key, rounds))[0]

    return go(KEY)


def bandit(states, actions):
    """The reward is the product of the action and the first number, plus half the second; nothing comes after."""
    rewards = actions.astype(jnp.float32) * states[:, 0] + 0.5 * states[:, 1]
    return Experience(states, actions, rewards, jnp.full_like(states, 9.0), jnp.zeros(()))


def values(value, state, states):
    return np.asarray(jax.vmap(lambda seen: value(state, seen))(jnp.asarray(states)))


def test_the_values_of_a_bandit_are_its_rewards():
    states = np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)
    expected = states[:, :1] * np.asarray([-1.0, 0.0, 1.0]) + 0.5 * states[:, 1:]
    found = values(NETWORK, learned(NETWORK, bandit), states)
    assert np.abs(found - expected).mean() < 0.08
    assert np.abs(expected).mean() > 0.3


@pytest.mark.parametrize("target", [HardTarget(20), EpisodicTarget(20)], ids=lambda target: type(target).__name__)
def test_what_comes_next_counts_with_the_discount(target):
    """Reward 1 for action 1 alone and the same state for ever: 1, 1 and 2 at discount 1/2.

    A target that goes by episodes is copied too, though there are none.
    """

    def for_ever(states, actions):
        states = jnp.zeros_like(states)
        return Experience(states, actions, (actions == 1).astype(jnp.float32), states, jnp.asarray(0.5))

    value = NETWORK.with_fields(target=target)
    np.testing.assert_allclose(values(value, learned(value, for_ever), [[0.0, 0.0]]), [[1.0, 1.0, 2.0]], atol=0.1)


def test_a_target_that_is_never_copied_does_not_move():
    """It holds the values of the first network, about which the others settle: the target is used, and lags."""
    value = NETWORK.with_fields(target=HardTarget(10**6))
    state = learned(value, bandit, rounds=3)
    first = value.init(2, 32, jax.random.split(KEY)[0])
    for lagging, begun, moved in zip(*map(jax.tree.leaves, (state.target, first.online, state.online)), strict=True):
        np.testing.assert_allclose(np.asarray(lagging), np.asarray(begun), rtol=1e-6)
        assert np.abs(np.asarray(moved) - np.asarray(begun)).max() > 1e-3


def test_every_experience_of_every_synapse_is_kept():
    state = learned(NETWORK, bandit, rounds=5, acting=7)
    assert int(state.replay.added) == 5 * 7 and int(state.updates) == 5 * NETWORK.updates
    states, actions, rewards, _, discounts = (np.asarray(leaf)[:35] for leaf in state.replay.items)
    np.testing.assert_allclose(rewards, (actions - 1) * states[:, 0] + 0.5 * states[:, 1], rtol=1e-5, atol=1e-6)
    assert set(actions.tolist()) == {0, 1, 2} and not discounts.any()


def test_one_iteration_must_fit_into_the_replay():
    where = places({"w": jnp.zeros((4, 3))})
    SynapticRule(value=QNetwork(replay=Replay(12))).init(where, KEY)
    with pytest.raises(InvalidInput, match=r"^QNetwork\.replay must hold .* 12 transitions; its capacity is 11$"):
        SynapticRule(value=QNetwork(replay=Replay(11))).init(where, KEY)
    # Both trials of every pair are kept: 2 pairs of 4 synapses make 16.
    antithetic = AntitheticSynapseAgents(DeepPolicy(()), value=QNetwork(replay=Replay(15)), pairs=2)
    with pytest.raises(InvalidInput, match="16 transitions"):
        antithetic.init(ActionReward(), KEY)
    antithetic.with_fields(value=QNetwork(replay=Replay(16))).init(ActionReward(), KEY)


def test_a_network_that_lives_from_one_decision_to_the_next_is_refused():
    with pytest.raises(InvalidInput, match=r"^QNetwork\.network must be a policy that neither"):
        QNetwork(SpikingPolicy(network=FeedForward((4,)), between_decisions=KeepBetweenDecisions()))


@pytest.mark.parametrize("fields", [{"batch_size": 0}, {"updates": 0}])
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match=r"^QNetwork\.\w+ must be a whole number"):
        QNetwork(**fields)

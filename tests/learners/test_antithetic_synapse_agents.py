"""Synapse agents that try both ways: what they are credited with, and that it leads to the optimum."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree
from tests.iterate import flat, iterate
from tests.worlds import Bullseye, ConstantReward, Corridor, WorldState

from spikeloop.environments import AbstractEnvironment, Box, Spec, Step
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant
from spikeloop.learners import AntitheticSynapseAgents, Difference, DifferenceOfRanks, SignOfDifference
from spikeloop.learners.synapses import (
    Additive,
    Credit,
    FollowCredit,
    PreviousActions,
    PreviousRewards,
    SynapseState,
    Table,
    places,
)
from spikeloop.networks import FeedForward
from spikeloop.policies import DeepPolicy, SpikingPolicy

POLICY = DeepPolicy(())  # a linear map: 2 weights and 2 biases on a world that shows one number
REWARDS = (SignOfDifference(), Difference(), DifferenceOfRanks())
each_reward = pytest.mark.parametrize("reward", REWARDS, ids=lambda reward: type(reward).__name__)


class Linear(AbstractEnvironment):
    """One step; the return is 2 x - 3 y of the policy's output (x, y), which is bent into a box and bent back."""

    @property
    def spec(self):
        return Spec("Linear", (1,), Box((-1.0, -1.0), (1.0, 1.0)), 1)

    def reset(self, key):
        state = WorldState(jnp.ones(1), jnp.zeros((), jnp.int32))
        return state, state.obs

    def step(self, state, action, key):
        reward = jnp.dot(jnp.asarray([2.0, -3.0]), jnp.arctanh(action))
        after = WorldState(state.obs, state.steps + 1)
        return after, Step(after.obs, reward, jnp.ones((), bool), jnp.zeros((), bool))


@pytest.mark.parametrize("value", [FollowCredit(), Table(bins=5)], ids=lambda value: type(value).__name__)
def test_they_find_the_bullseye(value):
    """As near as their own trials let them."""
    learner = AntitheticSynapseAgents(POLICY, value=value, change=Additive(0.02), trial_size=0.1)
    for seed in (0, 1):
        _, _, report = iterate(learner, Bullseye(), 300, seed)
        scores = np.asarray(report.metrics["score"])
        assert scores[:5].mean() < -0.2
        # Weight and bias together have a variance of 2 x 0.1^2 in trials; with the slopes 0.75 and 1.5 of the two
        # coordinates at the bullseye, trials alone miss by 0.02 x (0.75^2 + 1.5^2) = 0.056.
        assert scores[-30:].mean() > -0.1


def test_without_a_return_to_follow_they_go_nowhere():
    """All trials are equal: no credit, values that tie, and a walk without drift."""
    learner = AntitheticSynapseAgents(POLICY, value=FollowCredit(), change=Additive(1.0))
    first, states, _ = iterate(learner, ConstantReward(), 400)
    assert not np.asarray(states.credit).any()
    drift = (flat(states.params)[-1] - np.asarray(ravel_pytree(first.params)[0])) / 400
    assert np.abs(drift).max() < 5 * np.sqrt(2 / 3 / 400)


def replayed(learner, state, step_key, world):
    """Trials, returns and told rewards of one iteration in NumPy, from its key; the world shows 1 and has no chance."""
    trial_key = jax.random.split(step_key, 4)[0]
    start = np.asarray(ravel_pytree(state.params)[0], np.float64)
    drawn = jax.random.rademacher(trial_key, (learner.pairs, len(start)), jnp.float32)
    trials = np.asarray(drawn, np.float64)
    tried = start + learner.trial_size * np.stack([trials, -trials])
    x, y = tried[..., 0] + tried[..., 2], tried[..., 1] + tried[..., 3]
    if isinstance(world, Linear):
        return trials, 2.0 * x - 3.0 * y
    return trials, -((np.tanh(x) - 0.5) ** 2) - (2.0 * np.tanh(y) + 1.0) ** 2


@pytest.mark.parametrize("world", [Linear(), Bullseye()], ids=lambda world: type(world).__name__)
def test_credit_is_the_filtered_correlation_of_trials_and_rewards(world):
    learner = AntitheticSynapseAgents(POLICY, reward=Difference(), value=FollowCredit(), pairs=3, memory=0.6)
    key = jax.random.key(2)
    state = learner.init(world, key)
    credit = np.zeros(4)
    for place in range(3):
        step_key = jax.random.fold_in(key, place)
        trials, returns = replayed(learner, state, step_key, world)
        told = returns[0] - returns[1]
        told /= np.sqrt(np.mean(told**2))
        credit = 0.6 * credit + 0.4 * np.mean(told[:, None] * trials, axis=0)
        before = np.asarray(ravel_pytree(state.params)[0])
        state, report = learner.step(world, state, step_key)
        np.testing.assert_allclose(np.asarray(report.episodes.episode_return), returns.ravel(), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.asarray(state.credit), credit, rtol=1e-3, atol=1e-4)
        # With FollowCredit the action is the sign of the credit.
        after = np.asarray(ravel_pytree(state.params)[0])
        np.testing.assert_allclose(after - before, 0.06 * np.sign(credit), atol=1e-5)
        assert float(report.metrics["follows_credit"]) == 1.0


def test_credit_points_along_the_gradient():
    """On a linear return E[delta e] is the gradient over its norm, (2, -3) twice: the mean over many pairs is it."""
    learner = AntitheticSynapseAgents(POLICY, reward=Difference(), value=FollowCredit(), pairs=4000, memory=0.0)
    state = learner.init(Linear(), jax.random.key(0))
    state, _ = jax.jit(lambda state, key: learner.step(Linear(), state, key))(state, jax.random.key(1))
    expected = np.asarray([2.0, -3.0, 2.0, -3.0]) / np.sqrt(26.0)
    np.testing.assert_allclose(np.asarray(state.credit), expected, atol=5 / np.sqrt(4000))


def test_credit_by_chance_alone_is_seen_with_variance_one():
    """In units of chance, where the return hangs on the weights so wildly that no synapse knows which way."""

    class Wild(Linear):
        """The return is as good as drawn, but the same for the same weights."""

        def step(self, state, action, key):
            state, step = super().step(state, action, key)
            return state, Step(step.obs, jnp.sin(1e6 * action[0]), step.terminated, step.truncated)

    senses, still = SynapseState((Credit(1.0),)), Additive(1e-3)
    learner = AntitheticSynapseAgents(DeepPolicy((50,)), senses, FollowCredit(), Difference(), still, trial_size=0.01)
    for pairs, memory in ((2, 0.8), (8, 0.5)):
        learner = learner.with_fields(pairs=pairs, memory=memory)
        _, states, _ = iterate(learner, Wild(), 40)
        last = [jax.tree.map(lambda leaf, t=t: leaf[t], states) for t in (20, 30, 39)]
        seen = [learner._see(state, places(state.params), jnp.zeros_like(state.credit)) for state in last]
        assert np.std(seen) == pytest.approx(1.0, rel=0.12) and abs(np.mean(seen)) < 0.15


def test_paired_trials_begin_alike_and_differ_in_their_sign_alone():
    """The corridor begins at a random place, and a policy without influence plays the same episode twice."""
    learner = AntitheticSynapseAgents(POLICY, trial_size=1e-6, pairs=6)
    _, _, report = iterate(learner, Corridor(), 4)
    plus, minus = np.split(np.asarray(report.episodes.episode_return), 2, axis=1)
    np.testing.assert_array_equal(plus, minus)
    assert all(len(set(row.tolist())) > 1 for row in plus)  # the pairs begin at places of their own


def test_every_step_and_episode_is_counted():
    _, states, report = iterate(AntitheticSynapseAgents(POLICY, pairs=3), Corridor(), 5)
    assert report.episodes.length.shape == (5, 6) and np.asarray(report.episodes.ended).all()
    np.testing.assert_array_equal(np.asarray(report.env_steps), np.asarray(report.episodes.length).sum(axis=1))
    np.testing.assert_allclose(
        np.asarray(report.metrics["score"]), np.asarray(report.episodes.episode_return).mean(axis=1), rtol=1e-6
    )
    np.testing.assert_array_equal(np.asarray(states.iterations), np.arange(1, 6))


def test_synapses_remember_their_actions_and_whether_things_went_better():
    state = SynapseState((PreviousActions(2), PreviousRewards(3)))
    learner = AntitheticSynapseAgents(POLICY, state, Table(3), change=Additive(0.5), exploration=Constant(1.0))
    first, states, report = iterate(learner, Bullseye(), 5)
    path = np.concatenate([np.asarray(ravel_pytree(first.params)[0])[None], flat(states.params)])
    actions = np.diff(path, axis=0) / 0.5
    np.testing.assert_allclose(np.asarray(states.actions)[-1, :2], actions[[-1, -2]], atol=1e-4)
    assert set(np.round(actions).ravel().tolist()) == {-1.0, 0.0, 1.0}
    scores = np.asarray(report.metrics["score"])
    np.testing.assert_array_equal(np.asarray(states.rewards)[-1], np.where(np.diff(scores) > 0, 1.0, -1.0)[[3, 2, 1]])


def test_a_table_learns_that_credit_is_to_be_followed():
    learner = AntitheticSynapseAgents(POLICY, value=Table(bins=5), change=Additive(1e-6), trial_size=0.1)
    _, states, report = iterate(learner, Linear(), 300)
    table = np.asarray(learner.lessons(jax.tree.map(lambda leaf: leaf[-1], states))["table"])
    assert table[0].argmax() == 0 and table[-1].argmax() == 2  # strongest credit of either sign
    assert np.asarray(report.metrics["follows_credit"])[-50:].mean() > 0.9


def test_a_silent_network_is_reported():
    """A network at zero is silent in small trials; in large ones it is not, for the bias alone drives it."""
    quiet = SpikingPolicy(network=FeedForward((5,)), ticks=4)
    state = AntitheticSynapseAgents(quiet).init(ConstantReward(), jax.random.key(0))
    state = eqx.tree_at(lambda s: s.params, state, jax.tree.map(jnp.zeros_like, state.params))
    for trial_size, fires in ((0.01, False), (5.0, True)):
        learner = AntitheticSynapseAgents(quiet, trial_size=trial_size)
        _, report = learner.step(ConstantReward(), state, jax.random.key(1))
        assert (float(report.metrics["firing_rate_1"]) > 0.0) == fires


returns = st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=12).map(
    lambda found: np.asarray(found[: len(found) // 2 * 2]).reshape(2, -1)
)


def told(reward, pair):
    return np.asarray(reward(*jnp.asarray(pair, jnp.float32)))


@given(returns)
def test_rewards_of_trials_by_definition(pair):
    plus, minus = pair
    np.testing.assert_array_equal(told(SignOfDifference(), pair), np.sign(plus - minus))
    np.testing.assert_array_equal(told(Difference(), pair), plus - minus)
    everyone = pair.ravel()
    places = [np.sum(value > everyone) + 0.5 * np.sum(value == everyone) for value in everyone]  # ties share a place
    first, second = np.split(np.asarray(places), 2)
    np.testing.assert_allclose(told(DifferenceOfRanks(), pair), (first - second) * 2 / len(everyone), atol=1e-6)


@given(returns, st.sampled_from([0.5, 2.0]), st.integers(-5, 5))
def test_what_rewards_of_trials_do_not_depend_on(pair, scale, shift):
    """Ranks and signs on no increasing function; a difference on no shift; all turn round with the trials."""
    for reward in (SignOfDifference(), DifferenceOfRanks()):
        np.testing.assert_array_equal(told(reward, np.exp(pair / 4)), told(reward, pair))
    np.testing.assert_array_equal(told(Difference(), scale * pair + shift), scale * told(Difference(), pair))
    for reward in REWARDS:
        np.testing.assert_array_equal(told(reward, pair[::-1]), -told(reward, pair))


@each_reward
def test_the_scale_of_returns_does_not_matter(reward):
    """Rewards are brought to a mean square of 1: a hundred times the return leads the same way."""

    class Loud(Linear):
        """A hundred times as much."""

        def step(self, state, action, key):
            state, step = super().step(state, action, key)
            return state, Step(step.obs, 100.0 * step.reward, step.terminated, step.truncated)

    learner = AntitheticSynapseAgents(POLICY, value=FollowCredit(), reward=reward)
    soft, loud = (flat(iterate(learner, world, 10).states.params) for world in (Linear(), Loud()))
    np.testing.assert_allclose(soft, loud, atol=1e-5)


@pytest.mark.parametrize("fields", [{"pairs": 0}, {"trial_size": 0.0}, {"memory": 1.0}, {"memory": -0.1}])
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match=r"^AntitheticSynapseAgents\.\w+ must be"):
        AntitheticSynapseAgents(**fields)

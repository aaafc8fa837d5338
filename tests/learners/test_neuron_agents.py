"""Neurons as agents: their updates together are the policy gradient; what they are told; and that they learn."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import flat, iterate
from tests.worlds import ActionReward, Bullseye, DelayedReward, MatchingReward

from spikeloop.encoders import OneHotBins
from spikeloop.environments import Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, Constant, Episode, EpsilonGreedy, Moment, Transition
from spikeloop.learners import NeuronAgents
from spikeloop.learners.agents import AfterGoodEpisodes, Agreement, Coagent, ConstantStep, ExecutedModule
from spikeloop.learners.critics import TableValue, TemporalDifference
from spikeloop.policies import CoagentParams, CoagentPolicy, Decision, ModulePerAction, SharedHidden

REWARDS = np.asarray([-0.4, 1.0])  # of the two actions
HIDDEN = np.asarray([[0.3], [-0.2]])  # of the observation and of the constant, onto the hidden unit
OUTPUT = np.asarray([[0.5, -0.7], [0.1, 0.2]])  # of the hidden unit and of the constant, onto the outputs
OBS = 0.8


def expected_reward(hidden, output):
    """Of a network of three Ising units, over everything that they could do."""
    total = 0.0
    for h, *outputs in itertools.product((-1, 1), repeat=3):
        p = 1.0 / (1.0 + np.exp(-2.0 * h * (np.asarray([OBS, 1.0]) @ hidden)[0]))
        currents = np.asarray([h, 1.0]) @ output
        p *= np.prod(1.0 / (1.0 + np.exp(-2.0 * np.asarray(outputs) * currents)))
        total += p * REWARDS[int(np.argmax(outputs))]
    return total


def finite_difference(function, point):
    change = np.zeros_like(point)
    for place in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[place] = 1e-5
        change[place] = (function(point + step) - function(point - step)) / 2e-5
    return change


def test_the_updates_of_all_units_together_are_the_exact_policy_gradient():
    """A hidden and two output units, 100,000 decisions: within four standard errors in every weight. Agreement is not."""
    policy = CoagentPolicy(wiring=SharedHidden((1,)), actors=1)
    params = CoagentParams(None, tuple(jnp.asarray(w, jnp.float32)[None, None] for w in (HIDDEN, OUTPUT)))
    actor = Actor(policy, params, Discrete(2))
    n = 100_000

    def updates(credit):
        learner = NeuronAgents(policy, credit=credit)

        @jax.jit
        @jax.vmap
        def sample(key):
            _, act = actor(None, jnp.asarray([OBS]), key)
            scores = learner.scores(params, act.decision.record, act.action)
            return jax.tree.map(lambda s: jnp.asarray(REWARDS, jnp.float32)[act.action] * s, scores.weights)

        found = [np.asarray(leaf)[:, 0, 0] for leaf in sample(jax.random.split(jax.random.key(0), n))]
        return [(leaf.mean(axis=0), leaf.std(axis=0) / np.sqrt(n)) for leaf in found]

    exact = [
        finite_difference(lambda w: expected_reward(w, OUTPUT), HIDDEN),
        finite_difference(lambda w: expected_reward(HIDDEN, w), OUTPUT),
    ]
    assert all(np.abs(gradient).min() > 0.01 for gradient in exact)
    for (mean, error), gradient in zip(updates(Coagent()), exact, strict=True):
        assert (np.abs(mean - gradient) < 4.0 * error).all()
    mean, error = updates(Agreement())[1]
    assert (np.abs(mean - exact[1]) > 10.0 * error).any()


def test_credit_by_agreement():
    fired = jnp.asarray([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert Coagent()(fired, jnp.asarray(0)).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert Agreement()(fired, jnp.asarray(0)).tolist() == [[1, 1, -1], [-1, 1, -1]]
    assert ExecutedModule()(fired, jnp.asarray(0)).tolist() == [[1, 1, -1], [1, 1, -1]]


BLANK = OneHotBins(2, -2.0, 2.0, 1.0)  # one input for each of the two observations of the tiny worlds
MODULES = CoagentPolicy(BLANK, wiring=ModulePerAction((2,)), actors=5)
CRITIC = TemporalDifference(TableValue(low=-2.0, high=2.0, bins=2), 0.1, 0.0)


@pytest.mark.parametrize("credit", [Coagent(), Agreement()], ids=["coagent", "agreement"])
def test_they_learn_to_match_what_they_see(credit):
    learner = NeuronAgents(MODULES, CRITIC, credit, ConstantStep(0.1), steps_per_iteration=10)
    _, _, report = iterate(learner, MatchingReward(), 200)
    returns = np.asarray(report.episodes.episode_return).ravel()
    assert abs(returns[:20].mean()) < 0.6
    assert returns[-300:].mean() > 0.8  # 0.9 at best, since one action in ten is random


def test_an_eligibility_trace_reaches_the_step_before_the_reward():
    """The first of two steps is never in error while nothing is valued: only a trace lets its synapses learn."""
    frozen = TemporalDifference(TableValue(low=-2.0, high=2.0, bins=2), 1e-12, 0.0)
    moved = {}
    for decay in (0.0, 0.9):
        learner = NeuronAgents(MODULES, frozen, trace_decay=decay, discount=1.0)
        first, states, _ = iterate(learner, DelayedReward(), 6)
        change = np.abs(np.asarray(states.params.weights[0][-1] - first.params.weights[0]))
        moved[decay] = change[:, :, 0].max(), change[:, :, 1].max()  # synapses of the first observation, of the second
    assert moved[0.0][0] < 1e-6 < moved[0.0][1]
    assert moved[0.9][0] > 1e-4


def test_without_an_error_nothing_changes():
    """Once the critic knows that either action brings 1 and -1 in turn it is the action that errs, and a step of 0 keeps."""
    learner = NeuronAgents(MODULES, CRITIC, step_size=ConstantStep(1e-12), exploration=EpsilonGreedy(Constant(0.5)))
    first, states, report = iterate(learner, ActionReward(), 20)
    np.testing.assert_allclose(
        flat(states.params)[-1], flat(jax.tree.map(lambda w: w[None], first.params))[0], atol=1e-9
    )
    assert np.asarray(report.metrics["error"]).min() > 0.1


FALSE = jnp.asarray(False)
NOTHING = Transition(jnp.zeros(1), jnp.asarray(0), jnp.asarray(0.0), jnp.zeros(1), FALSE, FALSE)


def test_the_step_shrinks_after_good_episodes_and_grows_again():
    step_size = AfterGoodEpisodes(0.1, 0.01, few=2, above=5.0)
    state, rates = step_size.init(), []
    for ended, episode_return in ((True, 6.0), (False, 100.0), (True, 6.0), (True, 1.0), (True, 2.0)):
        episode = Episode(jnp.asarray(ended), jnp.asarray(episode_return), jnp.asarray(1))
        state = step_size.step(state, Moment(NOTHING, episode, Decision(jnp.zeros(2), ())))
        rates.append(float(step_size(state)))
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.1, 0.1], rtol=1e-6)


def test_continuous_actions_are_refused():
    with pytest.raises(
        InvalidInput, match=r"^NeuronAgents needs discrete actions, and those of Bullseye are continuous$"
    ):
        NeuronAgents().init(Bullseye(), jax.random.key(0))

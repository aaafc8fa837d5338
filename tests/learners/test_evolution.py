"""Evolution: it solves worlds with known answers, shares beginnings, counts every step, and scores what it is told to."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import iterate
from tests.worlds import Bullseye, Corridor, MatchingReward

from spikeloop.environments import Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, EpisodeReturn, LargestObservation, ReachSoon, play_episode
from spikeloop.learners import CommonStart, Evolution, OwnStart
from spikeloop.learners.strategies import (
    CrossEntropy,
    EnsembleKalmanFilter,
    Evosax,
    Genetic,
    MultiplicativeEvolutionStrategy,
)
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire, SoftReset
from spikeloop.policies import BlindPolicy, DeepPolicy, SpikingPolicy

SPIKING = SpikingPolicy(network=FeedForward((6,), IntegrateAndFire(reset=SoftReset())), ticks=4)
STRATEGIES = [
    Genetic(population=16, sigma=0.3),
    MultiplicativeEvolutionStrategy(population=16, sigma=0.3),
    EnsembleKalmanFilter(population=16),
    Evosax("CMA_ES"),
]


def mean_return(learner, world, state, episodes=50):
    actor = learner.actor(world, state)
    keys = jax.random.split(jax.random.key(99), episodes)
    return float(jax.vmap(lambda k: play_episode(world, actor, k).episode.episode_return)(keys).mean())


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: getattr(s, "name", type(s).__name__))
def test_every_strategy_learns_what_to_do_with_what_it_sees(strategy):
    """Reward 1 if the action is the sign of what is seen, else -1."""
    if isinstance(strategy, Evosax):
        pytest.importorskip("evosax.algorithms")
    learner = Evolution(SPIKING, strategy, episodes=8)
    state = iterate(learner, MatchingReward(), 40).last
    assert mean_return(learner, MatchingReward(), state) == 1.0


@pytest.mark.parametrize("policy", [SPIKING, DeepPolicy((4,))], ids=lambda policy: type(policy).__name__)
def test_continuous_actions(policy):
    """Minus the squared distance from a point of a box: near zero, from a mean of 1.4 at random weights."""
    learner = Evolution(policy, CrossEntropy(population=32))
    course = iterate(learner, Bullseye(), 40)
    state, report = course.last, course.reports
    assert mean_return(learner, Bullseye(), state) > -0.05
    assert float(report.metrics["best_fitness"][-1]) > -0.05


WALKERS = Evolution(SPIKING, Genetic(population=5), episodes=3)


@pytest.fixture(scope="module")
def report():
    """Four generations of walkers in the corridor."""
    return iterate(WALKERS, Corridor(), 4).reports


def test_every_step_of_every_individual_counts(report):
    lengths = np.asarray(report.episodes.length)
    assert lengths.shape == (4, 15) and np.asarray(report.episodes.ended).all()
    np.testing.assert_array_equal(np.asarray(report.env_steps), lengths.sum(axis=1))
    assert WALKERS.typical_env_steps(Corridor()) == 5 * 3 * 20 and not WALKERS.fixed_env_steps


def test_metrics_are_those_of_the_generation(report):
    fitness = np.asarray(report.episodes.episode_return).reshape(4, 5, 3).mean(axis=2)
    np.testing.assert_allclose(np.asarray(report.metrics["best_fitness"]), fitness.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(report.metrics["mean_fitness"]), fitness.mean(axis=1), rtol=1e-5)
    assert set(report.metrics) == {"best_fitness", "mean_fitness", "not_finite", "firing_rate_1"}
    assert (
        (np.asarray(report.metrics["firing_rate_1"]) >= 0) & (np.asarray(report.metrics["firing_rate_1"]) <= 1)
    ).all()


def starts(start, individuals=4, episodes=3):
    keys = start(individuals, episodes, jax.random.key(0))
    assert keys.shape == (individuals, episodes)
    return np.asarray(jax.random.key_data(keys)).reshape(individuals, episodes, -1)


def test_starts_are_common_or_ones_own():
    common, own = starts(CommonStart()), starts(OwnStart())
    np.testing.assert_array_equal(common, np.broadcast_to(common[:1], common.shape))
    assert len(np.unique(common.reshape(12, -1), axis=0)) == 3
    assert len(np.unique(own.reshape(12, -1), axis=0)) == 12


def test_with_a_common_start_equal_individuals_have_equal_fitness():
    """And their fitness changes from one generation to the next, for the starts do."""
    strategy = Genetic(population=4, crossover_probability=0.0, mutation_probability=0.0, duplicate_probability=0.0)
    course = iterate(Evolution(SPIKING, strategy), Corridor(), 12)
    last, report = course.last.strategy, course.reports
    assert (np.asarray(last.population) == np.asarray(last.population)[:1]).all()
    returns = np.asarray(report.episodes.episode_return)
    np.testing.assert_array_equal(returns[-1], returns[-1, 0])
    assert len(set(returns[6:, 0].tolist())) > 1
    _, _, report = iterate(Evolution(SPIKING, strategy, start=OwnStart()), Corridor(), 12)
    assert np.asarray(report.episodes.episode_return)[-1].std() > 0


def test_the_score_can_be_what_was_seen_on_the_way():
    """Always walking from place p for at most 8 steps to place 6: the largest place is 6, and steps are 6 - p."""
    policy = DeepPolicy(())
    params = jax.tree.map(jnp.zeros_like, policy.init(2, 2, jax.random.key(0)))
    walk = dataclasses.replace(params[0], bias=jnp.asarray([0.0, 1.0]))
    actor = Actor(policy, (walk,), Corridor().spec.actions)
    keys = jax.random.split(jax.random.key(1), 20)

    def scores(score):
        return jax.vmap(lambda key: play_episode(Corridor(), actor, key, score))(keys)

    played = scores(LargestObservation(0))
    np.testing.assert_array_equal(np.asarray(played.score), 6.0)
    steps = scores(LargestObservation(1))
    np.testing.assert_array_equal(np.asarray(steps.score), np.asarray(played.episode.length))
    np.testing.assert_allclose(np.asarray(scores(EpisodeReturn()).score), np.asarray(played.episode.episode_return))


@pytest.mark.parametrize(("goal", "late"), [(6.0, 0), (4.0, 2)])
def test_a_goal_reached_sooner_is_worth_more(goal, late):
    """The same walk: place 6 - late is reached `late` steps before the end, and 8 minus the steps until then are left."""
    policy = DeepPolicy(())
    params = jax.tree.map(jnp.zeros_like, policy.init(2, 2, jax.random.key(0)))
    walk = dataclasses.replace(params[0], bias=jnp.asarray([0.0, 1.0]))
    actor, keys = Actor(policy, (walk,), Corridor().spec.actions), jax.random.split(jax.random.key(1), 20)

    def played(score):
        return jax.vmap(lambda key: play_episode(Corridor(), actor, key, score))(keys)

    found = played(ReachSoon(0, goal, steps=8, pace=0.25))
    taken = np.maximum(np.asarray(found.episode.length) - late, 0)  # who begins beyond it has taken none
    np.testing.assert_allclose(np.asarray(found.score), 6.0 + 0.25 * (8 - taken))
    np.testing.assert_allclose(np.asarray(played(ReachSoon(0, goal, steps=1, pace=0.25)).score)[taken > 0], 6.0)
    np.testing.assert_allclose(np.asarray(played(ReachSoon(0, 7.0, steps=8)).score), 6.0)


def test_the_largest_observation_counts_the_first():
    """Who stays where the walk began has that place as the largest."""
    actor = Actor(BlindPolicy(), (), Corridor().spec.actions)
    keys = jax.random.split(jax.random.key(1), 20)
    played = jax.vmap(lambda key: play_episode(Corridor(), actor, key, LargestObservation(0)))(keys)
    np.testing.assert_allclose(np.asarray(played.score), np.asarray(played.episode.episode_return) / 8)


def test_the_learner_is_told_the_score():
    """On Mountain Car the return is the same for nearly all; the largest position is not, and it is bounded."""
    learner = Evolution(DeepPolicy((4,)), Genetic(population=4), score=LargestObservation(0))
    world = Gymnax("MountainCar-v0", max_steps=20)
    _, _, report = iterate(learner, world, 2)
    assert (np.asarray(report.episodes.episode_return) == -20).all()
    best = np.asarray(report.metrics["best_fitness"])
    assert ((best > -0.6) & (best < 0.0)).all() and (best > np.asarray(report.metrics["mean_fitness"])).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Evolution(episodes=0), r"^Evolution\.episodes must be a whole number of at least 1, got 0$"),
        (lambda: LargestObservation(-1), r"^LargestObservation\.index must be"),
        (lambda: ReachSoon(pace=-0.1), r"^ReachSoon\.pace must be a finite number of at least 0, got -0\.1$"),
        (
            lambda: Evolution(BlindPolicy()).init(Corridor(), jax.random.key(0)),
            r"^Evolution needs a policy with parameters, and BlindPolicy has none$",
        ),
        (
            lambda: play_episode(
                Corridor(), Actor(BlindPolicy(), (), Corridor().spec.actions), jax.random.key(0), LargestObservation(2)
            ),
            r"^LargestObservation\.index must be below 2 here, got 2$",
        ),
    ],
)
def test_mistakes_are_answered_in_one_line(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()

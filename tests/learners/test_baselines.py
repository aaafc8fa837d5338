"""The null baselines: random actions and random weights."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import iterate
from tests.worlds import ActionReward, Bullseye, Corridor

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, LargestObservation, play_episode
from spikeloop.learners import RandomActions, RandomSearch
from spikeloop.policies import DeepPolicy


def test_random_search_keeps_the_best_ever_seen():
    """On a world without chance the score is what the kept weights earn, and the largest of all returns so far."""
    learner = RandomSearch(DeepPolicy((4,)), candidates=5)
    course = iterate(learner, Bullseye(), 30)
    states, report = course.states, course.reports
    returns = np.asarray(report.episodes.episode_return)
    assert returns.shape == (30, 5)
    np.testing.assert_array_equal(np.asarray(states.score), np.maximum.accumulate(returns.max(axis=1)))
    np.testing.assert_array_equal(np.asarray(report.metrics["best_score"]), np.asarray(states.score))
    assert float(states.score[-1]) > float(states.score[0])
    played = play_episode(Bullseye(), learner.actor(Bullseye(), course.last), jax.random.key(7))
    assert float(played.episode.episode_return) == pytest.approx(float(states.score[-1]), rel=1e-5)


def test_random_search_scores_the_mean_of_its_episodes_and_counts_their_steps():
    learner = RandomSearch(DeepPolicy((4,)), candidates=3, episodes=4)
    _, states, report = iterate(learner, Corridor(), 6)
    means = np.asarray(report.episodes.episode_return).reshape(6, 3, 4).mean(axis=2)
    np.testing.assert_allclose(np.asarray(states.score), np.maximum.accumulate(means.max(axis=1)), rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(report.env_steps), np.asarray(report.episodes.length).sum(axis=1))
    assert np.asarray(report.episodes.ended).all()


def test_random_search_keeps_what_is_best_by_its_score():
    """In a world where the largest number seen is not the return."""
    learner = RandomSearch(DeepPolicy((4,)), candidates=4, score=LargestObservation(0))
    course = iterate(learner, Corridor(), 5)
    best = np.asarray(course.reports.metrics["best_score"])
    played = play_episode(Corridor(), learner.actor(Corridor(), course.last), jax.random.key(3), learner.score)
    assert float(played.score) == best[-1] != float(played.episode.episode_return)
    assert (np.diff(best) >= 0).all() and (best >= np.asarray(course.reports.metrics["mean_score"])).all()


def test_random_search_draws_other_weights_for_every_candidate():
    _, _, report = iterate(RandomSearch(DeepPolicy((4,)), candidates=5), Bullseye(), 10)
    assert len(set(np.asarray(report.episodes.episode_return).ravel().tolist())) == 50


def test_random_actions_takes_either_action_equally_often():
    _, states, report = iterate(RandomActions(), ActionReward(), 2000)
    wins = np.sum(np.asarray(report.episodes.episode_return) > 0)
    assert abs(wins - 1000) < 5 * np.sqrt(500)
    assert np.asarray(report.env_steps).sum() == 2000 == int(states.env_steps[-1])


def test_random_actions_learns_nothing():
    learner = RandomActions()
    last = iterate(learner, ActionReward(), 10).last
    actor = learner.actor(ActionReward(), last)
    play = jax.jit(jax.vmap(lambda key: play_episode(ActionReward(), actor, key).episode.episode_return))
    mean = float(play(jax.random.split(jax.random.key(1), 2000)).mean())
    assert abs(mean) < 5 / np.sqrt(2000)


def test_random_actions_fits_continuous_worlds():
    _, _, report = iterate(RandomActions(), Bullseye(), 500)
    # The mean of -(x - 0.5)^2 - (y + 1)^2 for x in [-1, 1] and y in [-2, 2]: -(1/3 + 1/4) - (4/3 + 1).
    assert float(jnp.mean(report.episodes.episode_return)) == pytest.approx(-2.9167, abs=0.4)


@pytest.mark.parametrize("fields", [{"candidates": 0}, {"episodes": -1}])
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match="RandomSearch"):
        RandomSearch(**fields)


def test_greedy_actor_of_random_search_is_what_a_plain_actor_with_its_weights_is():
    learner = RandomSearch(DeepPolicy((4,)), candidates=2)
    last = iterate(learner, Bullseye(), 2).last
    plain = Actor(learner.policy, last.best, Bullseye().spec.actions)
    assert {f.name for f in dataclasses.fields(plain)} == {"policy", "params", "actions", "selection"}
    one, two = (play_episode(Bullseye(), a, jax.random.key(0)) for a in (plain, learner.actor(Bullseye(), last)))
    assert float(one.episode.episode_return) == float(two.episode.episode_return)

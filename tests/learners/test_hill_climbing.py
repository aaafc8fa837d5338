"""Hill climbing: it keeps the best, undoes what is worse, and counts every step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from tests.iterate import flat, iterate
from tests.worlds import Bullseye, ConstantReward, Corridor

from spikeloop.errors import InvalidInput
from spikeloop.interaction import play_episode
from spikeloop.learners import HillClimbing
from spikeloop.policies import DeepPolicy

POLICY = DeepPolicy(())


def test_it_keeps_the_best_and_undoes_what_is_worse():
    """In a world without chance: the score is the running maximum, and weights move where it rose and nowhere else."""
    _, states, report = iterate(HillClimbing(POLICY), Bullseye(), 60)
    returns = np.asarray(report.episodes.episode_return)[:, 0]
    scores = np.asarray(states.score)
    np.testing.assert_array_equal(scores, np.maximum.accumulate(returns))
    np.testing.assert_array_equal(np.asarray(report.metrics["best_return"]), scores)
    moved = (np.diff(flat(states.best), axis=0) != 0).all(axis=1)
    np.testing.assert_array_equal(moved, returns[1:] >= scores[:-1])
    assert (np.diff(flat(states.best), axis=0)[~moved] == 0).all()
    assert 3 < moved.sum() < 57
    assert scores[-1] > 0.05 * scores[0]  # the miss has shrunk by a factor of 20


def test_the_first_candidate_is_what_was_drawn():
    """Untouched: before anything was played there is nothing to change."""
    learner = HillClimbing(POLICY)
    first, states, report = iterate(learner, Bullseye(), 3, seed=4)
    np.testing.assert_array_equal(flat(states.best)[0], np.asarray(ravel_pytree(first.best)[0]))
    assert not np.isfinite(float(first.score))
    played = play_episode(Bullseye(), learner.actor(Bullseye(), first), jax.random.key(0)).episode.episode_return
    assert float(states.score[0]) == pytest.approx(float(played), rel=1e-5)
    assert len(np.unique(np.asarray(report.episodes.episode_return))) == 3  # and what follows is changed


def test_what_is_no_worse_is_kept():
    """A plateau is crossed: where all is equal every change is kept, of the size that was asked for."""
    _, states, _ = iterate(HillClimbing(DeepPolicy((20,)), step_size=0.7), ConstantReward(), 40)
    changes = np.diff(flat(states.best), axis=0)
    assert (changes != 0).all()
    assert changes.std() == pytest.approx(0.7, rel=0.05) and abs(changes.mean()) < 0.05


def test_the_score_is_the_mean_of_all_episodes_and_every_step_counts():
    _, states, report = iterate(HillClimbing(DeepPolicy((4,)), episodes=5), Corridor(), 12)
    episodes = report.episodes
    assert episodes.episode_return.shape == (12, 5) and np.asarray(episodes.ended).all()
    means = np.asarray(episodes.episode_return).mean(axis=1)
    np.testing.assert_allclose(np.asarray(states.score), np.maximum.accumulate(means), rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(report.env_steps), np.asarray(episodes.length).sum(axis=1))
    assert np.asarray(report.env_steps).std() > 0


def test_its_actor_plays_the_best():
    learner = HillClimbing(POLICY)
    _, states, _ = iterate(learner, Bullseye(), 20)
    last = jax.tree.map(lambda leaf: leaf[-1], states)
    played = play_episode(Bullseye(), learner.actor(Bullseye(), last), jax.random.key(1)).episode.episode_return
    assert float(played) == pytest.approx(float(last.score), rel=1e-4, abs=1e-6)
    assert learner.lessons(last) == {} and jnp.isfinite(last.score)


@pytest.mark.parametrize("fields", [{"step_size": 0.0}, {"step_size": -1.0}, {"episodes": 0}])
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match=r"^HillClimbing\.\w+ must be"):
        HillClimbing(**fields)

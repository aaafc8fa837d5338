"""Acting in a world: sums are plain sums, ends are the true ends, and an episode begins with the policy at rest."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import Corridor

from spikeloop.interaction import Actor, UniformRandom, begin, interact, play_episode
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire, SoftReset
from spikeloop.policies import BlindPolicy, KeepBetweenDecisions, SpikingPolicy

STEPS = 200
WORLD = Corridor(end=6, limit=8)


def keeping_actor():
    """A spiking policy that lives on between decisions, acting at random so that episodes end either way."""
    policy = SpikingPolicy(
        network=FeedForward((3,), IntegrateAndFire(1.0, SoftReset())),
        ticks=2,
        between_decisions=KeepBetweenDecisions(),
    )
    params = jax.tree.map(jnp.abs, policy.init(2, 2, jax.random.key(5)))
    return Actor(policy, params, WORLD.spec.actions, UniformRandom())


@pytest.fixture(scope="module")
def seen():
    """Many steps of interaction: the interaction before each step and what it brought, as numpy."""
    actor = keeping_actor()

    @jax.jit
    def go(key):
        def step(now, key):
            after, moment = interact(WORLD, actor, now, jnp.zeros((), jnp.int32), key)
            return after, (now, moment)

        begin_key, key = jax.random.split(key)
        return jax.lax.scan(step, begin(WORLD, actor, begin_key), jax.random.split(key, STEPS))[1]

    return jax.device_get(go(jax.random.key(0)))


def test_returns_and_lengths_are_plain_sums(seen):
    _, moment = seen
    total, length, ends = 0.0, 0, 0
    for t in range(STEPS):
        total += float(moment.transition.reward[t])
        length += 1
        assert moment.episode.episode_return[t] == pytest.approx(total, rel=1e-5)
        assert moment.episode.length[t] == length
        over = moment.transition.terminated[t] or moment.transition.truncated[t]
        assert moment.episode.ended[t] == over
        if over:
            total, length, ends = 0.0, 0, ends + 1
    assert ends > 15


def test_truncated_is_not_terminated(seen):
    """The corridor's end is a death, the time limit is not; both happen, and never at once."""
    _, moment = seen
    step = moment.transition
    np.testing.assert_array_equal(step.terminated, step.next_obs[:, 0] >= WORLD.end)
    np.testing.assert_array_equal(step.truncated, ~step.terminated & (step.next_obs[:, 1] >= WORLD.limit))
    assert step.terminated.any() and step.truncated.any()


def test_the_true_successor_is_kept(seen):
    """Also at the end of an episode, where the next one has begun with another observation."""
    now, moment = seen
    step = moment.transition
    np.testing.assert_array_equal(step.obs, now.obs)
    np.testing.assert_array_equal(step.next_obs[:, 0], step.obs[:, 0] + step.action)
    np.testing.assert_array_equal(step.next_obs[:, 1], step.obs[:, 1] + 1)
    ended = moment.episode.ended[:-1]
    np.testing.assert_array_equal(now.obs[1:][~ended], step.next_obs[:-1][~ended])
    np.testing.assert_array_equal(now.obs[1:][ended][:, 1], 0.0)
    assert len(set(now.obs[1:][ended][:, 0].tolist())) == 4  # every episode draws its own beginning


def test_policy_is_at_rest_when_an_episode_begins(seen):
    now, moment = seen
    (population,) = now.policy_state.network
    at_rest = ~population.v.any(axis=1)
    begins = np.concatenate([[True], moment.episode.ended[:-1]])
    assert at_rest[begins].all()
    assert not at_rest[~begins].all()  # within an episode the potentials live on


def test_interaction_does_not_depend_on_the_past_beyond_its_state(seen):
    """The same key from the same state gives the same moment."""
    now, _ = seen
    actor, key = keeping_actor(), jax.random.key(9)
    middle = jax.tree.map(lambda leaf: jnp.asarray(leaf[50]), now)
    one, two = (interact(WORLD, actor, middle, jnp.zeros((), jnp.int32), key) for _ in range(2))
    assert eqx.tree_equal(one, two)


def test_a_played_episode_ends_and_sums():
    """The return of a walk is known: the places left, plus a tenth for every step walked."""
    actor = Actor(BlindPolicy(), (), WORLD.spec.actions)  # always action 0: stays until the time limit
    played = jax.jit(jax.vmap(lambda key: play_episode(WORLD, actor, key)))(jax.random.split(jax.random.key(0), 20))
    np.testing.assert_array_equal(np.asarray(played.episode.length), WORLD.limit)
    places = np.asarray(played.episode.episode_return) / WORLD.limit
    assert set(places.tolist()) == {0.0, 1.0, 2.0, 3.0}
    assert np.asarray(played.episode.ended).all()


def test_spikes_of_a_played_episode_are_the_sum_over_its_decisions():
    """A driven integrator loses no charge: with soft reset it fires floor(charge / threshold) times in a whole episode."""
    actor = keeping_actor()
    params = jax.tree.map(jnp.zeros_like, actor.params)
    params = eqx.tree_at(lambda p: p.network[0].bias, params, jnp.asarray([0.25, 0.5, 0.0]))
    actor = dataclasses.replace(actor, params=params)
    played = play_episode(WORLD, actor, jax.random.key(3))
    ticks = 2 * int(played.episode.length)
    np.testing.assert_array_equal(np.asarray(played.spikes[0]), [ticks // 4, ticks // 2, 0])


def test_episodes_played_side_by_side_are_frozen_at_their_ends():
    """Each of several episodes equals the one played alone, though they end at different times."""
    actor = keeping_actor()
    keys = jax.random.split(jax.random.key(1), 5)
    together = jax.jit(jax.vmap(lambda key: play_episode(WORLD, actor, key)))(keys)
    alone = jax.jit(lambda key: play_episode(WORLD, actor, key))
    assert len(set(np.asarray(together.episode.length).tolist())) > 1
    for place, key in enumerate(keys):
        one = alone(key)
        assert int(one.episode.length) == int(together.episode.length[place])
        assert float(one.episode.episode_return) == pytest.approx(float(together.episode.episode_return[place]))
        np.testing.assert_array_equal(np.asarray(one.spikes[0]), np.asarray(together.spikes[0][place]))

"""Acting in an environment: the only place where episodes begin again.

`interact` goes on for one step, through the ends of episodes, for learners that learn as they go. `play_episode`
plays one whole episode and stops, for evaluation and for learners that score whole episodes.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from spikeloop.environments import AbstractEnvironment
from spikeloop.interaction.actor import AbstractActor
from spikeloop.interaction.score import AbstractScore, EpisodeReturn
from spikeloop.policies import Decision


class Interaction(eqx.Module):
    """An episode in progress."""

    env_state: Any
    obs: Float[Array, "..."]
    policy_state: Any
    episode_return: Float[Array, ""]
    episode_length: Int[Array, ""]


class Transition(eqx.Module):
    """One step of experience. ``next_obs`` is the true successor; a truncated episode is not a terminated one."""

    obs: Float[Array, "..."]
    action: Shaped[Array, "..."]
    reward: Float[Array, ""]
    next_obs: Float[Array, "..."]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]


class Episode(eqx.Module):
    """Return and length of an episode; of the part played so far where ``ended`` is false."""

    ended: Bool[Array, "..."]
    episode_return: Float[Array, "..."]
    length: Int[Array, "..."]


class Moment(eqx.Module):
    """What one step of interaction brought."""

    transition: Transition
    episode: Episode
    decision: Decision


def begin(environment: AbstractEnvironment, actor: AbstractActor, key: PRNGKeyArray) -> Interaction:
    """The start of a first episode."""
    env_state, obs = environment.reset(key)
    return Interaction(env_state, obs, actor.init_state(), jnp.zeros(()), jnp.zeros((), jnp.int32))


def interact(
    environment: AbstractEnvironment,
    actor: AbstractActor,
    now: Interaction,
    env_steps: Int[Array, ""],
    key: PRNGKeyArray,
) -> tuple[Interaction, Moment]:
    """One step of the environment; where an episode ended, the next has begun with the policy at rest."""
    act_key, step_key, reset_key = jax.random.split(key, 3)
    policy_state, act = actor(now.policy_state, now.obs, act_key, env_steps)
    env_state, step = environment.step(now.env_state, act.action, step_key)
    done = step.terminated | step.truncated
    episode = Episode(done, now.episode_return + step.reward, now.episode_length + 1)
    transition = Transition(now.obs, act.action, step.reward, step.obs, step.terminated, step.truncated)
    env_state, obs = environment.restart(env_state, step.obs, done, reset_key)
    after = Interaction(
        env_state,
        obs,
        jax.tree.map(lambda rest, old: jnp.where(done, rest, old), actor.init_state(), policy_state),
        jnp.where(done, 0.0, episode.episode_return),
        jnp.where(done, 0, episode.length),
    )
    return after, Moment(transition, episode, act.decision)


class PlayedEpisode(eqx.Module):
    """One whole episode: its outcome, its score, and how often each neuron fired over all of its decisions."""

    episode: Episode
    score: Float[Array, "..."]
    spikes: tuple[Float[Array, " _"], ...]


class _Playing(eqx.Module):
    """What the loop of `play_episode` carries."""

    interaction: Interaction
    done: Bool[Array, ""]
    spikes: tuple[Float[Array, " _"], ...]
    watched: Any  # what the score keeps
    key: PRNGKeyArray


# The default of `play_episode`.
RETURN = EpisodeReturn()


def play_episode(
    environment: AbstractEnvironment, actor: AbstractActor, key: PRNGKeyArray, score: AbstractScore = RETURN
) -> PlayedEpisode:
    """Play one episode to its end. Under ``vmap`` all episodes run until the longest has ended, the others frozen."""
    return play_to_the_end(environment, actor, key, score)[1]


def play_to_the_end(
    environment: AbstractEnvironment, actor: AbstractActor, key: PRNGKeyArray, score: AbstractScore = RETURN
) -> tuple[Any, PlayedEpisode]:
    """The same episode as `play_episode` plays, and before it the state in which it left the policy."""
    reset_key, key = jax.random.split(key)
    start = begin(environment, actor, reset_key)
    decision = jax.eval_shape(lambda: actor(start.policy_state, start.obs, key)[1].decision)
    silence = tuple(jnp.zeros(count.shape, count.dtype) for count in decision.spikes)

    def go_on(playing: _Playing) -> _Playing:
        key, act_key, step_key = jax.random.split(playing.key, 3)
        now = playing.interaction
        policy_state, act = actor(now.policy_state, now.obs, act_key)
        env_state, step = environment.step(now.env_state, act.action, step_key)
        return _Playing(
            Interaction(env_state, step.obs, policy_state, now.episode_return + step.reward, now.episode_length + 1),
            step.terminated | step.truncated,
            tuple(old + new for old, new in zip(playing.spikes, act.decision.spikes, strict=True)),
            score.step(playing.watched, step),
            key,
        )

    first = _Playing(start, jnp.zeros((), bool), silence, score.init(start.obs), key)
    end = jax.lax.while_loop(lambda playing: ~playing.done, go_on, first)
    outcome = end.interaction
    episode = Episode(end.done, outcome.episode_return, outcome.episode_length)
    return outcome.policy_state, PlayedEpisode(episode, score.read(end.watched), end.spikes)

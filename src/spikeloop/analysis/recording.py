"""One episode with everything in it: the states of the world, every spike of every tick, and what was made of them."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from spikeloop.environments import AbstractEnvironment, Box, Discrete
from spikeloop.environments.gymnasium import GymnasiumState
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor
from spikeloop.policies import TracedDecision

# Decisions per call to the device: enough that calls cost nothing, few enough that a short episode wastes little.
CHUNK = 64


class Recording(eqx.Module):
    """One episode, on the host. A *moment* is before a decision or at the end: there is one more of them than
    decisions.

    Neither ``terminated`` nor ``truncated`` holds if the recording stopped at its own limit of decisions.
    """

    states: Any  # the environment's states, its tree with a leading axis of moments
    observations: Float[np.ndarray, "moments ..."]
    actions: Shaped[np.ndarray, "decisions ..."]
    rewards: Float[np.ndarray, " decisions"]
    outputs: Float[np.ndarray, "decisions out"]
    spikes: tuple[Float[np.ndarray, "decisions ticks _"], ...]  # one array a population; none without spikes
    evidence: Float[np.ndarray, "decisions ticks out"]  # the decoder's reading after each tick
    action_space: Discrete | Box
    terminated: bool
    truncated: bool
    # Potentials after each tick, where they were asked for: one array a population, None where it has none.
    membranes: tuple[Float[np.ndarray, "decisions ticks _"] | None, ...] = ()

    @property
    def decisions(self) -> int:
        """How many decisions were made."""
        return len(self.rewards)

    @property
    def ticks(self) -> int:
        """Ticks of one decision."""
        return self.evidence.shape[1]

    @property
    def total_return(self) -> float:
        """Sum of the rewards, undiscounted."""
        return float(np.sum(self.rewards, dtype=np.float64))

    def state(self, moment: int) -> Any:
        """The environment's state at one moment, from 0 (the reset) to ``decisions`` (the end)."""
        return jax.tree.map(lambda leaf: leaf[moment, ...], self.states)


class _Playing(eqx.Module):
    """What the loop carries."""

    env_state: Any
    obs: Float[Array, "..."]
    policy_state: Any
    key: PRNGKeyArray
    taken: Int[Array, ""]  # decisions so far
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]


class _Moment(eqx.Module):
    """What the loop keeps of one decision."""

    kept: Bool[Array, "..."]  # false after the end of the episode
    env_state: Any
    obs: Float[Array, "..."]
    action: Shaped[Array, "..."]
    reward: Float[Array, "..."]
    traced: TracedDecision


def record_episode(
    environment: AbstractEnvironment,
    actor: Actor,
    key: PRNGKeyArray,
    max_decisions: int | None = None,
    membranes: bool = False,
) -> Recording:
    """Play one episode and keep every tick of it; the membrane potentials too, if `membranes`.

    The keys are used as `play_episode` uses them, so the same key gives the same episode. Memory is
    ``decisions * ticks * neurons * 4`` bytes, twice that with membranes, and the states'. Raises InvalidInput if
    `max_decisions` is below 1.
    """
    if max_decisions is not None and max_decisions < 1:
        raise InvalidInput(f"a recording needs at least one decision, got max_decisions={max_decisions}")
    limit = jnp.asarray(max_decisions or np.iinfo(np.int32).max, jnp.int32)
    playing = _begin(environment, actor, key)
    chunks: list[_Moment] = []
    while not chunks or chunks[-1].kept.all():
        playing, moments = _play_chunk(environment, actor, playing, limit, membranes)
        chunks.append(jax.device_get(moments))
    kept = np.concatenate([np.asarray(chunk.kept) for chunk in chunks])
    moments = jax.tree.map(lambda *leaves: _join(leaves)[kept], *chunks)
    last = jax.device_get(playing)
    states = jax.tree.map(lambda leaf, end: _join((leaf, end[None])), moments.env_state, _light(last.env_state))
    return Recording(
        states=_heavy(states, last.env_state),
        observations=np.concatenate([moments.obs, np.asarray(last.obs)[None]]),
        actions=moments.action,
        rewards=moments.reward,
        outputs=moments.traced.decision.output,
        spikes=moments.traced.trace.spikes,
        evidence=moments.traced.trace.evidence,
        action_space=actor.actions,
        terminated=bool(last.terminated),
        truncated=bool(last.truncated),
        membranes=moments.traced.trace.membranes,
    )


@eqx.filter_jit
def _begin(environment: AbstractEnvironment, actor: Actor, key: PRNGKeyArray) -> _Playing:
    reset_key, key = jax.random.split(key)
    env_state, obs = environment.reset(reset_key)
    no = jnp.zeros((), bool)
    return _Playing(env_state, obs, actor.init_state(), key, jnp.zeros((), jnp.int32), no, no)


@eqx.filter_jit
def _play_chunk(
    environment: AbstractEnvironment, actor: Actor, playing: _Playing, limit: Int[Array, ""], membranes: bool
) -> tuple[_Playing, _Moment]:
    """Up to CHUNK more decisions; after the end of the episode nothing moves and nothing is kept."""

    def decide(now: _Playing) -> tuple[_Playing, _Moment]:
        key, act_key, step_key = jax.random.split(now.key, 3)
        policy_key, selection_key = None, act_key  # from here on what Actor.__call__ does, with the trace
        if actor.policy.stochastic:
            policy_key, selection_key = jax.random.split(act_key)
        look = actor.policy.probe if membranes else actor.policy.trace
        policy_state, traced = look(actor.params, now.policy_state, now.obs, policy_key)
        zero = jnp.zeros((), jnp.int32)
        action = actor.selection(traced.decision.output, actor.actions, zero, selection_key)
        env_state, step = environment.step(now.env_state, action, step_key)
        after = _Playing(env_state, step.obs, policy_state, key, now.taken + 1, step.terminated, step.truncated)
        return after, _Moment(jnp.ones((), bool), _light(now.env_state), now.obs, action, step.reward, traced)

    shapes = jax.eval_shape(lambda: decide(playing)[1])

    def rest(now: _Playing) -> tuple[_Playing, _Moment]:
        blank = jax.tree.map(
            lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), (shapes.action, shapes.reward, shapes.traced)
        )
        return now, _Moment(jnp.zeros((), bool), _light(now.env_state), now.obs, *blank)

    def go_on(now: _Playing, _: None) -> tuple[_Playing, _Moment]:
        return jax.lax.cond(now.terminated | now.truncated | (now.taken >= limit), rest, decide, now)

    return jax.lax.scan(go_on, playing, length=CHUNK)


def _light(env_state: Any) -> Any:
    """A state without what the last state of the episode says as well.

    A Gymnasium state holds room for all actions of the episode: kept for every moment it would grow with the square of
    the episode's length (2.9 GB for an Atari game of 27,000 decisions).
    """
    if isinstance(env_state, GymnasiumState):
        return eqx.tree_at(lambda state: state.actions, env_state, None)
    return env_state


def _heavy(states: Any, last: Any) -> Any:
    """The states made whole again: each reads the actions before it out of the one history of the last."""
    if not isinstance(states, GymnasiumState):
        return states
    history = np.broadcast_to(last.actions, (len(states.steps), *last.actions.shape))
    return eqx.tree_at(lambda state: state.actions, states, history, is_leaf=lambda leaf: leaf is None)


def _join(leaves: Any) -> Any:
    if any(isinstance(leaf, jax.Array) for leaf in leaves):  # random keys have no form on the host
        return jnp.concatenate(leaves)
    return np.concatenate(leaves)

"""What an action is judged by: the reward of its own iteration and an estimate of the rest, or the rewards that followed."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from spikeloop.component import Component, require_count
from spikeloop.learners.synapses.value import Experience


class Deed(eqx.Module):
    """What a number of synapses did in one iteration: their states, their actions (-1, 0, 1) and who they are."""

    states: Float[Array, "n width"]
    actions: Int[Array, " n"]
    who: Int[Array, " n"]


class Judged(eqx.Module):
    """An experience to learn from, if there is one yet."""

    experience: Experience
    ready: Bool[Array, ""]


def states_of(who: Int[Array, " n"], states: Float[Array, "synapses width"]) -> Float[Array, "n width"]:
    """The states of those who act. Where all do, they do so in their order, and nothing has to be looked up."""
    return states if len(who) == len(states) else states[who]


class AbstractReturn(Component):
    """How rewards become experiences."""

    @abc.abstractmethod
    def init(self, deed: Deed) -> Any:
        """What it remembers before the first iteration, for deeds like this one."""

    @abc.abstractmethod
    def step(
        self, memory: Any, deed: Deed, reward: Float[Array, ""], states: Float[Array, "synapses width"], discount: float
    ) -> tuple[Any, Judged]:
        """Take in a deed, its reward and the state of every synapse afterwards; give an experience."""


class SingleStep(AbstractReturn):
    """r + gamma max_a Q(s', a): the update of Zheng et al. 2026, and of Bhargava et al. 2022."""

    def init(self, deed):
        return None

    def step(self, memory, deed, reward, states, discount):
        rewards = jnp.broadcast_to(reward, deed.actions.shape)
        next_states = states_of(deed.who, states)
        experience = Experience(deed.states, deed.actions, rewards, next_states, jnp.asarray(discount, jnp.float32))
        return None, Judged(experience, jnp.ones((), bool))


class Backlog(eqx.Module):
    """Deeds whose return is not complete: a ring with a leading axis of `horizon`."""

    deeds: Deed
    returns: Float[Array, " horizon"]
    iterations: Int[Array, ""]


class MonteCarlo(AbstractReturn):
    """sum_k gamma^k r_{t+k} over the next `horizon` iterations, and no estimate of what comes after.

    Zheng et al. 2026 name Monte-Carlo updates as their next step and do not say where a return ends; the task of a
    synapse has no end, so it is cut here (gamma^20 is 0.12 at gamma = 0.9).
    """

    horizon: int = 20  # iterations whose rewards count

    def __check_init__(self):
        require_count(self, "horizon")

    def init(self, deed):
        deeds = jax.tree.map(lambda leaf: jnp.zeros((self.horizon, *leaf.shape), leaf.dtype), deed)
        return Backlog(deeds, jnp.zeros(self.horizon), jnp.zeros((), jnp.int32))

    def step(self, memory, deed, reward, states, discount):
        now = memory.iterations % self.horizon
        deeds = jax.tree.map(lambda ring, leaf: ring.at[now].set(leaf), memory.deeds, deed)
        age = ((now - jnp.arange(self.horizon)) % self.horizon).astype(jnp.float32)
        returns = memory.returns.at[now].set(0.0) + reward * discount**age
        oldest = (now + 1) % self.horizon
        past = jax.tree.map(lambda ring: ring[oldest], deeds)
        rewards = jnp.broadcast_to(returns[oldest], past.actions.shape)
        experience = Experience(past.states, past.actions, rewards, past.states, jnp.zeros(()))
        iterations = memory.iterations + 1
        return Backlog(deeds, returns, iterations), Judged(experience, iterations >= self.horizon)

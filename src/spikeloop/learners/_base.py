"""The contract of a learner: a description; its state is everything that changes; its iteration is a pure function."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from spikeloop.component import Component, require, require_between, require_count
from spikeloop.environments import AbstractEnvironment
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, Episode, PlayedEpisode
from spikeloop.policies import AbstractPolicy, Decision


class Report(eqx.Module):
    """What one iteration did: environment steps taken, the episodes it saw (some not ended), and named numbers.

    A metric that says nothing in this iteration is NaN; the logger takes means over the others.
    """

    env_steps: Int[Array, ""]
    episodes: Episode  # every leaf has shape [k]
    metrics: dict[str, Float[Array, ""]]


class BestSoFar(eqx.Module):
    """State of a search: the best weights so far and their score."""

    best: Any
    score: Float[Array, ""]

    def after(self, tried: Any, score: Float[Array, ""], better: Bool[Array, ""]) -> "BestSoFar":
        """The state after others were tried, which are kept if they are better."""
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), tried, self.best)
        return BestSoFar(best, jnp.where(better, score, self.score))


class AbstractLearner(Component):
    """An algorithm. The environment is an argument, so that every learner of an experiment meets the same one."""

    fixed_env_steps: ClassVar[bool]  # whether every iteration takes the same number of environment steps
    compiler_options: ClassVar[dict[str, Any] | None] = None  # XLA's on a CPU, where others than its own are faster

    @property
    def individuals(self) -> int:
        """How many individuals an iteration tries through `over_individuals`, and so could spread over devices."""
        return 1

    @abc.abstractmethod
    def typical_env_steps(self, environment: AbstractEnvironment) -> int:
        """About how many environment steps one iteration takes; exactly, where `fixed_env_steps`."""

    @abc.abstractmethod
    def init(self, environment: AbstractEnvironment, key: PRNGKeyArray) -> Any:
        """The state before the first iteration. Raises InvalidInput if it cannot learn in this environment."""

    @abc.abstractmethod
    def step(self, environment: AbstractEnvironment, state: Any, key: PRNGKeyArray) -> tuple[Any, Report]:
        """One iteration of the algorithm."""

    def taken_over(self, state: Any) -> Any:
        """What another stage of training begins with, where it takes over this state: all of it, unless overridden."""
        return state

    @abc.abstractmethod
    def actor(self, environment: AbstractEnvironment, state: Any) -> Actor:
        """What has been learned so far, acting without exploration: for evaluation and for use."""

    def lessons(self, state: Any) -> dict[str, Array]:
        """What was learned beside the policy and is worth keeping with it, by name; nothing, unless overridden."""
        return {}


def require_replayable(learner: Any) -> None:
    """Raise InvalidInput unless the fields of a learner that replays single transitions fit each other."""
    require_between(learner, 0.0, 1.0, "discount")
    require_count(learner, "batch_size", "learning_starts", "n_step")
    capacity, name = learner.replay.capacity, type(learner).__name__
    require(learner, "learning_starts", lambda n: n <= capacity, f"at most the replay's capacity of {capacity}")
    require(learner, "n_step", lambda n: n <= learner.learning_starts, "at most learning_starts")
    if learner.policy.carries_state:
        raise InvalidInput(
            f"{name} replays single transitions, so its policy must start every decision at rest; "
            "use between_decisions=ResetBetweenDecisions()"
        )


def firing_rates(policy: AbstractPolicy, decision: Decision) -> dict[str, Float[Array, ""]]:
    """Mean firing rate of each population in spikes per neuron and tick, named ``firing_rate_1`` onwards."""
    return {
        f"firing_rate_{place}": jnp.mean(counts) / policy.ticks_per_decision
        for place, counts in enumerate(decision.spikes, start=1)
    }


def played_rates(policy: AbstractPolicy, played: PlayedEpisode) -> tuple[Float[Array, " _"], ...]:
    """Firing rate of every neuron of each population over played episodes (leading axis), in spikes per tick."""
    ticks = jnp.sum(played.episode.length).astype(jnp.float32) * policy.ticks_per_decision
    return tuple(jnp.sum(counts, axis=0) / ticks for counts in played.spikes)

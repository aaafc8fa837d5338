"""Evaluation: fresh episodes, on keys that training never uses."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.environments import AbstractEnvironment
from spikeloop.interaction import Actor, play_episode


class Evaluation(eqx.Module):
    """Outcome of a number of episodes."""

    returns: Float[Array, "... episodes"]
    lengths: Int[Array, "... episodes"]
    spikes_per_decision: Float[Array, "..."]  # all neurons together, mean over all decisions
    firing_rates: tuple[Float[Array, "..."], ...]  # of each population, spikes per neuron and tick
    silent_neurons: tuple[Float[Array, "..."], ...]  # fraction of each population that never fired


def evaluate(environment: AbstractEnvironment, actor: Actor, key: PRNGKeyArray, episodes: int) -> Evaluation:
    """Play so many episodes, all at once, each from its own key. Pure: jit it, vmap it over actors."""
    played = jax.vmap(lambda k: play_episode(environment, actor, k))(jax.random.split(key, episodes))
    decisions = jnp.sum(played.episode.length).astype(jnp.float32)
    totals = tuple(jnp.sum(counts, axis=0) for counts in played.spikes)
    ticks = actor.policy.ticks_per_decision
    return Evaluation(
        returns=played.episode.episode_return,
        lengths=played.episode.length,
        spikes_per_decision=sum((jnp.sum(total) / decisions for total in totals), jnp.zeros(())),
        firing_rates=tuple(jnp.mean(total) / decisions / ticks for total in totals),
        silent_neurons=tuple(jnp.mean((total == 0).astype(jnp.float32)) for total in totals),
    )


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as lists and numbers."""
    return {
        "returns": evaluation.returns.tolist(),
        "lengths": evaluation.lengths.tolist(),
        "spikes_per_decision": evaluation.spikes_per_decision.tolist(),
        "firing_rates": [rate.tolist() for rate in evaluation.firing_rates],
        "silent_neurons": [fraction.tolist() for fraction in evaluation.silent_neurons],
    }

"""Evaluation: fresh episodes, on keys that training never uses."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.environments import AbstractEnvironment
from spikeloop.interaction import Actor, play_episode

ArrayLike = Array | np.ndarray  # arrays of JAX within a program, of NumPy once fetched


class Evaluation(eqx.Module):
    """Outcome of a number of episodes."""

    returns: Float[ArrayLike, "... episodes"]
    lengths: Int[ArrayLike, "... episodes"]
    spikes: tuple[Float[ArrayLike, "... _"], ...]  # of each neuron of each population, over all decisions
    decisions: Int[ArrayLike, "..."]  # how many there were in all
    ticks_per_decision: Int[ArrayLike, "..."]

    @property
    def spikes_per_decision(self) -> np.ndarray:
        """Spikes of all neurons together, mean over decisions."""
        return sum((np.asarray(counts).sum(axis=-1) for counts in self.spikes), np.zeros(())) / np.asarray(
            self.decisions
        )

    @property
    def firing_rates(self) -> tuple[np.ndarray, ...]:
        """Of each population: spikes per neuron and tick."""
        ticks = np.asarray(self.decisions) * np.asarray(self.ticks_per_decision)
        return tuple(np.asarray(counts).mean(axis=-1) / ticks for counts in self.spikes)

    @property
    def silent_neurons(self) -> tuple[np.ndarray, ...]:
        """Of each population: the fraction of neurons that never fired."""
        return tuple((np.asarray(counts) == 0).mean(axis=-1) for counts in self.spikes)


def evaluate(environment: AbstractEnvironment, actor: Actor, key: PRNGKeyArray, episodes: int) -> Evaluation:
    """Play so many episodes, all at once, each from its own key. Pure: jit it, vmap it over actors."""
    played = jax.vmap(lambda k: play_episode(environment, actor, k))(jax.random.split(key, episodes))
    return Evaluation(
        returns=played.episode.episode_return,
        lengths=played.episode.length,
        spikes=tuple(jnp.sum(counts, axis=0) for counts in played.spikes),
        decisions=jnp.sum(played.episode.length),
        ticks_per_decision=jnp.asarray(actor.policy.ticks_per_decision, jnp.int32),
    )


def join(blocks: Sequence[Evaluation], episodes: int) -> Evaluation:
    """Several evaluations of the same actors as one, of the first so many episodes (spikes and decisions are those of all)."""
    return Evaluation(
        returns=np.concatenate([block.returns for block in blocks], axis=-1)[..., :episodes],
        lengths=np.concatenate([block.lengths for block in blocks], axis=-1)[..., :episodes],
        spikes=tuple(np.sum(counts, axis=0) for counts in zip(*(block.spikes for block in blocks), strict=True)),
        decisions=np.sum([block.decisions for block in blocks], axis=0),
        ticks_per_decision=blocks[0].ticks_per_decision,
    )


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as lists and numbers."""
    return {
        "returns": evaluation.returns.tolist(),
        "lengths": evaluation.lengths.tolist(),
        "spikes_per_decision": np.broadcast_to(evaluation.spikes_per_decision, np.shape(evaluation.decisions)).tolist(),
        "firing_rates": [rate.tolist() for rate in evaluation.firing_rates],
        "silent_neurons": [fraction.tolist() for fraction in evaluation.silent_neurons],
    }

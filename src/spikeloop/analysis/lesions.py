"""Lesions: what a policy is worth without some of its neurons.

Every lesion plays the same episodes as the intact policy (the same keys: the same starts, and the same draws where the world
leaves anything to chance), so its return is compared episode by episode. A neuron that never fires in the intact episodes
cannot matter in them: silencing it changes nothing, by construction, and need not be played.
"""

import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from spikeloop.environments import AbstractEnvironment
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor
from spikeloop.policies import silenced
from spikeloop.training import evaluate

LESIONS_AT_ONCE = 16  # played side by side
_RESAMPLES = 2000


class Lesion(eqx.Module):
    """Neurons of one population that are silenced together."""

    population: int  # its place, from 0
    neurons: tuple[int, ...]  # their places in it

    def alive(self, sizes: Sequence[int]) -> tuple[Float[np.ndarray, " _"], ...]:
        """Who is left in each population of these sizes: 1, or 0 for the silenced."""
        found = tuple(np.ones(size, np.float32) for size in sizes)
        found[self.population][list(self.neurons)] = 0.0
        return found


class LesionStudy(eqx.Module):
    """Returns of the intact policy, and of each lesion in the same episodes."""

    lesions: tuple[Lesion, ...]
    intact: Float[np.ndarray, " episodes"]
    returns: Float[np.ndarray, "lesions episodes"]

    def interval(self, place: int | None, confidence: float = 0.95) -> tuple[float, float]:
        """Ends of the bootstrap interval of the mean return of a lesion; of the intact policy for None."""
        return _interval(self.intact if place is None else self.returns[place], confidence)

    def loss(self, place: int) -> float:
        """How much less return the lesion brings, mean over episodes."""
        return float(np.mean(self.intact - self.returns[place]))

    def matters(self, place: int, confidence: float = 0.95) -> bool:
        """Whether the interval of the difference, episode by episode, leaves out zero."""
        low, high = _interval(self.intact - self.returns[place], confidence)
        return low > 0.0 or high < 0.0


def lesion_study(
    environment: AbstractEnvironment, actor: Actor, lesions: Sequence[Lesion], episodes: int, key: PRNGKeyArray
) -> LesionStudy:
    """Play so many episodes with each lesion, and with none. Raises InvalidInput if `episodes` is below 1."""
    sizes = actor.policy.populations(actor.actions.output_size)
    intact, _ = intact_episodes(environment, actor, episodes, key)
    found = [np.zeros((0, episodes), np.float32)]
    for first in range(0, len(lesions), LESIONS_AT_ONCE):
        batch = lesions[first : first + LESIONS_AT_ONCE]
        returns, _ = _play_batch(environment, actor, [lesion.alive(sizes) for lesion in batch], episodes, key)
        found.append(returns)
    return LesionStudy(tuple(lesions), intact, np.concatenate(found))


def intact_episodes(
    environment: AbstractEnvironment, actor: Actor, episodes: int, key: PRNGKeyArray
) -> tuple[Float[np.ndarray, " episodes"], tuple[Float[np.ndarray, " _"], ...]]:
    """Returns of the episodes that lesions are compared with, and how often each neuron of every population fired in them."""
    if episodes < 1:
        raise InvalidInput(f"a lesion study needs at least one episode, got {episodes}")
    sizes = actor.policy.populations(actor.actions.output_size)
    whole = tuple(np.ones(size, np.float32) for size in sizes)
    returns, spikes = _play_batch(environment, actor, [whole], episodes, key)
    return returns[0], tuple(counts[0] for counts in spikes)


def groups(spikes: Sequence[Float[np.ndarray, " _"]], most: int) -> tuple[Lesion, ...]:
    """At most about `most` lesions of the neurons that fired: each alone, or together with those that fire about as often.

    Populations share what there is by their numbers of neurons that fired; a population is cut, in the order of how often its
    neurons fired, into groups of equal size.
    """
    active = [np.flatnonzero(np.asarray(counts) > 0) for counts in spikes]
    total = sum(map(len, active))
    found: list[Lesion] = []
    for population, (neurons, counts) in enumerate(zip(active, spikes, strict=True)):
        parts = len(neurons) if total <= most else min(len(neurons), max(1, round(most * len(neurons) / total)))
        if total > most and len(neurons) <= max(8, math.ceil(0.1 * most)):
            parts = len(neurons)  # a small population, of outputs say, is worth looking at one by one
        order = neurons[np.argsort(-np.asarray(counts)[neurons], kind="stable")] if parts < len(neurons) else neurons
        for part in np.array_split(order, parts) if parts else []:
            found.append(Lesion(population, tuple(sorted(int(neuron) for neuron in part))))
    return tuple(found)


def _play_batch(environment: AbstractEnvironment, actor: Actor, rows: list[Any], episodes: int, key: Any) -> Any:
    """Returns and spikes of so many lesions, at most a batch; a batch is always of one size, so that one program serves all."""
    full = [*rows, *(rows[-1:] * (LESIONS_AT_ONCE - len(rows)))]
    alive = tuple(jnp.asarray(np.stack(each)) for each in zip(*full, strict=True))
    played = jax.device_get(_play(environment, actor, alive, key, episodes))
    return jax.tree.map(lambda leaf: np.asarray(leaf)[: len(rows)], played)


@eqx.filter_jit
def _play(environment: AbstractEnvironment, actor: Actor, alive: Any, key: Any, episodes: int) -> Any:
    def one(alive):
        policy, params = silenced(actor.policy, actor.params, alive)
        played = evaluate(environment, Actor(policy, params, actor.actions, actor.selection), key, episodes)
        return played.returns, played.spikes

    return jax.vmap(one)(alive)


def _interval(values: Float[np.ndarray, " episodes"], confidence: float) -> tuple[float, float]:
    values = np.asarray(values, np.float64)
    drawn = np.random.default_rng(0).integers(0, values.size, (_RESAMPLES, values.size))
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(values[drawn].mean(axis=1), [tail, 100.0 - tail])
    return float(low), float(high)

"""A learner's final policies measured: what they hold, what they do in real episodes, and what they reach there.

Episodes are those that `training.evaluate` plays with the same keys. Of every count there is one number for each seed and episode;
what is reported of a seed is the median over its episodes, and over seeds the interquartile mean with its interval.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from spikeloop.analysis.measurement.counting import MeteredActor, observe
from spikeloop.analysis.measurement.energy import Work
from spikeloop.analysis.statistics import Interval, interquartile_interval
from spikeloop.environments import AbstractEnvironment
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, play_to_the_end
from spikeloop.networks import Fixed
from spikeloop.policies import AbstractPolicy, Activity
from spikeloop.training import over_seeds, spread

SCOPES = ("tick", "decision", "episode")


class ConnectionCounts(eqx.Module):
    """One set of synapses, and what was done with it."""

    name: str  # from where to where
    size: int  # places for a synapse: pre times post
    calls: int  # how often it is used in a decision
    constant: bool  # whether a decision sends the same every time
    present: Int[np.ndarray, " seeds"]  # weights that are not zero
    macs: Int[np.ndarray, "seeds episodes"]  # effective, of whole episodes
    acs: Int[np.ndarray, "seeds episodes"]

    def times(self, once: bool) -> int:
        """How often it is used in a decision; a constant input only once, if that is how one counts."""
        return 1 if once and self.constant else self.calls


class LayerCounts(eqx.Module):
    """One layer of neurons or units, and what was counted of it."""

    size: int  # neurons
    calls: int  # ticks of a decision
    counted: Int[
        np.ndarray, "seeds episodes"
    ]  # of whole episodes: outputs that were not zero, or membranes that changed


class Memory(eqx.Module):
    """What a policy holds in memory while it runs."""

    parameters: int  # numbers that training may change
    parameter_bytes: int
    fixed_bytes: int  # of what was drawn along with the parameters and never changes: `Fixed`
    state_bytes: int  # of membranes and whatever else lives from tick to tick

    @property
    def footprint(self) -> int:
        """All of it, bytes."""
        return self.parameter_bytes + self.fixed_bytes + self.state_bytes


class Measurement(eqx.Module):
    """Everything counted of one learner's policies, for all seeds and episodes."""

    ticks: int  # of a decision
    memory: Memory
    connections: tuple[ConnectionCounts, ...]
    layers: tuple[LayerCounts, ...]  # whose outputs can be zero
    membranes: tuple[LayerCounts, ...]
    returns: Float[np.ndarray, "seeds episodes"]
    decisions: Int[np.ndarray, "seeds episodes"]

    @property
    def folds(self) -> bool:
        """Whether an input is the same at every tick, so that its product can be computed once a decision."""
        return any(one.constant and one.calls > 1 for one in self.connections)

    @property
    def connection_sparsity(self) -> Float[np.ndarray, " seeds"]:
        """Share of the weights that are zero."""
        present = np.sum([one.present for one in self.connections], axis=0)
        return np.asarray(1.0 - present / sum(one.size for one in self.connections))

    @property
    def activation_sparsity(self) -> Float[np.ndarray, "seeds episodes"]:
        """Share of the outputs of neurons and rectified units that are zero; 0 of a policy that has neither."""
        outputs = self.decisions * sum(one.size * one.calls for one in self.layers)
        return 1.0 - sum(one.counted for one in self.layers) / outputs if self.layers else 0.0 * self.returns

    def work(self, once: bool = False) -> Work:
        """Effective operations and membrane updates of each whole episode.

        With `once`, the product of an input that is the same at every tick counts once a decision, as this library computes it;
        else once a tick, as NeuroBench counts it.
        """
        zero = np.zeros(self.decisions.shape, np.int64)
        updates = sum((one.counted for one in self.membranes), zero)
        ticks = self.decisions * sum(one.size * one.calls for one in self.membranes)
        # Every call of a constant input did the same, so the division leaves no rest.
        return Work(
            macs=sum((one.macs * one.times(once) // one.calls for one in self.connections), zero),
            acs=sum((one.acs * one.times(once) // one.calls for one in self.connections), zero),
            updates=updates,
            idle=ticks - updates,
        )

    def dense(self, once: bool = False) -> Int[np.ndarray, "seeds episodes"]:
        """Operations of each whole episode if nothing were ever zero."""
        return self.decisions * sum(one.size * one.times(once) for one in self.connections)

    def per(self, scope: str, totals: np.ndarray) -> np.ndarray:
        """Totals of whole episodes as numbers of a tick, a decision or an episode."""
        return totals / {"tick": self.decisions * self.ticks, "decision": self.decisions, "episode": 1}[scope]


def over_episodes(values: Float[np.ndarray, "seeds episodes"]) -> Interval:
    """Median over the episodes of each seed, and of these the interquartile mean over seeds with its 95 % interval."""
    return interquartile_interval(np.median(np.asarray(values, float), axis=1))


class _Played(eqx.Module):
    """What comes back from the device for each seed."""

    returns: Float[Array, " episodes"]
    lengths: Int[Array, " episodes"]
    tallies: Any
    present: tuple[Int[Array, ""], ...]


def measure(environment: AbstractEnvironment, actors: Actor, episodes: int = 20, seed: int = 0) -> Measurement:
    """Play fresh episodes with the policies of all seeds, and count.

    The parameters of `actors` have a leading axis of seeds. Raises InvalidInput for a policy without synapses, or no episodes.
    """
    if episodes < 1:
        raise InvalidInput(f"a measurement needs at least one episode, got {episodes}")
    policy, actions, selection = actors.policy, actors.actions, actors.selection
    blank = jnp.zeros(environment.spec.observation_shape)
    params, first = _of_one_seed(actors), _shapes(environment, actors)
    if not first.traffic:
        raise InvalidInput(f"{type(policy).__name__} has no synapses that could be counted")
    seeds = jax.tree.leaves(actors.params)[0].shape[0]

    def play(pair):
        params, key = pair
        actor = Actor(policy, params, actions, selection)
        metered = MeteredActor(policy, params, actions, selection, MeteredActor.blank_for(actor, blank))
        end, played = jax.vmap(lambda k: play_to_the_end(environment, metered, k))(jax.random.split(key, episodes))
        present = tuple(jnp.sum(way.weights != 0, dtype=jnp.int32) for way in observe(actor, blank).traffic)
        return _Played(played.episode.episode_return, played.episode.length, end.tallies, present)

    keys = jax.random.split(jax.random.key(seed), seeds)
    played = jax.device_get(over_seeds(play, seeds)(spread((actors.params, keys), seeds)))
    traffic, tallies = first.traffic, played.tallies
    return Measurement(
        ticks=policy.ticks_per_decision,
        memory=_memory(policy, params),
        connections=tuple(
            ConnectionCounts(
                name=way.name,
                size=math.prod(way.weights.shape),
                calls=way.inputs.shape[0],
                constant=way.constant,
                present=np.asarray(present, np.int64),
                macs=macs.read(),
                acs=acs.read(),
            )
            for way, present, macs, acs in zip(traffic, played.present, tallies.macs, tallies.acs, strict=True)
        ),
        layers=_layers(first.outputs, tallies.active),
        membranes=_layers(first.potentials, tallies.updates),
        returns=np.asarray(played.returns, np.float64),
        decisions=np.asarray(played.lengths, np.int64),
    )


def has_synapses(environment: AbstractEnvironment, actors: Actor) -> bool:
    """Whether there is anything to measure. The parameters of `actors` have a leading axis of seeds."""
    return len(_shapes(environment, actors).traffic) > 0


def _of_one_seed(actors: Actor) -> Any:
    """The shapes of one seed's parameters."""
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), actors.params)


def _shapes(environment: AbstractEnvironment, actors: Actor) -> Activity:
    """The shapes of all that goes on in one decision."""
    blank = jnp.zeros(environment.spec.observation_shape)
    return jax.eval_shape(
        lambda params: observe(Actor(actors.policy, params, actors.actions), blank), _of_one_seed(actors)
    )


def _layers(arrays, tallies):
    pairs = zip(arrays, tallies, strict=True)
    return tuple(LayerCounts(array.shape[1], array.shape[0], tally.read()) for array, tally in pairs)


def _memory(policy: AbstractPolicy, params: Any) -> Memory:
    """Of the shapes of one seed's parameters."""
    fixed = jax.tree.leaves([leaf for leaf in jax.tree.leaves(params, is_leaf=_is_fixed) if _is_fixed(leaf)])
    everything, state = jax.tree.leaves(params), jax.tree.leaves(jax.eval_shape(policy.memory, params))
    return Memory(
        parameters=sum(leaf.size for leaf in everything) - sum(leaf.size for leaf in fixed),
        parameter_bytes=_bytes(everything) - _bytes(fixed),
        fixed_bytes=_bytes(fixed),
        state_bytes=_bytes(state),
    )


def _is_fixed(leaf):
    return isinstance(leaf, Fixed)


def _bytes(leaves):
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)

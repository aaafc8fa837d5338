"""What a decision costs, counted as NeuroBench counts it (Yik et al. 2025, Nature Communications 16:1545).

    x, W           what is sent over the synapses each time that they are used, and their weights; no biases
    effective      sum over i of 1[x_i != 0] * (number of W_ij != 0)     no operation where either is zero
    dense          (number of W_ij), zero or not
    MAC or AC      ACs where every x_i is -1, 0 or 1: it is added and not multiplied; else MACs
    active         outputs of neurons and rectified units that are not 0; activation sparsity is the share of the others
    updates        in the first tick every membrane; in each tick after it those whose potential is not what it was

The same rules as the package `neurobench` 2.3.0 applies to PyTorch modules; a decision is its sample. Counts are whole numbers.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.analysis.measurement.tally import Tally, add
from spikeloop.interaction import AbstractActor
from spikeloop.policies import Activity, Decision, Traffic


class Counts(eqx.Module):
    """What a decision cost; every leaf is a whole number."""

    macs: tuple[Int[Array, " calls"], ...]  # of each connection, effective
    acs: tuple[Int[Array, " calls"], ...]
    active: tuple[Int[Array, ""], ...]  # of each layer, over all ticks
    updates: tuple[Int[Array, ""], ...]  # of each layer with membranes, over all ticks


def count(activity: Activity) -> Counts:
    """The counts of one decision."""
    operations = [_effective(traffic) for traffic in activity.traffic]
    spiking = [_spikes_only(traffic.inputs) for traffic in activity.traffic]
    pairs = list(zip(operations, spiking, strict=True))
    return Counts(
        macs=tuple(jnp.where(spikes, 0, done) for done, spikes in pairs),
        acs=tuple(jnp.where(spikes, done, 0) for done, spikes in pairs),
        active=tuple(jnp.sum(outputs != 0, dtype=jnp.int32) for outputs in activity.outputs),
        updates=tuple(v.shape[1] + jnp.sum(v[1:] != v[:-1], dtype=jnp.int32) for v in activity.potentials),
    )


def _effective(traffic: Traffic) -> Int[Array, " calls"]:
    synapses = jnp.sum(traffic.weights != 0, axis=1, dtype=jnp.int32)
    return jnp.sum(jnp.where(traffic.inputs != 0, synapses[None], 0), axis=1, dtype=jnp.int32)


def _spikes_only(inputs: Float[Array, "calls pre"]) -> Array:
    return jnp.all((inputs == 0) | (jnp.abs(inputs) == 1), axis=1)


class Metered(eqx.Module):
    """The state of a policy, and a tally for every count so far."""

    policy: Any
    tallies: Counts


class MeteredActor(AbstractActor):
    """An actor that decides as any other and counts what its decisions cost; the tallies are in its state."""

    blank: Any = None  # the tallies to begin with: `MeteredActor.blank_for`

    @staticmethod
    def blank_for(actor: AbstractActor, obs: Float[Array, "..."]) -> Counts:
        """Empty tallies for the decisions of this actor on such observations."""
        counts = jax.eval_shape(lambda: count(observe(actor, obs)))
        return jax.tree.map(lambda _: Tally.zero(), counts)

    def init_state(self):
        return Metered(self.policy.init_state(self.params), self.blank)

    def _decide(self, state: Metered, obs, key) -> tuple[Metered, Decision]:
        policy_state, activity = self.policy.activity(self.params, state.policy, obs, key)
        return Metered(policy_state, add(state.tallies, count(activity))), activity.decision


def observe(actor: AbstractActor, obs: Float[Array, "..."]) -> Activity:
    """What a first decision on this observation sends over the synapses."""
    policy, params = actor.policy, actor.params
    key = jax.random.key(0) if policy.stochastic else None
    return policy.activity(params, policy.init_state(params), obs, key)[1]

"""What populations of a circuit send to each other, as matrices: from the latest spikes of one to the synapses of others.

Every kind of synapse of every target has a column for each of its neurons, the sum of the weights that arrive. A neuron also wants
to know how many synapses they come from: where all have the same weight, that is a quotient; elsewhere it has columns of its own,
with a 1 for each synapse.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.networks.fixed import Fixed
from spikeloop.networks.projections import AbstractProjection, Population, TrainableProjection, Wiring
from spikeloop.neurons.rule_based import COUNTED, RECEPTORS, Arrivals, Synapses, arrivals


class Column(NamedTuple):
    """A population, a kind of its synapses, and whether what arrives is counted there, not weighed."""

    post: str
    kind: str
    counted: bool = False


class CircuitParams(eqx.Module):
    """The weights of the trainable projections, and what was drawn of every projection."""

    weights: tuple[Float[Array, "_ _"], ...]
    wiring: Fixed[tuple[Wiring, ...]]


class Outgoing(eqx.Module):
    """What the spikes of one population do in a group: a matrix from its latest spikes to all of its targets there."""

    matrix: Float[
        Array, "rows columns"
    ]  # rows: a block of neurons for each place of the history; columns: one for each neuron of each target
    pre: str = eqx.field(static=True)  # the population
    places: tuple[int, ...] = eqx.field(static=True)  # of the history, one for each delay that occurs
    targets: tuple[Column, ...] = eqx.field(static=True)


def outgoing(
    projections: Sequence[AbstractProjection],
    params: CircuitParams,
    group: Collection[str],
    resolution: float,
    longest: int,
    alike: Mapping[tuple[str, str], float | None],
) -> tuple[Outgoing, ...]:
    """What a spike of each population that sends any does in this group. Trained weights have matrices of their own.

    So where individuals differ in those weights alone, all others are one matrix for all of them.
    """
    trained = iter(params.weights)
    found: dict[tuple[str, bool], dict[Column, dict[int, Any]]] = {}
    wiring = jax.lax.stop_gradient(params.wiring.value)
    for projection, drawn in zip(projections, wiring, strict=True):
        laid = weights_by_kind(projection, drawn, trained)
        if projection.post not in group:
            continue
        columns = {Column(projection.post, kind): jnp.maximum(weight, 0.0) for kind, weight in laid.items()}
        for kind in laid:
            if kind in COUNTED and alike[projection.post, kind] is None:
                columns[Column(projection.post, kind, True)] = jnp.ones_like(drawn.strength)
        for column, weight in columns.items():
            own = isinstance(projection, TrainableProjection) and column[1:] == (projection.trained, False)
            at = found.setdefault((projection.pre, own), {}).setdefault(column, {})
            for delay, there in zip(projection.delays(resolution), drawn.synapses, strict=True):
                # What was fired d ticks ago is at place longest - d of the history.
                at[longest - delay] = at.get(longest - delay, 0.0) + weight * there
    return tuple(_joined(pre, columns) for (pre, _), columns in found.items())


def weights_by_kind(projection: AbstractProjection, drawn: Wiring, trained: Iterator[Any]) -> dict[str, Any]:
    """The weights of each kind of synapse of a projection, as if there were synapses everywhere."""
    if not isinstance(projection, TrainableProjection):
        return {name: mean * drawn.strength for name, mean in projection.receptors.items()}
    weights = {name: jnp.full_like(drawn.strength, mean) for name, mean in projection.receptors.items()}
    return {**weights, projection.trained: next(trained)}


def event_sizes(projections: Sequence[AbstractProjection]) -> dict[tuple[str, str], float | None]:
    """The weight of every synapse of a kind onto a population; None where they differ."""
    found: dict[tuple[str, str], float | None] = {}
    for projection in projections:
        for kind, mean in projection.receptors.items():
            same = not isinstance(projection, TrainableProjection) and projection.spread == 0.0
            where = projection.post, kind
            found[where] = mean if same and found.get(where, mean) == mean else None
    return found


def arriving(
    sent: Sequence[Outgoing], fired: Mapping[str, Array], ticks: int, sizes: Mapping[str, int]
) -> dict[Column, Float[Array, "ticks post"]]:
    """What arrives in each of so many ticks, from the spikes of the ticks before, the oldest first."""
    found: dict[Column, Array] = {}
    for one in sent:
        rows = jnp.concatenate([fired[one.pre][place : place + ticks] for place in one.places], axis=1)
        came = jnp.matmul(rows, one.matrix, precision=jax.lax.Precision.HIGHEST)
        edges = np.cumsum([sizes[column.post] for column in one.targets])[:-1].tolist()
        for column, part in zip(one.targets, jnp.split(came, edges, axis=1), strict=True):
            found[column] = found[column] + part if column in found else part
    return found


def side_by_side(
    came: Mapping[Column, Array],
    group: Sequence[Population],
    ticks: int,
    alike: Mapping[tuple[str, str], float | None],
) -> Arrivals:
    """All that arrives at a group of populations, as its neurons want it."""
    nothing = {one.name: jnp.zeros((ticks, one.size)) for one in group}
    weights, events = {}, {}
    for kind in RECEPTORS:
        if not any(Column(one.name, kind) in came for one in group):
            continue
        weighed = {one.name: came.get(Column(one.name, kind), nothing[one.name]) for one in group}
        weights[kind] = jnp.concatenate([weighed[one.name] for one in group], axis=1)
        if kind in COUNTED:
            counted = [
                came.get(Column(one.name, kind, True), weighed[one.name] / (alike.get((one.name, kind)) or 1.0))
                for one in group
            ]
            events[kind] = jnp.concatenate(counted, axis=1)
    return arrivals(Synapses(**weights), Synapses(**events))


def _joined(pre: str, columns: dict[Column, dict[int, Any]]) -> Outgoing:
    """All that one population sends as one matrix."""
    places = tuple(sorted({place for at in columns.values() for place in at}))
    blocks = []
    for at in columns.values():
        blank = jnp.zeros_like(next(iter(at.values())))
        blocks.append(jnp.concatenate([at.get(place, blank) for place in places]))
    return Outgoing(jnp.concatenate(blocks, axis=1), pre, places, tuple(columns))

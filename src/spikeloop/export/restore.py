"""From a chain of NIR nodes to a policy, for graphs that were made elsewhere.

Affine, Linear or nothing, then IF, LIF or CubaLIF      a population of a `Chain`; weights trainable, the neurons' numbers fixed
... at the end: Affine, Linear or nothing, then LI or I  a readout whose potential after the last tick is the output
... at the end: Affine or Linear                         `LinearRate`: the mean of what it puts out over the ticks
... at the end: neurons                                  `SpikeRate`: how often each fires
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from spikeloop.decoders import (
    AbstractDecoder,
    LastMembrane,
    LinearRate,
    NIRIntegratorReadout,
    NIRLeakyReadout,
    ReadoutParams,
    SpikeRate,
)
from spikeloop.encoders import Direct
from spikeloop.environments import Spec
from spikeloop.errors import InvalidInput
from spikeloop.export.discrete import NIR_KINDS, Node
from spikeloop.export.files import CONNECTIONS, NEURONS, READOUTS, checked_chain
from spikeloop.export.graph import READINGS, connected_inputs
from spikeloop.export.sidecar import Sidecar, restored, with_standardisation
from spikeloop.interaction import Actor, Greedy
from spikeloop.networks import Chain, Linear, Link, LinkParams
from spikeloop.policies import KeepBetweenDecisions, ResetBetweenDecisions, SpikingParams, SpikingPolicy

NEURON_OF = {kind: cls for cls, kind in NIR_KINDS.items()}


class Reading(eqx.Module):
    """How a graph is to be run where no sidecar says it."""

    ticks: int = 16  # of a decision
    dt: float = 1e-4  # length of a tick, s
    keep: bool = False  # whether potentials live on from one decision to the next


def imported(nodes: tuple[Node, ...], spec: Spec, reading: Reading, beside: Sidecar | None = None) -> Actor:
    """The policy that a graph is, for an environment. Raises InvalidInput if it does not fit.

    With the sidecar of the export and an unchanged graph it is the policy that was exported, to the bit (of a convention that puts
    factors into the weights: to rounding). With a graph that was trained on elsewhere, the sidecar gives encoder and decoder.
    """
    checked_chain(nodes)
    inputs, outputs = connected_inputs(nodes), spec.actions.output_size
    if beside is not None:
        theirs = beside.spec
        if theirs.observation_shape != spec.observation_shape or theirs.actions != spec.actions:
            raise InvalidInput(f"the sidecar is of a policy for {theirs.name}, whose spaces {spec.name} does not share")
        actor = restored(nodes, beside)
        if actor is not None:
            return actor
        reading = Reading(beside.policy.ticks, beside.convention.dt, beside.policy.between_decisions.keeps)
    encoder = Direct() if beside is None else beside.policy.encoder
    size = encoder.size(spec.observation_size)
    if size != inputs:
        raise InvalidInput(f"the graph takes {inputs} numbers, and an observation of {spec.name} gives {size}")
    found = _populations(nodes, reading.dt)
    decoder, readout = _readout(found.rest, reading.dt, found.links[-1].size)
    encoding = None
    if beside is not None:
        encoding = _from_sidecar(
            jax.eval_shape(lambda: encoder.init(spec.observation_size, jax.random.key(0))), beside, ".encoder"
        )
        decoder, readout = _decoder_of_sidecar(decoder, readout, beside, found)
    width = decoder.population(outputs)
    if width not in (None, found.links[-1].size) or (width is None and _outputs(readout) != outputs):
        given = found.links[-1].size if width is not None else _outputs(readout)
        raise InvalidInput(f"the graph puts out {given} numbers, and {spec.name} needs {width or outputs}")
    between = KeepBetweenDecisions() if reading.keep else ResetBetweenDecisions()
    policy = SpikingPolicy(encoder, Chain(found.links), decoder, reading.ticks, between)
    params = SpikingParams(encoding, found.layers, readout)
    if beside is None:
        return Actor(policy, params, spec.actions, Greedy())
    return with_standardisation(Actor(policy, params, spec.actions, beside.selection), beside.standardisation)


class _Populations(eqx.Module):
    """The populations of a chain, their parameters, and the nodes after the last of them."""

    links: tuple[Link, ...]
    layers: tuple[LinkParams, ...]
    rest: tuple[Node, ...]


def _populations(nodes: tuple[Node, ...], dt: float) -> _Populations:
    links, layers, waiting = [], [], None
    for node in nodes:
        if node.kind in NEURONS:
            weight, bias = _connection(waiting)
            neuron = NEURON_OF[node.kind](dt=dt)
            _require_dt(node, dt)
            numbers = {name: jnp.asarray(value) for name, value in node.numbers.items()}
            links.append(Link(len(node.numbers["r"]), neuron, weight is not None, bias is not None))
            layers.append(LinkParams(weight, bias, numbers))
            waiting = None
        elif node.kind in CONNECTIONS:
            waiting = node
    last = max(place for place, node in enumerate(nodes) if node.kind in NEURONS)
    return _Populations(tuple(links), tuple(layers), nodes[last + 1 :])


def _connection(node: Node | None) -> tuple[Any, Any]:
    if node is None:
        return None, None
    bias = node.numbers.get("bias")
    return jnp.asarray(node.numbers["weight"].T), None if bias is None else jnp.asarray(bias)


def _require_dt(node: Node, dt: float) -> None:
    for name, value in node.numbers.items():
        if name.startswith("tau") and (value < dt * (1.0 - 1e-6)).any():
            least = float(value.min())
            raise InvalidInput(
                f"a tick of {dt:g} s is longer than {name} = {least:g} s of an {node.kind}; choose a smaller dt"
            )


def _readout(rest: tuple[Node, ...], dt: float, size: int) -> tuple[AbstractDecoder, Any]:
    """The decoder that the last nodes are, and its parameters."""
    if not rest:
        return SpikeRate(), None
    weight, bias = _connection(rest[0] if rest[0].kind in CONNECTIONS else None)
    if rest[-1].kind not in READOUTS:
        return LinearRate(), Linear(weight, jnp.zeros(weight.shape[1]) if bias is None else bias)
    _require_dt(rest[-1], dt)
    cls = NIRLeakyReadout if rest[-1].kind == "LI" else NIRIntegratorReadout
    numbers = {name: jnp.asarray(value) for name, value in rest[-1].numbers.items()}
    decoder = cls(dt=dt, weighted=weight is not None, biased=bias is not None)
    return decoder, ReadoutParams(weight, bias, numbers)


def _outputs(readout: Any) -> int:
    return readout.numbers["r"].shape[0] if isinstance(readout, ReadoutParams) else readout.bias.shape[0]


def _decoder_of_sidecar(
    decoder: AbstractDecoder, readout: Any, beside: Sidecar, found: _Populations
) -> tuple[AbstractDecoder, Any]:
    theirs = beside.policy.decoder
    if found.rest:
        # Mean and extremes of the potential are read as the sidecar says, with the weights of the graph.
        read_otherwise = isinstance(theirs, tuple(READINGS)) and not isinstance(theirs, LastMembrane)
        if read_otherwise and readout.weight is not None and readout.bias is not None:
            return theirs, Linear(readout.weight, readout.bias)
        return decoder, readout
    size, outputs = found.links[-1].size, beside.spec.actions.output_size
    template = jax.eval_shape(lambda: theirs.init(size, outputs, jax.random.key(0)))
    return theirs, _from_sidecar(template, beside, ".decoder")


def _from_sidecar(template: Any, beside: Sidecar, prefix: str) -> Any:
    def leaf(path, wanted):
        name = prefix + jax.tree_util.keystr(path)
        value = beside.parameters.get(name)
        if value is None or value.shape != wanted.shape:
            raise InvalidInput(f"the sidecar does not fit the graph: {name!r} is missing, or of another shape")
        return jnp.asarray(value)

    return jax.tree_util.tree_map_with_path(leaf, template)

"""What is wired to what in a policy: its inputs, populations and outputs as groups of nodes, and the weights between them.

Weights are those of the parameters. What a population adds to each output is asked of the decoder itself, whatever it is: its
reading where one neuron alone fires in every tick, less its reading where none does.
"""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.decoders import AbstractDecoder
from spikeloop.encoders import Direct
from spikeloop.environments import Spec
from spikeloop.networks import AbstractNetwork, Circuit, SpikingInputs
from spikeloop.policies import (
    AbstractPolicy,
    CoagentPolicy,
    NearOrFar,
    PlaceAndActionPolicy,
    SpikingPolicy,
    StandardisedPolicy,
)


class Nodes(eqx.Module):
    """Nodes of one kind: ``input``, ``population`` (of spiking neurons) or ``output``."""

    name: str
    kind: str
    size: int


class Edges(eqx.Module):
    """The weights from each node of one group onto each of another."""

    pre: int  # place of the group
    post: int
    weights: Float[np.ndarray, "pre post"]
    what: str  # what a weight is


class Wiring(eqx.Module):
    """Groups of nodes in the order of the data, populations in the order of `Decision.spikes`, and what connects them."""

    nodes: tuple[Nodes, ...]
    edges: tuple[Edges, ...]

    def populations(self) -> list[int]:
        """Places of the groups that spike."""
        return [place for place, nodes in enumerate(self.nodes) if nodes.kind == "population"]


def wiring_of(policy: AbstractPolicy, params: Any, spec: Spec) -> Wiring:
    """The wiring of a policy. One whose inside is not known has its populations, and no edges."""
    out_size = spec.actions.output_size
    return jax.device_get(_wiring(policy, params, spec.observation_size, out_size))


def _wiring(policy: AbstractPolicy, params: Any, obs_size: int, out_size: int) -> Wiring:
    if isinstance(policy, StandardisedPolicy):
        return _wiring(policy.policy, params.policy, obs_size, out_size)
    if isinstance(policy, NearOrFar):
        near = _wiring(policy.near, params.near, policy.sensors, out_size)
        far = _wiring(policy.far, params.far, obs_size - policy.sensors, out_size)
        return _side_by_side({"near": near, "far": far})
    if isinstance(policy, SpikingPolicy):
        return _of_spiking(policy, params, obs_size, out_size)
    if isinstance(policy, CoagentPolicy):
        return _of_coagents(policy, params, out_size)
    if isinstance(policy, PlaceAndActionPolicy):
        names = ("hidden cells", "place cells", "action cells")
        matrices = [np.asarray(matrix) for matrix in (params.hidden, params.place, params.action)]
        populations = [Nodes(name, "population", m.shape[1]) for name, m in zip(names, matrices, strict=True)]
        nodes = (Nodes("observation", "input", obs_size), *populations, Nodes("output", "output", out_size))
        edges = [Edges(place, place + 1, matrix, "weight") for place, matrix in enumerate(matrices)]
        votes = policy.cells_of(out_size).T
        return Wiring(nodes, (*edges, Edges(3, 4, votes, "1 where the cell stands for the action")))
    populations = policy.populations(out_size)
    return Wiring(tuple(Nodes(f"population {n}", "population", size) for n, size in enumerate(populations, 1)), ())


def _of_spiking(policy: SpikingPolicy, params: Any, obs_size: int, out_size: int) -> Wiring:
    network, sizes = policy.network, policy.populations(out_size)
    weights = network.input_weights(params.network)
    names = _names(network, len(sizes), policy.decoder.population(out_size) is not None)
    nodes = [Nodes(name, "population", size) for name, size in zip(names, sizes, strict=True)]
    edges = _among(network, params.network)
    if weights is not None and not _spikes_at_once(network):
        name = "observation" if isinstance(policy.encoder, Direct) else "encoder"
        nodes = [Nodes(name, "input", weights.shape[0]), *nodes]
        edges = [Edges(one.pre + 1, one.post + 1, one.weights, one.what) for one in edges]
        edges = [Edges(0, 1, np.asarray(weights), "weight"), *edges]
    readout = np.asarray(read_out(policy.decoder, params.decoder, sizes[-1], policy.ticks))
    what = "what the output gains where the neuron alone fires in every tick"
    return Wiring(
        (*nodes, Nodes("output", "output", out_size)), (*edges, Edges(len(nodes) - 1, len(nodes), readout, what))
    )


def _among(network: AbstractNetwork, params: Any) -> list[Edges]:
    """The weights among populations: of several kinds of synapses between two, the sum, and negative where they inhibit."""
    found: dict[tuple[int, int], Any] = {}
    for way in network.pathways(params, network.init_state(params)):
        if way.pre is not None:
            signed = -np.asarray(way.weights) if way.inhibits else np.asarray(way.weights)
            found[way.pre, way.post] = found.get((way.pre, way.post), 0.0) + signed
    return [Edges(pre, post, weights, "weight") for (pre, post), weights in found.items()]


def read_out(decoder: AbstractDecoder, params: Any, size: int, ticks: int) -> Float[Array, "neurons out"]:
    """What each output gains where one neuron of the last population alone fires in every tick; 0 where it has no finite answer."""

    def read(spikes):
        def tick(state, _):
            return decoder.step(params, state, spikes), None

        state, _ = jax.lax.scan(tick, decoder.init_state(params, size), length=ticks)
        return decoder.read(params, state, ticks)

    gained = jax.jit(jax.vmap(read))(jnp.eye(size)) - read(jnp.zeros(size))[None]
    return jnp.where(jnp.isfinite(gained), gained, 0.0)


def _of_coagents(policy: CoagentPolicy, params: Any, out_size: int) -> Wiring:
    """Every actor's modules as blocks of one matrix; of the taps of a synapse, the sum."""
    sizes = policy.populations(out_size)
    inputs = (params.weights[0].shape[2] - 1) // policy.taps
    edges = []
    for place, weights in enumerate(map(np.asarray, params.weights)):
        actors, modules, rows, units = weights.shape
        before = (rows - 1) // policy.taps
        each = weights[:, :, :-1].reshape(actors, modules, policy.taps, before, units).sum(axis=2)
        if place == 0:  # all hear the same inputs
            matrix = each.transpose(2, 0, 1, 3).reshape(before, -1)
        else:
            matrix = np.zeros((actors, modules, before, actors, modules, units), np.float32)
            for actor, module in itertools.product(range(actors), range(modules)):
                matrix[actor, module, :, actor, module] = each[actor, module]
            matrix = matrix.reshape(actors * modules * before, -1)
        edges.append(Edges(place, place + 1, matrix, "weight, summed over what it hears of the past"))
    votes = np.tile(np.eye(out_size, dtype=np.float32), (policy.actors, 1)) / policy.actors
    layers = [f"hidden {n}" for n in range(1, len(sizes))] + ["output units"]
    populations = [Nodes(name, "population", size) for name, size in zip(layers, sizes, strict=True)]
    nodes = (Nodes("encoder", "input", inputs), *populations, Nodes("votes", "output", out_size))
    return Wiring(nodes, (*edges, Edges(len(sizes), len(sizes) + 1, votes, "share of the votes")))


def _side_by_side(parts: dict[str, Wiring]) -> Wiring:
    """Several wirings as one: inputs, then all populations, then the outputs that they share."""
    inputs = [(name, nodes) for name, part in parts.items() for nodes in part.nodes if nodes.kind == "input"]
    inside = [(name, nodes) for name, part in parts.items() for nodes in part.nodes if nodes.kind == "population"]
    outputs = [nodes for part in parts.values() for nodes in part.nodes if nodes.kind == "output"][:1]
    together = [*(Nodes(f"{name}: {one.name}", one.kind, one.size) for name, one in (*inputs, *inside)), *outputs]
    edges = []
    for name, part in parts.items():
        places = []
        for nodes in part.nodes:
            wanted = nodes.name if nodes.kind == "output" else f"{name}: {nodes.name}"
            places.append(next(place for place, other in enumerate(together) if other.name == wanted))
        edges += [Edges(places[one.pre], places[one.post], one.weights, one.what) for one in part.edges]
    return Wiring(tuple(together), tuple(edges))


def _names(network: AbstractNetwork, count: int, has_output: bool) -> list[str]:
    if isinstance(network, Circuit):
        return [population.name for population in network.populations]
    if isinstance(network, SpikingInputs):
        return ["spiking inputs", *_names(network.network, count - 1, has_output)]
    inner = getattr(network, "network", None)
    if isinstance(inner, AbstractNetwork):
        return _names(inner, count, has_output)
    hidden = [f"hidden {n}" for n in range(1, count + (not has_output))]
    return [*hidden, "output neurons"] if has_output else hidden


def _spikes_at_once(network: Any) -> bool:
    """Whether its first population is the inputs."""
    return (
        isinstance(network, SpikingInputs) or _spikes_at_once(network.network) if hasattr(network, "network") else False
    )

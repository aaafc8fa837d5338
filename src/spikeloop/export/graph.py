"""From a trained policy to a chain of NIR nodes, and what is left for the sidecar.

    obs -> encoder (sidecar) -> Affine -> neurons -> Affine -> neurons -> ... -> Affine -> LI or I -> reading (sidecar) -> action

The readout's integrators are nodes of the graph where the reader knows such nodes; spike counts and everything after them is
for the sidecar, with its weights.
"""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from spikeloop.decoders import (
    AbstractDecoder,
    AbstractMembrane,
    AbstractNIRReadout,
    LastMembrane,
    LinearRate,
    MaxAbsMembrane,
    MaxMembrane,
    MeanMembrane,
    NIRIntegratorReadout,
)
from spikeloop.environments import Spec
from spikeloop.errors import InvalidInput
from spikeloop.export.conventions import Convention, convention
from spikeloop.export.discrete import Discrete, Node, node_map, node_of, population_map
from spikeloop.interaction import AbstractActor, AbstractSelection
from spikeloop.networks import Chain, FeedForward, SpikingInputs
from spikeloop.neurons import AbstractNeuron, Integrator, LeakyIntegrator
from spikeloop.policies import AbstractPolicy, SpikingParams, SpikingPolicy, StandardisedPolicy

READINGS: dict[type, str] = {
    LastMembrane: "last",
    MeanMembrane: "mean",
    MaxMembrane: "max",
    MaxAbsMembrane: "max_abs",
    LinearRate: "mean",
}


class Standardisation(eqx.Module):
    """What is done to an observation before all else: clip((s - mean) scale, -limit, limit)."""

    mean: np.ndarray
    scale: np.ndarray
    limit: float


class Exported(eqx.Module):
    """A policy as a chain of NIR nodes and all that is not in them."""

    nodes: tuple[Node, ...]  # without Input and Output
    inputs: int  # numbers that go in at every tick
    policy: SpikingPolicy
    selection: AbstractSelection
    spec: Spec
    convention: Convention
    parameters: dict[str, np.ndarray]  # what the graph does not hold, by path
    scales: tuple[np.ndarray, ...]  # factor that each connection of the graph was multiplied by
    reading: str  # how the outputs of a decision's ticks become one: last, mean, max, max_abs, or spikes: counted
    approximated: tuple[str, ...]  # what the graph does not express
    standardisation: Standardisation | None = None

    @property
    def outputs(self) -> int:
        """How many numbers come out at every tick."""
        last = self.nodes[-1].numbers
        return int(next(iter(last.values())).shape[0])


def export(actor: AbstractActor, spec: Spec, to: Convention | None = None, discretise: bool = False) -> Exported:
    """A spiking policy as a chain of NIR nodes. Raises InvalidInput for what cannot be expressed exactly.

    With `discretise`, neurons with a soft reset are written with a reset to 0 and a remark; a simulator that does not heed the
    remark fires other spikes.
    """
    to = to or convention()
    found = _unwrapped(actor.policy, jax.device_get(actor.params))
    policy, params = found.policy, found.params
    populations = _populations(policy, params.network)
    maps = [population_map(population.neuron, population.size) for population in populations]
    approximated = _approximated(maps, discretise)
    nodes: list[Node] = []
    scales: list[np.ndarray] = []

    def add(weight: Any, bias: Any, made: Discrete | None) -> None:
        """A connection, and the neurons behind it if there are any."""
        behind, scale = (None, np.ones(weight.shape[1])) if made is None else node_of(made, to)
        scales.extend([] if weight is None else [scale])
        nodes.extend([*_connection(weight, bias, scale), *([] if behind is None else [behind])])

    for population, made in zip(populations, maps, strict=True):
        add(population.weight, population.bias, made)
    readout = _readout(policy.decoder, params.decoder) if to.readout else None
    if readout is not None:
        add(readout.weight, readout.bias, readout.map)
    left = {_path("network", path): leaf for path, leaf in _leaves(params.network) if not _in_graph(path)}
    left |= {_path("encoder", path): leaf for path, leaf in _leaves(params.encoder)}
    # A readout's own numbers stay beside the graph too, so that an import needs no inverse.
    decoder = [(path, leaf) for path, leaf in _leaves(params.decoder) if readout is None or not _in_graph(path)]
    left |= {_path("decoder", path): leaf for path, leaf in decoder}
    return Exported(
        nodes=tuple(nodes),
        inputs=policy.encoder.size(spec.observation_size),
        policy=policy,
        selection=actor.selection,
        spec=spec,
        convention=to,
        parameters={name: np.asarray(leaf) for name, leaf in left.items()},
        scales=tuple(scales),
        reading="spikes" if readout is None else READINGS.get(type(policy.decoder), "last"),
        approximated=approximated,
        standardisation=found.standardisation,
    )


class _Unwrapped(eqx.Module):
    """A spiking policy, and the standardisation before it."""

    policy: SpikingPolicy
    params: SpikingParams
    standardisation: Standardisation | None


class _Population(eqx.Module):
    """What drives a population, its neuron with its own numbers, and its size."""

    weight: Any
    bias: Any
    neuron: AbstractNeuron
    size: int


class _Readout(eqx.Module):
    """What drives the outputs, and their integrators; None where the mean of what drives them is read."""

    weight: Any
    bias: Any
    map: Discrete | None


def _unwrapped(policy: AbstractPolicy, params: Any) -> _Unwrapped:
    standardisation = None
    if isinstance(policy, StandardisedPolicy):
        standardisation = Standardisation(np.asarray(params.mean), np.asarray(params.scale), policy.limit)
        policy, params = policy.policy, params.policy
    if not isinstance(policy, SpikingPolicy):
        raise InvalidInput(
            f"a {type(policy).__name__} has no spikes for NIR to express; `spikeloop export RUN policy.npz` writes a player"
        )
    return _Unwrapped(policy, params, standardisation)


def _populations(policy: SpikingPolicy, params: Any) -> list[_Population]:
    network = policy.network
    while isinstance(network, SpikingInputs):
        network = network.network
    if isinstance(network, FeedForward):
        bind = network.neuron.bind
        return [_Population(layer.weight, layer.bias, bind(layer.neuron), layer.bias.shape[0]) for layer in params]
    if isinstance(network, Chain):
        pairs = zip(network.links, params, strict=True)
        return [
            _Population(layer.weight, layer.bias, link.neuron.bind(layer.neuron), link.size) for link, layer in pairs
        ]
    raise InvalidInput(
        f"NIR cannot express a {type(network).__name__}; FeedForward and Chain go into a graph, and "
        "`spikeloop export RUN policy.npz` writes a player for NumPy"
    )


def _approximated(maps: list[Discrete], discretise: bool) -> tuple[str, ...]:
    soft = [str(place) for place, made in enumerate(maps, start=1) if made.soft_reset]
    if not soft:
        return ()
    if not discretise:
        raise InvalidInput(
            "NIR resets to a value and cannot express a soft reset (by subtraction); --discretise writes a reset to 0 and says "
            "so, or export to policy.npz, or train with reset HardReset"
        )
    return (
        f"populations {', '.join(soft)} subtract v_threshold after a spike; the graph, which cannot say so, resets them to 0",
    )


def _connection(weight: Any, bias: Any, scale: np.ndarray) -> list[Node]:
    if weight is None:
        if not np.allclose(scale, 1.0):
            raise InvalidInput("this convention puts a factor into the weights, and a population has none before it")
        return []
    # NIR's weights are outputs by inputs.
    factor = scale.astype(np.float32)
    numbers = {"weight": np.ascontiguousarray(np.asarray(weight, np.float32).T * factor[:, None])}
    if bias is None:
        return [Node("Linear", numbers)]
    return [Node("Affine", {**numbers, "bias": np.asarray(bias, np.float32) * factor})]


def _readout(decoder: AbstractDecoder, params: Any) -> _Readout | None:
    """The readout as nodes; None for decoders that count spikes."""
    if isinstance(decoder, LinearRate):
        return _Readout(params.weight, params.bias, None)
    if isinstance(decoder, AbstractNIRReadout):
        kind = "I" if isinstance(decoder, NIRIntegratorReadout) else "LI"
        numbers = {name: np.asarray(value, np.float32) for name, value in params.numbers.items()}
        return _Readout(params.weight, params.bias, node_map(Node(kind, numbers), decoder.dt))
    if not isinstance(decoder, AbstractMembrane) or type(decoder) not in READINGS:
        return None
    neuron, one = decoder.neuron, np.ones(params.bias.shape[0])
    if isinstance(neuron, Integrator):
        return _Readout(params.weight, params.bias, Discrete("I", one, one, 0.0 * one))
    assert isinstance(neuron, LeakyIntegrator)
    lost = one / neuron.tau
    return _Readout(params.weight, params.bias, Discrete("LI", 1.0 - lost, lost, 0.0 * one))


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def _path(part: str, path: str) -> str:
    return f".{part}{path}"


def _in_graph(path: str) -> bool:
    return path.endswith((".weight", ".bias"))


def same_nodes(one: tuple[Node, ...], other: tuple[Node, ...]) -> bool:
    """Whether two chains are the same to float32 rounding."""
    if [node.kind for node in one] != [node.kind for node in other]:
        return False
    return all(
        a.numbers.keys() == b.numbers.keys()
        and all(
            a.numbers[name].shape == b.numbers[name].shape
            and np.allclose(a.numbers[name], b.numbers[name], rtol=1e-5, atol=1e-7)
            for name in a.numbers
        )
        for a, b in zip(one, other, strict=True)
    )


def connected_inputs(nodes: tuple[Node, ...]) -> int:
    """How many numbers a chain takes at every tick."""
    first = nodes[0].numbers
    return int(first["weight"].shape[1] if "weight" in first else first["r"].shape[0])

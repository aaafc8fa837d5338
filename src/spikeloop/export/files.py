"""NIR graphs in files: HDF5, written whole or not at all, and read as one reads what a stranger sends.

What is read: one graph whose nodes form a chain from its Input to its Output, of the types Affine, Linear, IF, LIF, CubaLIF, LI and
I. What is refused, in one line: links to other files, virtual or external data, filters that are not HDF5's own, objects in the
place of numbers, arrays that are larger than `LARGEST` once read, numbers that are not finite, unknown nodes, branches and cycles.
"""

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from spikeloop.errors import InvalidInput
from spikeloop.export.discrete import Node
from spikeloop.export.graph import Exported, connected_inputs
from spikeloop.storage import write_atomically

LARGEST = 64 * 2**20  # bytes of all arrays together
MOST_NODES = 1000
LONGEST_NAME = 200
FILTERS = {1, 2, 3, 4, 32000}  # deflate, shuffle, fletcher32, szip; lzf comes with h5py
CONNECTIONS = ("Affine", "Linear")
NEURONS = ("IF", "LIF", "CubaLIF")
READOUTS = ("LI", "I")
NUMBERS = {
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "LI": ("tau", "r", "v_leak"),
    "I": ("r",),
}
DEFAULTS = {"v_reset": 0.0, "w_in": 1.0}  # of what a graph may leave out


def _package(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError:
        raise InvalidInput(f"NIR files need {name}: pip install 'spikeloop[nir]'") from None


def nir_graph(exported: Exported) -> Any:
    """The exported policy as a `nir.NIRGraph`. Raises InvalidInput where the package nir is missing."""
    nir = _package("nir")
    made, counts = {"input": nir.Input(np.array([exported.inputs]))}, itertools.count(1)
    for node in exported.nodes:
        name = f"{node.kind.lower()}_{next(counts)}"
        made[name] = getattr(nir, node.kind)(**{key: value.copy() for key, value in node.numbers.items()})
    made["output"] = nir.Output(np.array([exported.outputs]))
    to = exported.convention
    metadata = {
        "spikeloop_convention": to.name,
        "dt": to.dt,
        "ticks": exported.policy.ticks,
        "between_decisions": "keep" if exported.policy.between_decisions.keeps else "reset",
        "reset_by_subtraction": "; ".join(exported.approximated) or "none",
    }
    return nir.NIRGraph(made, list(itertools.pairwise(made)), metadata)


def write_graph(path: Path, exported: Exported) -> None:
    """Write the graph as HDF5, atomically. Raises InvalidInput if it cannot, or where the package nir is missing."""
    nir, held = _package("nir"), io.BytesIO()
    nir.write(held, nir_graph(exported))
    write_atomically(path, held.getvalue())


def read_graph(path: Path) -> tuple[Node, ...]:
    """The chain of nodes of a NIR file, without Input and Output. Raises InvalidInput for anything else."""
    h5py = _package("h5py")
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    try:
        with h5py.File(path, "r") as file:
            nodes = _Reader(h5py).chain(file)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, RecursionError, MemoryError, UnicodeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InvalidInput(f"{path} is not a readable NIR graph: {reason}") from None
    return nodes


class _Reader:
    """Reads one file, and remembers how much it has read."""

    def __init__(self, h5py: Any):
        self.h5py, self.left = h5py, LARGEST

    def chain(self, file: Any) -> tuple[Node, ...]:
        graph = self._member(file, "node", self.h5py.Group)
        if self._word(graph, "type") != "NIRGraph":
            raise InvalidInput(f"a graph is needed, and this is a {self._word(graph, 'type')}")
        groups = self._member(graph, "nodes", self.h5py.Group)
        if not 0 < len(groups) <= MOST_NODES:
            raise InvalidInput(f"a graph has 1 to {MOST_NODES} nodes, this one has {len(groups)}")
        if max(map(len, groups)) > LONGEST_NAME:
            raise InvalidInput(f"a name is longer than {LONGEST_NAME} characters")
        kinds = {name: self._word(self._member(groups, name, self.h5py.Group), "type") for name in groups}
        order = ordered(kinds, self._edges(graph))
        nodes: list[Node] = []
        width = 0  # until Input, which is the first, says it
        for name in order:
            group, kind = groups[name], kinds[name]
            if kind == "Input":
                width = int(np.prod(self._array(group, "shape").astype(np.int64)))
            elif kind != "Output":
                nodes.append(self._node(group, name, kind, width))
                width = next(iter(nodes[-1].numbers.values())).shape[0]
        if not nodes:
            raise InvalidInput("there is nothing between Input and Output")
        return tuple(nodes)

    def _node(self, group: Any, name: str, kind: str, width: int) -> Node:
        found = {}
        for key in NUMBERS[kind]:
            if key not in group and key not in DEFAULTS:
                raise InvalidInput(f"node {name!r} ({kind}) has no {key}")
            value = self._array(group, key) if key in group else np.asarray(DEFAULTS[key])
            if value.dtype.kind not in "fiub":
                raise InvalidInput(f"{key} of node {name!r} is not made of numbers")
            with np.errstate(over="ignore"):
                found[key] = value.astype(np.float32)
            if not np.isfinite(found[key]).all():
                raise InvalidInput(f"{key} of node {name!r} is not finite")
        size = found["weight"].shape[0] if "weight" in found else width
        if "weight" in found and (found["weight"].ndim != 2 or found["weight"].shape[1] != width):
            raise InvalidInput(
                f"weight of node {name!r} must have {width} columns, its shape is {found['weight'].shape}"
            )
        for key, value in found.items():
            if key != "weight":
                if value.size not in (1, size):
                    raise InvalidInput(f"{key} of node {name!r} must have {size} entries, its shape is {value.shape}")
                found[key] = np.array(np.broadcast_to(value.ravel(), (size,)))
            if key.startswith("tau") and not (found[key] > 0).all():
                raise InvalidInput(f"{key} of node {name!r} must be above 0")
        return Node(kind, found)

    def _edges(self, graph: Any) -> list[tuple[str, str]]:
        held = self._member(graph, "edges", self.h5py.Dataset)
        if len(held.shape) != 2 or held.shape[1] != 2 or held.shape[0] > MOST_NODES:
            raise InvalidInput(f"edges must be at most {MOST_NODES} pairs of names")
        if self.h5py.check_string_dtype(held.dtype) is None:
            raise InvalidInput("edges must be names")
        return [(self._text(held[row, 0]), self._text(held[row, 1])) for row in range(held.shape[0])]

    def _word(self, group: Any, name: str) -> str:
        held = self._member(group, name, self.h5py.Dataset)
        if held.shape != () or self.h5py.check_string_dtype(held.dtype) is None:
            raise InvalidInput(f"{name} must be one word")
        return self._text(held[()])

    def _text(self, value: Any) -> str:
        text = value.decode("utf-8") if isinstance(value, bytes) else str(value)
        if len(text) > LONGEST_NAME:
            raise InvalidInput(f"a name is longer than {LONGEST_NAME} characters")
        return text

    def _array(self, group: Any, name: str) -> np.ndarray:
        held = self._member(group, name, self.h5py.Dataset)
        if held.dtype.kind not in "fiub" or held.dtype.itemsize > 8:
            raise InvalidInput(f"{name} is not made of numbers")
        self.left -= int(np.prod(held.shape, dtype=float)) * held.dtype.itemsize
        chunk = np.prod(held.chunks, dtype=float) * held.dtype.itemsize if held.chunks else 0.0
        if self.left < 0 or chunk > LARGEST:
            raise InvalidInput(f"the arrays are larger than {LARGEST // 2**20} MiB together")
        return np.asarray(held[()])

    def _member(self, group: Any, name: str, kind: type) -> Any:
        """A member of a group that lies in the same file and is what it should be."""
        link = group.get(name, getlink=True)
        if link is None:
            raise InvalidInput(f"it is HDF5, but not a NIR graph: {name!r} is missing")
        if not isinstance(link, self.h5py.HardLink):
            raise InvalidInput(f"{name!r} is a link to somewhere else")
        found = group[name]
        if not isinstance(found, kind):
            raise InvalidInput(f"{name!r} must be a {kind.__name__.lower()}")
        if isinstance(found, self.h5py.Dataset):
            plist = found.id.get_create_plist()
            if found.is_virtual or found.external:
                raise InvalidInput(f"{name!r} keeps its data in another file")
            if any(plist.get_filter(n)[0] not in FILTERS for n in range(plist.get_nfilters())):
                raise InvalidInput(f"{name!r} is compressed in a way that is not HDF5's own")
        return found


def ordered(kinds: dict[str, str], edges: list[tuple[str, str]]) -> list[str]:
    """The names of a chain's nodes from Input to Output. Raises InvalidInput for a graph that is none."""
    for name, kind in kinds.items():
        if kind not in (*NUMBERS, "Input", "Output"):
            raise InvalidInput(
                f"node {name!r} is a {kind}; known are {', '.join(NUMBERS)}, in a chain from Input to Output"
            )
    following: dict[str, str] = {}
    preceded = set()
    for one, other in edges:
        if one not in kinds or other not in kinds:
            raise InvalidInput(f"there is an edge from {one!r} to {other!r}, and not both are nodes")
        if following.get(one) == other:
            continue
        if one in following or other in preceded:
            where = one if one in following else other
            raise InvalidInput(f"the graph branches or has a cycle at node {where!r}; only a chain can be imported")
        following[one] = other
        preceded.add(other)
    starts = [name for name, kind in kinds.items() if kind == "Input"]
    ends = [name for name, kind in kinds.items() if kind == "Output"]
    if len(starts) != 1 or len(ends) != 1:
        raise InvalidInput(f"one Input and one Output are needed, there are {len(starts)} and {len(ends)}")
    order = starts
    while order[-1] in following and len(order) <= len(kinds):
        order.append(following[order[-1]])
    if order[-1] != ends[0] or len(order) != len(kinds):
        raise InvalidInput("not every node lies on a way from Input to Output: the graph is in pieces, or has a cycle")
    return order


def checked_chain(nodes: tuple[Node, ...]) -> None:
    """Raise InvalidInput unless connections and neurons alternate and a readout, if any, is the last."""
    for place, node in enumerate(nodes):
        last = place == len(nodes) - 1
        if node.kind in READOUTS and not last:
            raise InvalidInput(
                f"an {node.kind} puts out no spikes and can only be the last node, here it is number {place + 1}"
            )
        if node.kind in CONNECTIONS and not last and nodes[place + 1].kind in CONNECTIONS:
            raise InvalidInput(
                "two connections follow each other without neurons between; multiply their weights into one"
            )
    if not any(node.kind in NEURONS for node in nodes):
        raise InvalidInput("the graph has no spiking neurons")


__all__ = ["checked_chain", "connected_inputs", "nir_graph", "ordered", "read_graph", "write_graph"]

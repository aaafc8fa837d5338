"""Graphs in files: what strangers send is read, or refused in one line; nothing of it runs, and nothing is followed elsewhere."""

import itertools

import h5py
import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.environments import Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.export import Reading, imported, read_graph
from spikeloop.export.files import ordered

SPEC = Spec("CartPole-v1", (4,), Discrete(2), 500)


def one(size, value=1.0):
    return np.full(size, value, np.float32)


def affine(inputs, size):
    generator = np.random.default_rng(inputs)
    return nir.Affine(generator.normal(size=(size, inputs)), generator.normal(size=size))


def lif(size):
    return nir.LIF(tau=one(size, 2e-4), r=one(size), v_leak=one(size, 0.0), v_threshold=one(size, 0.5))


def chain(*nodes, inputs=4, outputs=2):
    """A graph of these nodes in a row."""
    named = {f"node {place}": node for place, node in enumerate(nodes)}
    named = {
        "in": nir.Input({"input": np.array([inputs])}),
        **named,
        "out": nir.Output({"output": np.array([outputs])}),
    }
    return nir.NIRGraph(named, list(itertools.pairwise(named)), type_check=False)


@pytest.fixture
def path(tmp_path):
    """A file with a good graph."""
    nir.write(
        tmp_path / "good.nir", chain(affine(4, 6), lif(6), affine(6, 2), nir.LI(one(2, 2e-4), one(2), one(2, 0.0)))
    )
    return tmp_path / "good.nir"


def refused(path, words, nodes=False):
    with pytest.raises(InvalidInput, match=words) as caught:
        found = read_graph(path)
        if nodes:
            imported(found, SPEC, Reading())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "nodes",
    [
        (affine(4, 6), lif(6), affine(6, 2), nir.LI(one(2, 2e-4), one(2), one(2, 0.0))),
        (affine(4, 2), lif(2)),
        (lif(4), nir.Linear(np.ones((2, 4))), nir.I(one(2))),
        (nir.IF(one(4), one(4)), lif(4), affine(4, 2)),
        (affine(4, 2), nir.CubaLIF(one(2, 2e-4), one(2, 4e-4), one(2), one(2, 0.0), one(2))),
        (affine(4, 2), nir.LIF(one(1, 2e-4), one(1), one(1, 0.0), one(1))),
    ],
    ids=lambda nodes: "-".join(type(node).__name__ for node in nodes),
)
def test_graphs_of_other_makers_are_read(nodes, tmp_path):
    nir.write(tmp_path / "other.nir", chain(*nodes))
    actor = imported(read_graph(tmp_path / "other.nir"), SPEC, Reading())
    assert actor.policy.populations(2)


def test_a_damaged_file_is_one_line(path):
    whole = path.read_bytes()
    for bad in (
        b"",
        b"\x80\x04cos\nsystem\n",
        whole[: len(whole) // 2],
        whole[:3000],
        b"\x89HDF\r\n\x1a\n" + b"\xff" * 64,
    ):
        path.write_bytes(bad)
        refused(path, "not a readable NIR graph|missing|not")
    refused(path.parent, "not a file")
    refused(path.with_name("none.nir"), "does not exist")


@given(st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=20)
def test_a_changed_byte_is_read_or_refused(tmp_path_factory, place, value):
    folder = tmp_path_factory.mktemp("bytes")
    nir.write(folder / "a.nir", chain(affine(4, 2), lif(2)))
    data = bytearray((folder / "a.nir").read_bytes())
    data[place % len(data)] = value
    (folder / "a.nir").write_bytes(data)
    try:
        imported(read_graph(folder / "a.nir"), SPEC, Reading())
    except InvalidInput as error:
        assert "\n" not in str(error)


def replaced(name, make):
    """A change of a file: a member of the first node's group is made again."""

    def change(file):
        group = file["node/nodes/node 0"]
        del group[name]
        make(group, name)

    return change


def secret(folder):
    """Another HDF5 file, that nobody meant to show."""
    with h5py.File(folder / "secret.h5", "w") as file:
        file["weight"] = np.ones((6, 4))
    return folder / "secret.h5"


def virtual(group, name):
    layout = h5py.VirtualLayout((6, 4), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "weight", (6, 4))
    group.create_virtual_dataset(name, layout)


HOSTILE = {
    "larger than": replaced("weight", lambda g, n: g.create_dataset(n, (10**7, 10**6), "f8", chunks=(10, 10))),
    "MiB": replaced("weight", lambda g, n: g.create_dataset(n, (100_000, 10_000), "f8", compression="gzip")),
    "link to somewhere else": replaced(
        "weight", lambda g, n: g.__setitem__(n, h5py.ExternalLink("secret.h5", "/weight"))
    ),
    "is a link": replaced("weight", lambda g, n: g.__setitem__(n, h5py.SoftLink("/node/nodes/node 2/weight"))),
    "another file": replaced("weight", virtual),
    "in another file": replaced(
        "weight", lambda g, n: g.create_dataset(n, (6, 4), "f8", external=[("secret.h5", 0, 192)])
    ),
    "not made of numbers": replaced(
        "weight", lambda g, n: g.create_dataset(n, data=["a", "b"], dtype=h5py.string_dtype())
    ),
    "weight is not made of": replaced("weight", lambda g, n: g.create_dataset(n, (6, 4), h5py.vlen_dtype(np.float32))),
    "not finite": replaced("weight", lambda g, n: g.create_dataset(n, data=np.full((6, 4), np.inf))),
    "must have 4 columns": replaced("weight", lambda g, n: g.create_dataset(n, data=np.ones((6, 3)))),
    "6 entries": replaced("bias", lambda g, n: g.create_dataset(n, data=np.ones(5))),
    "must be a dataset": replaced("bias", lambda g, n: g.create_group(n)),
    "has no bias": replaced("bias", lambda g, n: None),
    "is a Pickle": replaced("type", lambda g, n: g.create_dataset(n, data="Pickle", dtype=h5py.string_dtype())),
    "one word": replaced("type", lambda g, n: g.create_dataset(n, data=3)),
    "longer than": replaced("type", lambda g, n: g.create_dataset(n, data="x" * 10**6, dtype=h5py.string_dtype())),
}


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_files_are_refused(words, path):
    secret(path.parent)
    with h5py.File(path, "r+") as file:
        HOSTILE[words](file)
    refused(path, words)


def test_a_group_within_itself_is_no_trap(path):
    with h5py.File(path, "r+") as file:
        file["node/nodes/node 1/again"] = file["node/nodes"]
        file["node/nodes/loop"] = file["node"]
    refused(path, "loop|NIRGraph")


def test_edges_that_are_none_are_refused(path):
    for value in (np.ones((3, 2)), np.ones(3)):
        with h5py.File(path, "r+") as file:
            del file["node/edges"]
            file["node/edges"] = value
        refused(path, "edges must be")


KINDS = {"in": "Input", "a": "Affine", "b": "LIF", "out": "Output"}


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([("in", "a"), ("a", "b"), ("b", "a"), ("b", "out")], "branches or has a cycle"),
        ([("in", "a"), ("a", "out"), ("b", "b")], "cycle"),
        ([("in", "a"), ("a", "b")], "not every node"),
        ([("in", "a"), ("in", "b"), ("a", "out")], "branches"),
        ([("in", "a"), ("a", "b"), ("b", "out"), ("a", "ghost")], "ghost"),
    ],
    ids=str,
)
def test_what_is_no_chain_is_refused(edges, words):
    with pytest.raises(InvalidInput, match=words):
        ordered(KINDS, edges)


def test_a_chain_is_found_whatever_the_order_of_nodes_and_edges():
    for edges in itertools.permutations([("in", "a"), ("a", "b"), ("b", "out")]):
        assert ordered(dict(reversed(KINDS.items())), list(edges)) == list(KINDS)
    with pytest.raises(InvalidInput, match="known are"):
        ordered({**KINDS, "a": "Conv2d"}, [])
    with pytest.raises(InvalidInput, match="one Input"):
        ordered({**KINDS, "a": "Input"}, [])


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ((affine(4, 2),), "no spiking neurons"),
        ((affine(4, 3), affine(3, 2), lif(2)), "two connections"),
        ((nir.LI(one(4), one(4), one(4)), affine(4, 2), lif(2)), "can only be the last"),
        ((affine(4, 3), lif(3)), "puts out 3 numbers"),
        ((affine(4, 2), nir.LIF(one(2, -1.0), one(2), one(2), one(2))), "above 0"),
        ((affine(4, 2), nir.LIF(one(2, 1e-5), one(2), one(2), one(2))), "smaller dt"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_chains_that_are_no_policy_are_refused(nodes, words, tmp_path):
    nir.write(tmp_path / "odd.nir", chain(*nodes))
    refused(tmp_path / "odd.nir", words, nodes=True)

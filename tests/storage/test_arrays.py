"""Arrays on disk: what is stored comes back; anything else is refused in one line."""

import json
import struct

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.storage import load_arrays, read_header, read_json, save_arrays, write_atomically, write_json

TYPES = (bool, "int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "bfloat16", "float32")
on_disk = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Pair(eqx.Module):
    """A small tree."""

    first: jax.Array
    second: dict


TREE = Pair(jnp.asarray([1.5, -2.0]), {"key": jax.random.key(3), "count": jnp.asarray(7, jnp.int32)})


def stored(path, tree=TREE, header=None):
    """The bytes of a file that holds a tree."""
    save_arrays(path, tree, header or {"chunk": 3})
    return path.read_bytes()


def assert_same(one, two):
    assert jax.tree.structure(one) == jax.tree.structure(two)
    for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def refused(path, load):
    """Call, and expect either a result or InvalidInput in one line; returns the result or None."""
    try:
        return load(path)
    except InvalidInput as error:
        assert str(error) and "\n" not in str(error)
        return None


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_and_shape_comes_back(tmp_path, kind, shape):
    values = np.random.default_rng(0).integers(0, 100, shape)
    tree = {"a": jnp.asarray(values).astype(kind), "b": (jnp.ones(2), [jnp.zeros((), bool)])}
    save_arrays(tmp_path / "x", tree, {})
    assert_same(load_arrays(tmp_path / "x", tree), tree)
    assert_same(load_arrays(tmp_path / "x", jax.eval_shape(lambda: tree)), tree)


def test_special_numbers_come_back_bit_for_bit(tmp_path):
    tree = jnp.asarray([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4e38])
    save_arrays(tmp_path / "x", tree, {})
    back = np.asarray(load_arrays(tmp_path / "x", tree))
    np.testing.assert_array_equal(back.view(np.uint32), np.asarray(tree).view(np.uint32))


def test_keys_come_back_and_draw_the_same(tmp_path):
    tree = {"one": jax.random.key(5), "many": jax.random.split(jax.random.key(6), (2, 3))}
    save_arrays(tmp_path / "x", tree, {})
    back = load_arrays(tmp_path / "x", jax.eval_shape(lambda: tree))
    assert_same(back, tree)
    assert float(jax.random.uniform(back["one"])) == float(jax.random.uniform(tree["one"]))


def test_arrays_of_another_layout_come_back(tmp_path):
    tree = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.arange(8, dtype=np.int32)[::2]}
    save_arrays(tmp_path / "x", tree, {})
    assert_same(load_arrays(tmp_path / "x", tree), tree)


def test_header_comes_back(tmp_path):
    header = {"chunk": 3, "nested": {"list": [1, 2.5, None, "ü\n"]}}
    stored(tmp_path / "x", header=header)
    assert read_header(tmp_path / "x") == header


@pytest.mark.parametrize(
    "template",
    [
        Pair(jnp.zeros(3), TREE.second),  # another shape
        Pair(jnp.zeros(2, jnp.int32), TREE.second),  # another type
        Pair(TREE.first, {**TREE.second, "more": jnp.zeros(())}),
        Pair(TREE.first, {"key": TREE.second["key"]}),
        Pair(TREE.first, {"key": TREE.second["count"], "count": TREE.second["count"]}),  # a number for a key
        {"first": TREE.first},
    ],
)
def test_another_structure_is_refused(tmp_path, template):
    stored(tmp_path / "x")
    with pytest.raises(InvalidInput) as caught:
        load_arrays(tmp_path / "x", template)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "header", [None, "not json", "[1]", "3", "[" * 100_000, "{}", '{"format": 0}', '{"format": "1"}']
)
def test_a_header_of_another_version_or_damaged(tmp_path, header):
    text = json.dumps({} if header is None else {"__metadata__": {"spikeloop": header}}).encode()
    (tmp_path / "x").write_bytes(struct.pack("<Q", len(text)) + text)
    for load in (read_header, lambda path: load_arrays(path, TREE)):
        with pytest.raises(InvalidInput, match=r"damaged header|this version of spikeloop"):
            load(tmp_path / "x")


@on_disk
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    assert refused(tmp_path / "x", lambda path: load_arrays(path, TREE)) is None
    assert refused(tmp_path / "x", read_header) is None


@on_disk
@given(st.text(alphabet='{}[]":,_metadata01F32', max_size=80))
def test_random_headers_are_refused(tmp_path, text):
    data = text.encode()
    (tmp_path / "x").write_bytes(struct.pack("<Q", len(data)) + data)
    assert refused(tmp_path / "x", lambda path: load_arrays(path, TREE)) is None


@on_disk
@given(st.data())
def test_truncated_files_are_refused(tmp_path, data):
    whole = stored(tmp_path / "x")
    cut = data.draw(st.integers(0, len(whole) - 1))
    (tmp_path / "x").write_bytes(whole[:cut])
    assert refused(tmp_path / "x", lambda path: load_arrays(path, TREE)) is None


@on_disk
@given(st.data())
def test_a_flipped_byte_is_refused_or_harmless(tmp_path, data):
    """Before the numbers begin a flip is found, or changes nothing; among the numbers no structure can be harmed."""
    whole = bytearray(stored(tmp_path / "x"))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "x").write_bytes(bytes(whole))
    loaded = refused(tmp_path / "x", lambda path: load_arrays(path, TREE))
    refused(tmp_path / "x", read_header)
    numbers = 8 + struct.unpack("<Q", bytes(whole[:8]))[0]
    if loaded is not None:
        if place < numbers:
            assert_same(loaded, TREE)
        else:
            same_form = jax.tree.map(lambda x, y: x.dtype == y.dtype and x.shape == y.shape, loaded, TREE)
            assert all(jax.tree.leaves(same_form))


@pytest.mark.parametrize("kind", ["BF16", "F64", "F8_E4M3", "I64", "U64", "NOPE"])
def test_types_that_the_library_never_writes(tmp_path, kind):
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(TREE)]
    size = {"BF16": 2, "F8_E4M3": 1}.get(kind, 8)
    entries = {
        name: {"dtype": kind, "shape": [1], "data_offsets": [size * n, size * (n + 1)]} for n, name in enumerate(names)
    }
    entries["__metadata__"] = {"spikeloop": '{"format": 1}'}
    text = json.dumps(entries).encode()
    (tmp_path / "x").write_bytes(struct.pack("<Q", len(text)) + text + bytes(size * len(names)))
    assert refused(tmp_path / "x", lambda path: load_arrays(path, TREE)) is None


def test_missing_files_and_directories(tmp_path):
    for path in (tmp_path / "nothing", tmp_path):
        for load in (read_header, lambda path: load_arrays(path, TREE)):
            with pytest.raises(InvalidInput, match="does not exist"):
                load(path)


def test_writing_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and [p.name for p in tmp_path.iterdir()] == ["x"]
    with pytest.raises(InvalidInput, match="cannot write"):
        write_atomically(tmp_path / "no such folder" / "x", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInput, match="cannot write"):
        write_atomically(tmp_path / "folder", b"")  # the rename fails after the temporary file was written
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "x"]


def test_json_comes_back_and_damage_is_refused(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": [1, 2.5, None, "ü"]})
    assert read_json(path) == {"a": [1, 2.5, None, "ü"]}
    for damage in (b"{", b"", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(damage)
        with pytest.raises(InvalidInput, match="not valid JSON"):
            read_json(path)
    with pytest.raises(InvalidInput, match="does not exist"):
        read_json(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="cannot read"):
        read_json(tmp_path)

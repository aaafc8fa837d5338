"""Packed arrays: nothing is lost, the size is what was promised, and damage is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spikeloop.errors import InvalidInput
from spikeloop.storage import load_arrays, save_arrays
from spikeloop.storage.packing import MOST_LEVELS, pack, unpack

FEW = st.sampled_from([0.0, -0.0, 1.0, 0.1, -3e38, 1e-45, np.nan, np.inf])


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, max_side=20), elements=FEW))
def test_what_is_packed_comes_back_bit_for_bit(array):
    packed = pack(array)
    if packed is not None:
        np.testing.assert_array_equal(unpack(*packed, array.shape).view(np.uint32), array.view(np.uint32))
        assert sum(part.nbytes for part in packed) < array.nbytes


@pytest.mark.parametrize(("levels", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (63, 6), (64, 6), (65, 7), (4096, 12)])
def test_a_code_has_as_many_bits_as_its_levels_need(levels, bits):
    array = np.resize(np.linspace(-1, 1, levels, dtype=np.float32), 20_000)
    packed = pack(array)
    assert packed is not None
    assert packed[0].nbytes == 20_000 * bits // 8 and len(packed[1]) == levels


def test_what_would_not_become_smaller_is_left_alone(tmp_path):
    noise = np.random.default_rng(0).normal(size=2 * MOST_LEVELS).astype(np.float32)
    assert pack(noise) is pack(noise[:100]) is pack(np.arange(9)) is pack(np.zeros(0, np.float32)) is None
    tree = {"noise": jnp.asarray(noise), "wiring": jnp.asarray(noise > 0, jnp.float32), "count": jnp.asarray(3)}
    sizes = []
    for packed in (False, True):
        save_arrays(tmp_path / "x", tree, {}, packed=packed)
        sizes.append((tmp_path / "x").stat().st_size)
        for name, back in load_arrays(tmp_path / "x", tree).items():
            np.testing.assert_array_equal(back, tree[name])
    assert sizes[0] - sizes[1] == pytest.approx(4 * noise.size - noise.size / 8, abs=200)


@pytest.mark.parametrize(
    ("codes", "levels"),
    [
        (np.zeros(2, np.uint8), np.zeros(2, np.float32)),  # of 16 elements, not 10 to 8
        (np.zeros(1, np.uint16), np.zeros(2, np.float32)),
        (np.zeros((1, 1), np.uint8), np.zeros(2, np.float32)),
        (np.zeros(1, np.uint8), np.zeros((2, 1), np.float32)),
        (np.zeros(1, np.uint8), np.zeros(0, np.float32)),
        (np.full(2, 255, np.uint8), np.zeros(3, np.float32)),  # code 3 of 3 levels
    ],
)
def test_damaged_codes_are_refused(codes, levels):
    with pytest.raises(InvalidInput):
        unpack(codes, levels, (8,))


def test_a_file_with_damaged_codes_says_which_array(tmp_path):
    from safetensors.numpy import load_file, save_file

    path, tree = tmp_path / "x", {"wiring": jnp.zeros((50, 2)), "other": jnp.zeros(3)}
    save_arrays(path, tree, {}, packed=True)
    header = {"spikeloop": '{"format": 1}'}
    tensors = load_file(path)
    save_file({**tensors, "['wiring'] codes": tensors["['wiring'] codes"][:-1]}, path, header)
    with pytest.raises(InvalidInput, match=r"wiring.*do not make an array of shape \[50, 2\]"):
        load_arrays(path, tree)
    del tensors["['wiring'] levels"]
    save_file(tensors, path, header)
    with pytest.raises(InvalidInput, match="wiring"):
        load_arrays(path, tree)

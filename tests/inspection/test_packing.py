"""What is packed comes out again, to the precision that its codes have."""

import base64
import zlib

import numpy as np
import pytest

from spikeloop.inspection.packing import Packer


def unpacked(packer, packed):
    """As arrays.js reads it."""
    data = zlib.decompress(base64.b64decode(packer.text()))
    if packed["type"] == "bits":
        rows, columns = packed["shape"]
        raw = np.frombuffer(data, np.uint8, rows * -(-columns // 8), packed["at"]).reshape(rows, -1)
        return np.unpackbits(raw, axis=1, count=columns, bitorder="little").astype(bool)
    codes = np.frombuffer(data, f"<{packed['type']}", int(np.prod(packed["shape"])), packed["at"])
    values = packed.get("low", 0) + packed.get("step", 1) * codes.astype(float)
    return np.where(codes == packed.get("nan", -1), np.nan, values).reshape(packed["shape"])


@pytest.mark.parametrize("bytes", [1, 2])
def test_floats_are_off_by_half_a_step_at_most(bytes):
    values = np.random.default_rng(0).normal(size=(5, 7)) * 100
    values[2, 3], values[0, 0], values[4, 4] = np.nan, np.inf, 0.0
    packer = Packer()
    packer.integers([1, 2, 3])  # what comes before moves nothing
    packed = packer.floats(values, bytes)
    found = unpacked(packer, packed)
    finite = np.isfinite(values)
    assert np.isnan(found[~finite]).all() and found[4, 4] == 0.0
    assert np.abs(found - values)[finite].max() <= 0.5 * packed["step"] * 1.0001
    assert packed["step"] == pytest.approx(np.ptp(values[finite]) / (2 ** (8 * bytes) - 3))


@pytest.mark.parametrize("values", [[], [3.5], [2.0, 2.0], [np.nan, np.nan]], ids=str)
def test_floats_without_a_range(values):
    packer = Packer()
    np.testing.assert_array_equal(unpacked(packer, packer.floats(values)), values)


@pytest.mark.parametrize(("largest", "kind"), [(255, "u1"), (256, "u2"), (70_000, "u4")])
def test_whole_numbers_are_exact_and_small(largest, kind):
    packer = Packer()
    packed = packer.integers([0, 7, largest])
    assert packed["type"] == kind and unpacked(packer, packed).tolist() == [0, 7, largest]


def test_bits_are_exact():
    values = np.random.default_rng(0).random((3, 19)) < 0.4
    packer = Packer()
    packer.integers([1])
    np.testing.assert_array_equal(unpacked(packer, packer.bits(values)), values)


def test_counts_are_exact_where_they_are_whole():
    packer = Packer()
    whole, shares = packer.counts([0.0, 3.0, 16.0]), packer.counts([0.0, 0.25, 3.0])
    assert unpacked(packer, whole).tolist() == [0, 3, 16]
    np.testing.assert_allclose(unpacked(packer, shares), [0.0, 0.25, 3.0], atol=0.01)

"""Arrays of few different values in few bits: a table of the values, and for each element its place in the table.

Nothing is lost: what comes back is what went in, bit for bit. A wiring of zeros and ones takes one bit an element, weights rounded
to 63 levels take six. Codes are written one after another, the most significant bit first.
"""

import math

import numpy as np

from spikeloop.errors import InvalidInput

MOST_LEVELS = 4096  # with more values a table saves little


def pack(array: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Codes (bytes) and levels of an array; None where they would take as much room as the array itself."""
    if array.dtype.kind != "f" or not array.size:
        return None
    # As integers, so that -0.0 stays apart from 0.0 and a NaN is equal to itself.
    patterns = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").ravel()
    levels, codes = np.unique(patterns, return_inverse=True)
    if len(levels) > MOST_LEVELS:
        return None
    digits = codes.reshape(-1, 1) >> np.arange(_bits(len(levels)))[::-1] & 1
    packed = np.packbits(digits.astype(np.uint8))
    return (packed, levels.view(array.dtype)) if packed.nbytes + levels.nbytes < array.nbytes else None


def unpack(codes: np.ndarray, levels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array of that shape. Raises InvalidInput if codes and levels do not make one."""
    bits, size = _bits(max(1, levels.size)), math.prod(shape)
    sound = (
        levels.ndim == codes.ndim == 1
        and 1 <= levels.size <= MOST_LEVELS
        and codes.dtype == np.uint8
        and codes.size == -(-size * bits // 8)
    )
    if not sound:
        raise InvalidInput(f"its codes and levels do not make an array of shape {list(shape)}")
    digits = np.unpackbits(codes, count=size * bits).reshape(size, bits)
    places = digits @ (1 << np.arange(bits)[::-1])
    if size and places.max() >= levels.size:
        raise InvalidInput(f"a code names level {places.max()} of {levels.size}")
    return levels[places].reshape(shape)


def _bits(levels: int) -> int:
    """Bits of a code for so many levels."""
    return max(1, math.ceil(math.log2(levels)))

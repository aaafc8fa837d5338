"""Arrays for a browser: one block of bytes, compressed, in which JSON says what lies where.

Floats are stored as 8- or 16-bit integers over the range that they have (``value = low + code * step``; the largest code is
"not a number"), spikes as bits. A browser reads it with `DecompressionStream`, so a page needs nothing else.
"""

import base64
import zlib
from typing import Any

import numpy as np


class Packer:
    """Gathers arrays into one block of bytes. What `floats`, `bits` and `integers` return goes into the page's JSON."""

    def __init__(self):
        self._parts: list[bytes] = []
        self._size = 0

    def integers(self, values: Any) -> dict[str, Any]:
        """Whole numbers from 0 on, in the fewest bytes."""
        values = np.asarray(values)
        largest = int(values.max()) if values.size else 0
        kind = "u1" if largest < 2**8 else "u2" if largest < 2**16 else "u4"
        return self._add(values.astype(f"<{kind}"), kind)

    def bits(self, values: Any) -> dict[str, Any]:
        """Truth values, eight a byte; each row (the last axis) begins a byte."""
        values = np.asarray(values, bool)
        return self._add(np.packbits(values, axis=-1, bitorder="little"), "bits") | {"shape": list(values.shape)}

    def counts(self, values: Any) -> dict[str, Any]:
        """Numbers that may be whole, in one byte each if they are, and as 8-bit codes if not."""
        values = np.asarray(values)
        whole = values.size and np.array_equal(values, np.round(values)) and values.min() >= 0 and values.max() < 2**16
        return self.integers(values) if whole else self.floats(values, 1)

    def floats(self, values: Any, bytes: int = 2) -> dict[str, Any]:
        """Floats as 8- or 16-bit codes; what is not finite becomes "not a number"."""
        values = np.asarray(values, np.float64)
        finite = np.isfinite(values)
        kept = values[finite]
        low, high = (float(kept.min()), float(kept.max())) if kept.size else (0.0, 0.0)
        most = 2 ** (8 * bytes) - 2
        step = (high - low) / most or 1.0
        if low < 0.0 < high:  # zero means something, so it gets a code of its own
            step = (high - low) / (most - 1)
            low = -np.ceil(-low / step) * step
        codes = np.where(finite, np.round((np.where(finite, values, low) - low) / step), most + 1)
        kind = f"u{bytes}"
        return self._add(codes.astype(f"<{kind}"), kind) | {"low": float(low), "step": step, "nan": most + 1}

    def text(self) -> str:
        """Everything so far, compressed, as text that HTML can hold."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode()

    def _add(self, array: np.ndarray, kind: str) -> dict[str, Any]:
        data = np.ascontiguousarray(array).tobytes()
        at = self._size
        padding = -len(data) % 4
        self._parts += [data, b"\0" * padding]
        self._size += len(data) + padding
        return {"at": at, "type": kind, "shape": list(array.shape)}

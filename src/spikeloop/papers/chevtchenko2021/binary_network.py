"""The binary convolutional network that turns a picture into bits (Chevtchenko & Ludermir 2021, after BinaryNet).

    picture 64 x 64 x 3 - convolution 3 x 3 to 32 - pooling 2 x 2 - batch norm - sign
                        - convolution 3 x 3 to 32 - pooling 2 x 2 - batch norm - sign
                        - dense 128 - batch norm - sign: the features, -1 written as 0
                        - dense 100 - batch norm: one answer for each picture of the pre-training

All weights are 1 or -1, pooling takes the largest, what lies beyond an edge counts 0. The sign of 0 is 1.

Once trained, batch norm and sign are one comparison. With x the sum that a unit makes of its inputs, a whole number as pixels are,

    sign(gain (x - mean) / sqrt(variance + eps) + offset) = 1   <=>   direction (x - threshold) >= 0
    threshold = mean - offset sqrt(variance + eps) / gain,  direction = sign(gain)

and a threshold rounded up (where direction is 1) or down (-1) to a whole number asks the same of whole numbers. So nothing depends
on the order of sums: every machine finds the same bits.

Source: Courbariaux, Hubara, Soudry, El-Yaniv, Bengio: "Binarized neural networks: training deep neural networks with weights and
activations constrained to +1 or -1", arXiv:1602.02830, 2016; sizes from the paper's public code.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Float32, UInt8

from spikeloop.errors import InvalidInput
from spikeloop.storage import load_arrays, read_header, save_arrays

SHAPES = ((3, 3, 3, 32), (3, 3, 32, 32), (16 * 16 * 32, 128))  # of the weights of the layers that end in a sign
FEATURES = SHAPES[-1][-1]
EPSILON = 1e-6  # added to the variances of batch norm, as in the public code


class Threshold(eqx.Module):
    """Batch norm and sign as one comparison: a unit is 1 where ``direction (x - threshold) >= 0``, else -1."""

    threshold: Float32[np.ndarray, " units"]  # whole numbers
    direction: Float32[np.ndarray, " units"]  # 1 or -1

    def __call__(self, sums: Float[np.ndarray, "... units"]) -> Float32[np.ndarray, "... units"]:
        """1 or -1 for every sum."""
        return np.where(self.direction * (sums - self.threshold) >= 0, np.float32(1), np.float32(-1))


class BatchNorm(eqx.Module):
    """Batch norm of the sums x of a unit, its moments known: ``gain (x - mean) / sqrt(variance + eps) + offset``."""

    mean: Float[np.ndarray, " units"]
    variance: Float[np.ndarray, " units"]
    gain: Float[np.ndarray, " units"]
    offset: Float[np.ndarray, " units"]

    def __call__(self, sums: Float[np.ndarray, "... units"]) -> Float[np.ndarray, "... units"]:
        """The normalised sums."""
        return self.gain * (sums - self.mean) / np.sqrt(self.variance + EPSILON) + self.offset

    def folded(self) -> Threshold:
        """The comparison that stands for batch norm and sign where sums are whole numbers. No gain may be 0."""
        threshold = self.mean - self.offset * np.sqrt(self.variance + EPSILON) / self.gain
        direction = np.where(self.gain > 0, 1.0, -1.0)
        whole = np.where(self.gain > 0, np.ceil(threshold), np.floor(threshold))
        return Threshold(whole.astype(np.float32), direction.astype(np.float32))


class BinaryNetwork(eqx.Module):
    """The network after pre-training: weights of 1 and -1, thresholds of the signs, and the batch norm of the answers."""

    weights: tuple[Float32[np.ndarray, "..."], ...]  # shapes SHAPES
    signs: tuple[Threshold, ...]  # one for each of them
    answer_weights: Float32[np.ndarray, "features classes"]
    answer_norm: BatchNorm

    def signs_of(self, pictures: UInt8[np.ndarray, "n 64 64 3"]) -> Float32[np.ndarray, "n features"]:
        """The last signs, 1 or -1."""
        values = pictures.astype(np.float32)
        for weights, sign in zip(self.weights, self.signs, strict=True):
            values = sign(sums(values, weights))
        return values

    def features(self, pictures: UInt8[np.ndarray, "n 64 64 3"]) -> Float32[np.ndarray, "n features"]:
        """The bits of each picture, 1.0 or 0.0."""
        return np.maximum(self.signs_of(pictures), np.float32(0))

    def answers(self, pictures: UInt8[np.ndarray, "n 64 64 3"]) -> Float[np.ndarray, "n classes"]:
        """One number for each picture of the pre-training; the largest says which of them this picture is taken for."""
        return self.answer_norm(sums(self.signs_of(pictures), self.answer_weights))


def sums(values: Float32[np.ndarray, "n ..."], weights: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "n ..."]:
    """What the units of a layer add up: pooled convolution for weights ``[3, 3, in, out]``, else the product ``[in, out]``."""
    if weights.ndim == 2:
        return values.reshape(len(values), -1) @ weights
    count, rows, columns, _ = values.shape
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifts = np.ndindex(weights.shape[:2])
    found = sum(padded[:, row : row + rows, column : column + columns] @ weights[row, column] for row, column in shifts)
    return np.asarray(found).reshape(count, rows // 2, 2, columns // 2, 2, -1).max(axis=(2, 4))


def save_network(path: Path, network: BinaryNetwork, made: dict[str, Any]) -> None:
    """Write a network, one bit a weight; `made` says in the file's header how it was made. Raises InvalidInput if it cannot."""
    classes = network.answer_weights.shape[1]
    save_arrays(path, network, {"classes": classes, "made": made}, packed=True)


def load_network(path: Path) -> BinaryNetwork:
    """The network that `save_network` wrote. Raises InvalidInput if the file does not hold one."""
    classes = read_header(path).get("classes")
    if not isinstance(classes, int) or classes < 1:
        raise InvalidInput(f"{path} does not hold a binary network")
    with jax.ensure_compile_time_eval():  # a maze may ask for its codes while a program is traced
        return jax.tree.map(np.asarray, load_arrays(path, _blank(classes)))


def _blank(classes: int) -> BinaryNetwork:
    def numbers(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    return BinaryNetwork(
        weights=tuple(numbers(*shape) for shape in SHAPES),
        signs=tuple(Threshold(numbers(shape[-1]), numbers(shape[-1])) for shape in SHAPES),
        answer_weights=numbers(FEATURES, classes),
        answer_norm=BatchNorm(*(numbers(classes) for _ in range(4))),
    )

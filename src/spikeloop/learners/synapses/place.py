"""Where a synapse is: its layer, and the neurons before and behind it; and the codes by which it may know its place.

Every trainable number is a synapse. A weight matrix of shape [inputs, outputs] joins input `pre` to neuron `post`; a
bias is a synapse from a unit that is always on. A matrix and a bias that belong together are one layer.
"""

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from spikeloop.component import Component
from spikeloop.errors import InvalidInput


class Places:
    """The place of every synapse of a parameter tree, in the order in which `ravel_pytree` lays them out.

    Host arrays [synapses]: ``layer``; ``pre`` and ``post`` count within the layer; ``bias`` says which synapses begin at a
    unit that is always on: theirs is the last of the layer's inputs.
    """

    def __init__(
        self,
        layer: Int[np.ndarray, " n"],
        pre: Int[np.ndarray, " n"],
        post: Int[np.ndarray, " n"],
        bias: Bool[np.ndarray, " n"],
    ):
        self.layer, self.pre, self.post, self.bias = layer, pre, post, bias

    @property
    def count(self) -> int:
        """Number of synapses."""
        return len(self.layer)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return int(self.layer.max()) + 1

    def size(self, layer: int) -> tuple[int, int]:
        """Inputs (a bias's unit among them) and neurons of a layer."""
        here = self.layer == layer
        return int(self.pre[here].max()) + 1, int(self.post[here].max()) + 1


def places(params: Any) -> Places:
    """The places of the synapses of a parameter tree (arrays or shapes).

    Raises InvalidInput if there is no number to train.
    """
    leaves = jax.tree_util.tree_flatten_with_path(params)[0]
    parents: dict[tuple[Any, ...], int] = {}
    columns: list[tuple[np.ndarray, ...]] = []
    matrices = {path[:-1]: int(np.prod(leaf.shape[:-1])) for path, leaf in leaves if len(leaf.shape) > 1}
    for path, leaf in leaves:
        layer = parents.setdefault(path[:-1], len(parents))
        shape = leaf.shape if len(leaf.shape) > 1 else (1, int(np.prod(leaf.shape)))
        pre, post = np.divmod(np.arange(int(np.prod(shape))), shape[-1])
        bias = len(leaf.shape) < 2
        if bias:
            pre = pre + matrices.get(path[:-1], 0)
        columns.append((np.full_like(pre, layer), pre, post, np.full(pre.shape, bias)))
    if not columns:
        raise InvalidInput("this policy has no synapses to train: it has no parameters")
    return Places(*(np.concatenate(column) for column in zip(*columns, strict=True)))


class AbstractTopology(Component):
    """How a synapse's place is written as numbers."""

    identifies: ClassVar[str]  # "synapse" or "neuron": what no two may share a code of

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """What each number of the code says."""

    @abc.abstractmethod
    def code(self, places: Places) -> Float[np.ndarray, "synapses width"]:
        """The code of every synapse, each number between 0 and 1."""

    def checked_code(self, places: Places) -> Float[np.ndarray, "synapses width"]:
        """The code. Raises InvalidInput if two places that it should tell apart share one."""
        code = self.code(places)
        if self.identifies == "neuron":
            _, first = np.unique(np.stack([places.layer, places.post]), axis=1, return_index=True)
        else:
            first = np.arange(places.count)
        seen, counts = np.unique(code[first], axis=0, return_counts=True)
        if len(seen) < len(first):
            shared = ", ".join(f"{value:g}" for value in seen[np.argmax(counts)])
            raise InvalidInput(
                f"{type(self).__name__} gives {counts.max()} {self.identifies}s the same code ({shared}); "
                f"a topology code must be unique: say also which layer, or number the neurons through the network"
            )
        return code


class PostLayer(AbstractTopology):
    """(post, layer): the neuron that the synapse ends at. The synapses of a neuron share a code (Bhargava's w_ijk)."""

    identifies = "neuron"

    @property
    def names(self):
        return ("post", "layer")

    def code(self, places):
        return _columns(_within(places, 1), _scaled(places.layer, places.layers))


class PrePost(AbstractTopology):
    """(pre, post), with neurons numbered through the whole network, so that no two synapses share a code."""

    identifies = "synapse"

    @property
    def names(self):
        return ("pre", "post")

    def code(self, places):
        # Population 0 is the input, population l + 1 the neurons of layer l; a layer's bias unit is the last of its inputs.
        sizes = [0] * (places.layers + 1)
        for layer in range(places.layers):
            pre, post = places.size(layer)
            sizes[layer], sizes[layer + 1] = max(sizes[layer], pre), max(sizes[layer + 1], post)
        start = np.concatenate([[0], np.cumsum(sizes)])
        total = int(start[-1])
        return _columns(
            _scaled(start[places.layer] + places.pre, total), _scaled(start[places.layer + 1] + places.post, total)
        )


class PrePostLayer(AbstractTopology):
    """(pre, post, layer): both neurons, numbered within their layers, and the layer."""

    identifies = "synapse"

    @property
    def names(self):
        return ("pre", "post", "layer")

    def code(self, places):
        return _columns(_within(places, 0), _within(places, 1), _scaled(places.layer, places.layers))


def _within(places: Places, side: int) -> np.ndarray:
    index = (places.pre, places.post)[side]
    sizes = np.asarray([places.size(layer)[side] for layer in range(places.layers)])
    return _scaled(index, sizes[places.layer])


def _scaled(index: np.ndarray, size: Any) -> np.ndarray:
    return index / np.maximum(np.asarray(size) - 1, 1)


def _columns(*columns: Sequence[float] | np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1).astype(np.float32)

"""Arrays to a file and back, without pickle: safetensors, written atomically.

A tree of arrays is stored leaf by leaf under the path of the leaf. Loading needs a template of the same structure,
checks every name, shape and type against it, and never runs code. Random keys are stored as the integers they are
made of. Where room matters more than time, arrays of few different values are packed (`packing`).
"""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from spikeloop.errors import InvalidInput
from spikeloop.storage.files import write_atomically
from spikeloop.storage.packing import pack, unpack

FORMAT = 1
CODES, LEVELS = " codes", " levels"  # after the name of a packed array


def save_arrays(path: Path, tree: Any, header: dict[str, Any], packed: bool = False) -> None:
    """Store a tree of arrays with a JSON header, atomically; `packed` in fewer bytes, wherever that loses nothing."""
    tensors = {}
    for name, leaf in _named_leaves(tree).items():
        array = np.asarray(_plain(leaf), order="C")
        parts = pack(array) if packed else None
        tensors |= {name: array} if parts is None else {name + CODES: parts[0], name + LEVELS: parts[1]}
    # One entry only: safetensors writes several in any order, and equal runs should give equal files.
    write_atomically(path, save(tensors, {"spikeloop": json.dumps({"format": FORMAT, **header})}))


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header of a file that `save_arrays` wrote. Raises InvalidInput for anything else."""
    with _opened(path) as file:
        return _header(path, file)


def load_arrays(path: Path, template: Any) -> Any:
    """The tree that `save_arrays` stored, given a tree of the same structure (arrays or ``jax.eval_shape``'s result).

    Raises InvalidInput if the file is missing, damaged, of another version, or of another structure.
    """
    with _opened(path) as file:
        _header(path, file)
        wanted = _named_leaves(template)
        # What safetensors opens has names to ask for, and is no mapping.
        stored = {name.removesuffix(CODES).removesuffix(LEVELS) for name in file.keys()}  # noqa: SIM118
        if stored != set(wanted):
            odd = sorted(stored ^ set(wanted))[0]
            raise InvalidInput(f"{path} does not hold what this run needs: {odd!r} is missing or unknown")
        leaves = [_restore(path, name, leaf, _array(path, file, name, leaf)) for name, leaf in wanted.items()]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def _array(path, file, name, leaf):
    """What is stored under a name, packed or not."""
    if name in file.keys():  # noqa: SIM118
        return _tensor(path, file, name)
    codes, levels = (_tensor(path, file, name + end) for end in (CODES, LEVELS))
    try:
        return unpack(codes, levels, leaf.shape)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {name}: {error}") from None


def _tensor(path, file, name):
    try:
        return file.get_tensor(name)
    except (SafetensorError, AttributeError, KeyError, TypeError):  # a type that NumPy does not know
        raise InvalidInput(f"{path}: {name} is of a type that spikeloop does not write") from None


def _restore(path, name, leaf, array):
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    plain = jax.eval_shape(jax.random.key_data, leaf) if is_key else leaf
    if array.shape != plain.shape or array.dtype != plain.dtype:
        raise InvalidInput(
            f"{path}: {name} is {array.dtype}{list(array.shape)}, but this run needs {plain.dtype}{list(plain.shape)}"
        )
    return jax.random.wrap_key_data(jnp.asarray(array)) if is_key else jnp.asarray(array)


def _plain(leaf):
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf


def _named_leaves(tree):
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _opened(path):
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist")
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidInput(f"{path} is not a readable safetensors file: {str(error).splitlines()[0]}") from None


def _header(path, file):
    try:
        header = json.loads((file.metadata() or {}).get("spikeloop", "{}"))
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path} has a damaged header") from None
    if not isinstance(header, dict):
        raise InvalidInput(f"{path} has a damaged header")
    found = header.pop("format", "no format")
    if found != FORMAT:
        raise InvalidInput(f"{path} was not written by this version of spikeloop: it says {found!r}, not {FORMAT!r}")
    return header

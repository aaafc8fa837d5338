"""Calls from XLA to the host: simulators that are Python objects, in the middle of a compiled loop.

``jax.pure_callback`` hands the host JAX arrays, and making them takes longer than a step of many a simulator. XLA can make the
same call with the NumPy arrays themselves. That is what `on_host` does
where a program runs on one CPU device, or on several that each do their own part (``shard_map``). Everywhere else it is
``jax.pure_callback``. What comes back is the same.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import mlir
from jaxtyping import Array, Bool, Float32, UInt32

# From NumPy arrays [batch, ...] to words [batch, size].
HostFunction = Callable[..., np.ndarray]


def on_host(function: HostFunction, size: int, *args: Array) -> UInt32[Array, "batch {size}"]:
    """What `function` makes of `args`, arrays ``[batch, ...]``: `size` words of 32 bits for each member of the batch.

    The function must be pure as seen from outside, hashable, and the same object for every call that is to share a
    compiled program. The arrays it gets are only to be read, and only until it returns. Under ``vmap`` it needs `one_call`.
    """
    return _host_call.bind(*args, function=function, size=size)


def one_call(function: Callable[..., Array]) -> Callable[..., Array]:
    """Let `function`, from arrays [batch, ...] to one [batch, ...], work on single ones; called once for a whole vmap.

    Plain ``vmap`` would turn a ``cond`` in it into a choice between two computed sides, and call the host for both.
    """

    @jax.custom_batching.custom_vmap
    def call(lead, *args):  # `lead` holds nothing; its shape says which leading axes are batch
        flat = function(*(arg.reshape(-1, *arg.shape[lead.ndim :]) for arg in args))
        return flat.reshape(*lead.shape, *flat.shape[1:])

    @call.def_vmap
    def rule(size, batched, *args):
        pairs = zip(args, batched, strict=True)
        return call(*(arg if has else jnp.broadcast_to(arg, (size, *arg.shape)) for arg, has in pairs)), True

    return functools.partial(call, jnp.zeros((), bool))


def reset_on_host(
    function: HostFunction, size: int, wanted: Bool[Array, ""], seed: UInt32[Array, ""]
) -> UInt32[Array, "{size}"]:
    """What `function` makes of (wanted, seed); zeros where it is not wanted. No call if no member of a batch wants it."""

    def reset(words):
        host = functools.partial(on_host, function, size)
        return jax.lax.cond(
            jnp.any(words[:, 0] != 0), host, lambda words: jnp.zeros((len(words), size), jnp.uint32), words
        )

    return one_call(reset)(jnp.stack([wanted.astype(jnp.uint32), seed]))


def as_floats(words: UInt32[Array, "..."]) -> Float32[Array, "..."]:
    """The float32 numbers whose bits the words are."""
    return jax.lax.bitcast_convert_type(words, jnp.float32)


def as_words(numbers: Array) -> UInt32[Array, "..."]:
    """The bits of numbers of 32 bits."""
    return jax.lax.bitcast_convert_type(numbers, jnp.uint32)


_host_call = Primitive("host_call")


@_host_call.def_impl
def _outside_jit(*args, function, size):
    del size
    return jnp.asarray(function(*(np.asarray(arg) for arg in args)))


@_host_call.def_abstract_eval
def _shape(*args, function, size):
    del function
    return ShapedArray((args[0].shape[0], size), np.dtype(np.uint32))


def _lower(ctx: Any, *args: Any, function: HostFunction, size: int) -> Any:
    emit = getattr(mlir, "emit_python_callback", None)  # JAX keeps it "temporarily"
    if emit is None or not _is_local(ctx.module_context):
        return mlir.lower_fun(functools.partial(_pure_callback, function, size), multiple_results=False)(ctx, *args)
    results, _, _ = emit(
        ctx,
        lambda *arrays: (function(*arrays),),
        None,
        list(args),
        ctx.avals_in,
        ctx.avals_out,
        has_side_effect=False,
        returns_token=False,
    )
    return results


mlir.register_lowering(_host_call, _lower, cacheable=False)


def _is_local(module: Any) -> bool:
    """Whether the call is made by a CPU device on data of its own, so that no one has to say where it happens."""
    axes = module.axis_context
    if tuple(module.platforms) != ("cpu",):
        return False
    if isinstance(axes, mlir.SPMDAxisContext):
        return axes.manual_axes == frozenset(axes.mesh.axis_names)
    return not isinstance(axes, mlir.ShardingContext) or axes.num_devices == 1


def _pure_callback(function: HostFunction, size: int, *args: Array) -> UInt32[Array, "batch size"]:
    out = jax.ShapeDtypeStruct((args[0].shape[0], size), jnp.uint32)
    return jax.pure_callback(
        lambda *arrays: function(*(np.asarray(array) for array in arrays)), out, *args, vmap_method="broadcast_all"
    )

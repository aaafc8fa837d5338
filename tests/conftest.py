"""What every test stands on: run-time type checks of the whole library, and JAX at its strictest.

It comes first: the hook changes only what is imported after it.
"""

import functools
import os

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import optax
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("spikeloop", "beartype.beartype")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def _lenient(function):
    """The function under JAX's ordinary promotion of types."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        with jax.numpy_dtype_promotion("standard"):
            return function(*args, **kwargs)

    return call


# Optax's Adam raises a float to the power of an integer count, which strict promotion refuses.
optax.tree.bias_correction = _lenient(optax.tree.bias_correction)

# Compiling takes longer than hypothesis' deadline; the same examples at every run keep failures repeatable.
settings.register_profile("spikeloop", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("spikeloop")

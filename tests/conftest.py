"""What every test stands on: run-time type checks of the whole library, and JAX at its strictest.

It comes first: the hook changes only what is imported after it.
"""

import functools
import gc
import os
from importlib.metadata import version
from pathlib import Path

# Programs compiled once serve every test and every process that a test starts.
CACHE = Path(__file__).parent.parent / ".pytest_cache" / "compiled"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["SPIKELOOP_CACHE"] = str(CACHE)
# Compiling is most of the suite's time, and like this it takes a quarter. The processes that tests start inherit the flags,
# which are part of a program's name in the cache; where one must compile as a user's does, its test takes them away.
FLAGS = ["--xla_backend_optimization_level=0"]
if tuple(map(int, version("jaxlib").split(".")[:2])) < (0, 11):  # later ones do not know this flag, and end at it
    FLAGS += ["--xla_cpu_use_fusion_emitters=false"]
os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *FLAGS])

import jax
import optax
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

import tests.typecheck  # noqa: F401  (the hook finds the checker by name)

install_import_hook("spikeloop", "tests.typecheck.typechecked")
jax.config.update("jax_compilation_cache_dir", str(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
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


# Every compiled program takes some of a process' memory maps, of which Linux gives it 65,530; with none left, XLA aborts.
MAPS, MOST_MAPS = Path("/proc/self/maps"), 25_000


@pytest.fixture(autouse=True, scope="module")
def _room_for_programs():
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()

"""Independent seeds side by side: vmapped on each device, and spread over the devices.

A function of one seed's state becomes a function of all of them. The seeds never exchange anything, so each device
runs its own share without talking to the others; results do not depend on how the seeds are spread. Where devices are
left, a seed gets several of them for the individuals of its population (`interaction.over_individuals`).

Seeds whose iterations take the same number of environment steps run in step with each other (``vmap``). Where they do
not, a CPU takes them one after another, since in step every seed would wait for the slowest.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from spikeloop.interaction.individuals import INDIVIDUALS

# For what runs once: with care, compiling it takes two to four times as long, and it is gone before that could pay.
UNOPTIMISED = {"xla_backend_optimization_level": 0}


def over_seeds(
    function: Callable[..., Any],
    count: int,
    in_step: bool = True,
    options: dict[str, Any] | None = None,
    individuals: int = 1,
) -> Callable[..., Any]:
    """A jitted function of all seeds: (stacked states, further arguments shared by all) -> stacked results.

    The states are spread over the devices by `spread`; the shared arguments are scalars or small arrays. `options` are
    the compiler's. `individuals` is how many of them the function tries for each seed.
    """
    one_by_one = not in_step and jax.default_backend() == "cpu"

    def all_seeds(states, *shared):
        if one_by_one:
            return jax.lax.map(lambda state: function(state, *shared), states)
        return jax.vmap(lambda state: function(state, *shared))(states)

    mesh = _mesh(count, individuals)
    if mesh.size == 1:
        return jax.jit(all_seeds, compiler_options=options)

    def spread_out(states, *shared):
        specs = (PartitionSpec("seeds"), *(PartitionSpec() for _ in shared))
        return jax.shard_map(all_seeds, mesh=mesh, in_specs=specs, out_specs=PartitionSpec("seeds"), check_vma=False)(
            states, *shared
        )

    return jax.jit(spread_out, compiler_options=options)


def spread(states: Any, count: int, individuals: int = 1) -> Any:
    """Place stacked states (leading axis `count`) on the devices as `over_seeds` wants them."""
    mesh = _mesh(count, individuals)
    if mesh.size == 1:
        return jax.device_put(states, jax.devices()[0])
    return jax.device_put(states, NamedSharding(mesh, PartitionSpec("seeds")))


def _mesh(count, individuals):
    devices = jax.devices()
    seeds = _largest_divisor(count, len(devices))
    each = _largest_divisor(individuals, len(devices) // seeds)
    return jax.sharding.Mesh(np.asarray(devices[: seeds * each]).reshape(seeds, each), ("seeds", INDIVIDUALS))


def _largest_divisor(number, limit):
    return max(n for n in range(1, limit + 1) if number % n == 0)

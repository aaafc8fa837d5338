"""Individuals of a population side by side: vmapped on each device, and spread over the devices that their seed has.

Each device plays its share, and all are told what every one of them found; so all go on with the same state, and results
do not depend on how many there are. Which devices a seed has is decided in `training.seeds`.
"""

from collections.abc import Callable
from typing import Any

import jax

# The axis of the mesh along which the devices of one seed lie.
INDIVIDUALS = "individuals"


def over_individuals(function: Callable[..., Any], *stacked: Any) -> Any:
    """``jax.vmap(function)(*stacked)``, each device doing its share where the seed has several.

    Their number must divide that of the individuals.
    """
    devices = jax.sharding.get_abstract_mesh().shape.get(INDIVIDUALS, 1)
    if devices == 1:
        return jax.vmap(function)(*stacked)

    def share(leaf):
        size = leaf.shape[0] // devices
        return jax.lax.dynamic_slice_in_dim(leaf, jax.lax.axis_index(INDIVIDUALS) * size, size)

    found = jax.vmap(function)(*jax.tree.map(share, stacked))
    return jax.tree.map(lambda leaf: jax.lax.all_gather(leaf, INDIVIDUALS, tiled=True), found)

"""Silencing neurons of a policy, whatever it is made of: the policy and parameters in which what they fire reaches nobody."""

from collections.abc import Sequence
from typing import Any

import jax
from jaxtyping import Array, Float

from spikeloop.errors import InvalidInput
from spikeloop.networks import AbstractNetwork, Fixed, Plastic, Silenced, SilencedParams
from spikeloop.policies._base import AbstractPolicy
from spikeloop.policies.coagent import CoagentParams, CoagentPolicy
from spikeloop.policies.place_and_action import PlaceAndActionParams, PlaceAndActionPolicy
from spikeloop.policies.reflexes import NearOrFar, NearOrFarParams
from spikeloop.policies.spiking import SpikingParams, SpikingPolicy
from spikeloop.policies.standardised import StandardisedParams, StandardisedPolicy


def silenced(policy: AbstractPolicy, params: Any, alive: Sequence[Float[Array, " _"]]) -> tuple[AbstractPolicy, Any]:
    """The policy and its parameters with neurons silenced: `alive` has an array of each population, 0 for those and 1 for others.

    Exact: all alive, it decides as before, to the bit. It may be traced, so lesions are a `vmap` over `alive`. Raises
    InvalidInput for a kind of policy that the library does not know the inside of.
    """
    alive = tuple(alive)
    if isinstance(policy, SpikingPolicy):
        network, inner = _silenced_network(policy.network, params.network, alive)
        return policy.with_fields(network=network), SpikingParams(params.encoder, inner, params.decoder)
    if isinstance(policy, StandardisedPolicy):
        within, inner = silenced(policy.policy, params.policy, alive)
        return policy.with_fields(policy=within), StandardisedParams(params.mean, params.scale, inner)
    if isinstance(policy, NearOrFar):
        count = population_count(policy.near, params.near)
        near, near_params = silenced(policy.near, params.near, alive[:count])
        far, far_params = silenced(policy.far, params.far, alive[count:])
        return policy.with_fields(near=near, far=far), NearOrFarParams(near_params, far_params)
    if isinstance(policy, CoagentPolicy):
        shaped = [
            one.reshape(weights.shape[0], weights.shape[1], -1)
            for one, weights in zip(alive, params.weights, strict=True)
        ]
        return policy, CoagentParams(params.encoder, params.weights, tuple(shaped))
    if isinstance(policy, PlaceAndActionPolicy):
        return policy, PlaceAndActionParams(params.hidden, params.place, params.action, alive)
    if not alive:
        return policy, params
    raise InvalidInput(f"spikeloop does not know how to silence neurons of a {type(policy).__name__}")


def population_count(policy: AbstractPolicy, params: Any) -> int:
    """How many populations of spiking neurons a policy has."""
    if isinstance(policy, StandardisedPolicy):
        return population_count(policy.policy, params.policy)
    if isinstance(policy, NearOrFar):
        return population_count(policy.near, params.near) + population_count(policy.far, params.far)
    if isinstance(policy, SpikingPolicy):
        return len(jax.eval_shape(policy.network.silence, params.network))
    return {CoagentPolicy: lambda: len(params.weights), PlaceAndActionPolicy: lambda: 3}.get(type(policy), lambda: 0)()


def _silenced_network(network: AbstractNetwork, params: Any, alive: tuple[Any, ...]) -> tuple[AbstractNetwork, Any]:
    if isinstance(network, Plastic):  # its rule must not see what is silenced either
        inner, params = _silenced_network(network.network, params, alive)
        return network.with_fields(network=inner), params
    if isinstance(network, Silenced):  # silenced in both
        both = tuple(one * other for one, other in zip(params.alive.value, alive, strict=True))
        return network, SilencedParams(params.network, Fixed(both))
    return Silenced(network), SilencedParams(params, Fixed(alive))

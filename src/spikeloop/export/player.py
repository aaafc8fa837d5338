"""A policy as a program for the NumPy player: one .npz of plain numbers, and the player's one file beside it.

`policy_player.py` knows a handful of maps (a leaky potential, a table, a population of Gaussians, ...); what is here turns every
deterministic component of the library into one of them. Nothing of JAX or of the library is needed to play the result.
"""

import io
import json
from importlib import resources
from pathlib import Path
from typing import Any

import jax
import numpy as np

from spikeloop.environments import Box, Spec
from spikeloop.errors import InvalidInput
from spikeloop.export.player_parts import decoder_part, encoder_part, linear_part, network_part
from spikeloop.export.policy_player import FORMAT, VERSION
from spikeloop.interaction import AbstractActor, Greedy, Straight
from spikeloop.policies import (
    BlindPolicy,
    DeepPolicy,
    EncodedDeepPolicy,
    NearOrFar,
    SpikingPolicy,
    StandardisedPolicy,
    TurnAway,
    TurnTowards,
)
from spikeloop.storage import write_atomically

PLAYER = "policy_player.py"


def write_player(path: Path, actor: AbstractActor, spec: Spec) -> Path:
    """Write the policy to `path` and the player beside it, both atomically; returns where the player is.

    Raises InvalidInput for a policy that draws random numbers, or that the player does not know.
    """
    data = player_bytes(actor, spec)
    player = path.with_name(PLAYER)
    source = resources.files("spikeloop.export").joinpath(PLAYER).read_bytes()
    if player.exists() and not player.read_bytes().startswith(source[:40]):
        raise InvalidInput(f"{player} is something else already, and the player needs that name; choose another folder")
    write_atomically(player, source)
    write_atomically(path, data)
    return player


def player_bytes(actor: AbstractActor, spec: Spec) -> bytes:
    """The .npz of a policy. Raises InvalidInput as `write_player` does."""
    arrays: dict[str, np.ndarray] = {}
    program = _stored(player_program(actor, spec), arrays)
    arrays["program"] = np.frombuffer(json.dumps(program).encode(), np.uint8)
    held = io.BytesIO()
    np.savez_compressed(held, allow_pickle=False, **arrays)
    return held.getvalue()


def player_program(actor: AbstractActor, spec: Spec) -> dict[str, Any]:
    """What the player is to compute, as nested dicts, lists, numbers and arrays."""
    selection = actor.selection
    if not isinstance(selection, Greedy | Straight):
        raise InvalidInput(
            f"the player chooses no action by chance, and this policy acts by {type(selection).__name__}"
        )
    if actor.policy.stochastic:
        raise InvalidInput(f"the player draws no random numbers, and this {type(actor.policy).__name__} does")
    made: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "environment": spec.name,
        "observation_shape": list(spec.observation_shape),
        "selection": type(selection).__name__,
        "policy": _policy(actor.policy, jax.device_get(actor.params), spec.observation_size, spec.actions.output_size),
    }
    if isinstance(spec.actions, Box):
        made |= {"low": list(spec.actions.low), "high": list(spec.actions.high)}
    return made


def _policy(policy: Any, params: Any, obs: int, out: int) -> dict[str, Any]:
    if isinstance(policy, StandardisedPolicy):
        inner = _policy(policy.policy, params.policy, obs, out)
        seen = {"mean": params.mean, "scale": params.scale, "limit": policy.limit}
        return {"kind": "standardised", **seen, "policy": inner}
    if isinstance(policy, SpikingPolicy):
        return {
            "kind": "spiking",
            "ticks": policy.ticks,
            "keep": policy.between_decisions.keeps,
            "encoder": encoder_part(policy.encoder, params.encoder, obs),
            "network": network_part(policy.network, params.network),
            "decoder": decoder_part(policy.decoder, params.decoder, out),
        }
    if isinstance(policy, DeepPolicy):
        return {"kind": "deep", "gain": policy.gain, "layers": [linear_part(layer) for layer in params]}
    if isinstance(policy, EncodedDeepPolicy):
        return {
            "kind": "encoded",
            "encoder": encoder_part(policy.encoder, params.encoder, obs),
            "layers": [linear_part(layer) for layer in params.network],
            "decoder": decoder_part(policy.decoder, params.decoder, out),
        }
    if isinstance(policy, NearOrFar):
        near, far = policy.sensors, obs - policy.sensors
        return {
            "kind": "near_or_far",
            "sensors": policy.sensors,
            "threshold": policy.threshold,
            "near": _policy(policy.near, params.near, near, out),
            "far": _policy(policy.far, params.far, far, out),
        }
    if isinstance(policy, TurnAway):
        across = np.linspace(-1.0, 1.0, obs) if obs > 1 else np.zeros(1)
        connections = np.sign(across) * (1.0 - 0.5 * np.abs(across))
        return {"kind": "turn", "gain": policy.gain, "connections": connections.astype(np.float32)[:, None]}
    if isinstance(policy, TurnTowards):
        return {"kind": "turn", "gain": policy.gain, "connections": np.eye(obs, 1, dtype=np.float32)}
    if isinstance(policy, BlindPolicy):
        nothing = {"weight": np.zeros((obs, 1), np.float32), "bias": np.zeros(1, np.float32)}
        return {"kind": "deep", "gain": 1.0, "layers": [nothing]}
    raise InvalidInput(f"the player does not know the policy {type(policy).__name__}")


def _stored(part: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The same with every array put aside, under the name that takes its place."""
    if isinstance(part, dict):
        return {name: _stored(value, arrays) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_stored(value, arrays) for value in part]
    if isinstance(part, np.ndarray | np.generic | jax.Array):
        name = f"array_{len(arrays)}"
        arrays[name] = np.asarray(part)
        return {"array": name}
    return part

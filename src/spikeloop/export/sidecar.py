"""The sidecar: what a NIR graph cannot express of a policy, as one small JSON file beside it.

`docs/export.md` documents every entry. Numbers are written such that reading gives the same float32, and nothing in it is code.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from spikeloop.component import build, describe
from spikeloop.environments import Spec
from spikeloop.errors import InvalidInput
from spikeloop.export.conventions import CONVENTIONS, Convention, convention
from spikeloop.export.discrete import Node
from spikeloop.export.graph import Exported, Standardisation, connected_inputs, export, same_nodes
from spikeloop.interaction import AbstractSelection, Actor
from spikeloop.policies import SpikingPolicy, StandardisedParams, StandardisedPolicy
from spikeloop.storage import read_json

FORMAT = "spikeloop-nir-sidecar"
VERSION = 1
LARGEST = 64 * 2**20  # bytes of a file
MOST_TICKS = 100_000  # of a decision; more would keep a machine busy for ever


def sidecar(exported: Exported) -> dict[str, Any]:
    """The sidecar of an exported policy, as JSON."""
    to, policy = exported.convention, exported.policy
    standardisation = exported.standardisation
    return {
        "format": FORMAT,
        "version": VERSION,
        "environment": describe(exported.spec),
        "convention": {
            "name": to.name,
            "reader": to.reader,
            "dt": to.dt,
            "step": "exact solution" if to.exact else "forward Euler",
            "fires": "v >= v_threshold" if to.fires_at_threshold else "v > v_threshold",
            "reset": "to v_reset, in the tick of the spike, before the next input",
            "order": "every population hears the spikes of the one before it within the same tick",
        },
        "ticks": policy.ticks,
        "between_decisions": "keep" if policy.between_decisions.keeps else "reset",
        "standardisation": None
        if standardisation is None
        else {
            "mean": standardisation.mean.tolist(),
            "scale": standardisation.scale.tolist(),
            "limit": standardisation.limit,
        },
        "input": describe(policy.encoder),
        "reading": exported.reading,
        "output": describe(policy.decoder),
        "action": describe(exported.selection),
        "approximated": list(exported.approximated),
        "network": describe(policy.network),
        "parameters": {
            name: {"shape": list(value.shape), "values": value.ravel().tolist()}
            for name, value in exported.parameters.items()
        },
    }


class Sidecar(eqx.Module):
    """What a sidecar says."""

    policy: SpikingPolicy
    selection: AbstractSelection
    spec: Spec
    convention: Convention
    parameters: dict[str, np.ndarray]
    standardisation: Standardisation | None


def read_sidecar(path: Path) -> Sidecar:
    """A sidecar from a file. Raises InvalidInput for anything else."""
    if path.is_file() and path.stat().st_size > LARGEST:
        raise InvalidInput(f"{path} is larger than any sidecar")
    data = read_json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidInput(f"{path} is not the sidecar of a NIR graph")
    if data.get("version") != VERSION:
        raise InvalidInput(f"{path} is of version {data.get('version')!r}; this spikeloop reads version {VERSION}")
    try:
        return _parsed(data)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InvalidInput(f"{path} is damaged: an entry is missing, or not what it should be") from None


def _parsed(data: dict[str, Any]) -> Sidecar:
    spec, selection = build(data["environment"]), build(data["action"])
    between = {"keep": "KeepBetweenDecisions", "reset": "ResetBetweenDecisions"}[data["between_decisions"]]
    policy = build(
        {
            "type": "SpikingPolicy",
            "encoder": data["input"],
            "network": data["network"],
            "decoder": data["output"],
            "ticks": data["ticks"],
            "between_decisions": {"type": between},
        }
    )
    if policy.ticks > MOST_TICKS:
        raise InvalidInput(f"ticks must be at most {MOST_TICKS}, got {policy.ticks}")
    if not isinstance(spec, Spec) or not isinstance(selection, AbstractSelection):
        raise InvalidInput("environment or action is not what it should be")
    parameters = {}
    for name, value in data["parameters"].items():
        parameters[name] = np.asarray(value["values"], np.float32).reshape([int(n) for n in value["shape"]])
    found = data["standardisation"]
    standardisation = None
    if found is not None:
        mean, scale = (np.asarray(found[name], np.float32) for name in ("mean", "scale"))
        if mean.shape != (spec.observation_size,) or scale.shape != mean.shape:
            raise InvalidInput("mean and scale must have one entry for each number of an observation")
        standardisation = Standardisation(mean, scale, float(found["limit"]))
    for value in parameters.values():
        if not np.isfinite(value).all():
            raise InvalidInput("a parameter is not finite")
    name, dt = data["convention"]["name"], data["convention"]["dt"]
    if name not in CONVENTIONS or not isinstance(dt, float):
        raise InvalidInput(f"unknown convention {name!r}")
    return Sidecar(policy, selection, spec, convention(name, dt), parameters, standardisation)


def restored(nodes: tuple[Node, ...], beside: Sidecar) -> Actor | None:
    """The policy that was exported to these nodes, exactly; None where the graph is not the one that belongs to it."""
    policy, spec = beside.policy, beside.spec
    widths = [next(iter(node.numbers.values())).shape[0] for node in nodes]
    inputs = connected_inputs(nodes)
    if policy.encoder.size(spec.observation_size) != inputs or max(policy.populations(spec.actions.output_size)) > max(
        [inputs, *widths]
    ):
        return None
    template = jax.eval_shape(lambda: policy.init(spec.observation_size, spec.actions.output_size, jax.random.key(0)))
    connections = [node for node in nodes if node.kind in ("Affine", "Linear")]
    unscaled = _filled(template, connections, beside, None)
    if unscaled is None:
        return None
    # What the convention multiplied the weights by is known once the neurons are, and they need no weights.
    draft = Actor(beside.policy, unscaled, beside.spec.actions, beside.selection)
    scales = export(draft, beside.spec, beside.convention, discretise=True).scales
    params = _filled(template, connections, beside, scales)
    actor = Actor(beside.policy, params, beside.spec.actions, beside.selection)
    if not same_nodes(export(actor, beside.spec, beside.convention, discretise=True).nodes, nodes):
        return None
    return with_standardisation(actor, beside.standardisation)


def with_standardisation(actor: Actor, found: Standardisation | None) -> Actor:
    """The actor behind a standardisation of what it sees, if there is one."""
    if found is None:
        return actor
    params = StandardisedParams(jax.numpy.asarray(found.mean), jax.numpy.asarray(found.scale), actor.params)
    return Actor(StandardisedPolicy(actor.policy, found.limit), params, actor.actions, actor.selection)


def _filled(template: Any, connections: list[Node], beside: Sidecar, scales: tuple[np.ndarray, ...] | None) -> Any:
    """The parameters, from the connections of the graph and from the sidecar; None if they do not fit."""
    place, leaves = -1, []
    for path, leaf in jax.tree_util.tree_leaves_with_path(template):
        name = jax.tree_util.keystr(path)
        found = beside.parameters.get(name)
        if found is None:
            kind = name.rpartition(".")[2]
            place += kind == "weight"
            if place >= len(connections) or kind not in connections[place].numbers:
                return None
            found = connections[place].numbers[kind]
            if scales is not None:
                factor = scales[place].astype(np.float32)
                found = found / (factor[:, None] if kind == "weight" else factor)
            found = found.T
        if found.shape != leaf.shape:
            return None
        leaves.append(jax.numpy.asarray(found, leaf.dtype))
    return jax.tree.unflatten(jax.tree.structure(template), leaves) if place == len(connections) - 1 else None

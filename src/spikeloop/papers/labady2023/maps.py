"""Labady 2023, Figures 13 to 15: which states excite each output neuron of an evolved network.

A map has a cell for each bin of position and velocity: the spikes of one output neuron in one window of 20 ms, from a
network at rest that sees the middle of that bin. The report does not say whether its network was at rest; in an episode,
where nothing is reset, the counts also depend on the windows before.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.analysis.recording import record_episode
from spikeloop.analysis.responses import tuning_map
from spikeloop.analysis.tables import markdown
from spikeloop.encoders import OneHotBins
from spikeloop.experiment import Experiment, Reference
from spikeloop.loading import load_policies
from spikeloop.papers.labady2023.setting import ACTIONS, GYM_STEPS, experiment, spiking_policy
from spikeloop.policies import SpikingPolicy
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json

PUBLISHED = {"left": "-0.6 to -0.4", "none": "0.5", "right": "-1.2 to -0.8, -0.5 to -0.3"}


def heatmaps() -> Experiment:
    """Labady 2023 Figures 13 to 15: spikes of each output neuron by position and velocity, 6 evolved networks"""
    claim = "left fires for positions -0.6 to -0.4, none near 0.5, right for -1.2 to -0.8 and -0.5 to -0.3; one network"
    return experiment(GYM_STEPS, 60, 6, Reference("Labady 2023, Figures 13 to 15", claim))


def bin_edges(policy: SpikingPolicy) -> Float[np.ndarray, "edges 2"]:
    """The ends of the bins of position and of velocity."""
    encoder = policy.encoder
    assert isinstance(encoder, OneHotBins)
    return np.linspace(np.broadcast_to(encoder.low, 2), np.broadcast_to(encoder.high, 2), encoder.bins + 1)


def spike_maps(policy: SpikingPolicy, params: Any) -> Float[Array, "positions velocities neurons"]:
    """Spikes of every output neuron in one decision from rest, in the middle of every bin."""
    edges = bin_edges(policy)
    middles = jnp.asarray(0.5 * (edges[1:] + edges[:-1]), jnp.float32)
    return tuning_map(policy, params, jnp.zeros(2), (0, 1), (middles[:, 0], middles[:, 1])).spikes[-1]


def chosen(maps: Float[np.ndarray, "positions velocities 3"]) -> np.ndarray:
    """The action that each cell stands for: none, unless left or right fires more than every other."""
    most = maps.max(axis=-1, keepdims=True)
    alone = (maps == most).sum(axis=-1) == 1
    return np.where(alone, maps.argmax(axis=-1), ACTIONS.index("none"))


def report_heatmaps(run: Run) -> list[Path]:
    """The maps of every seed as a figure, with the states of one episode on them, and table.json; returns the files."""
    from spikeloop.papers.labady2023.figures import draw_maps

    policy = spiking_policy(run)
    if policy is None:
        return []
    policies, world = load_policies(run, run.experiment.label), run.experiment.environment
    edges = bin_edges(policy)
    maps, visited, rows, found = [], [], [], {}
    for place, seed in enumerate(policies.seeds):
        actor = policies.of_seed(place)
        maps.append(np.asarray(spike_maps(policy, actor.params)))
        episode = record_episode(world, actor, jax.random.key(0))
        visited.append(episode.observations)
        found[seed] = of_network(maps[-1], edges[:, 0], episode.actions)
        rows.append([f"seed {seed}", *(_cell(found[seed], action) for action in ACTIONS), f"{episode.decisions}"])
    header = ["", *(f"{action}: peak, cells, actions" for action in ACTIONS), "steps"]
    theirs = ["published", *PUBLISHED.values(), "-"]
    title = (
        "Of each output neuron: the position at which it fires most (mean over velocities; spikes in 20 ms in brackets), the "
        "number of the cells that choose its action, and how often the drawn episode does."
    )
    written = {"title": title, "markdown": markdown(header, [theirs, *rows]), "seeds": found}
    write_json(run.path / "table.json", written)
    write_atomically(run.path / "heatmaps.png", draw_maps(maps, edges, visited, list(policies.seeds)))
    return [run.path / "table.json", run.path / "heatmaps.png"]


def of_network(
    maps: Float[np.ndarray, "positions velocities 3"], edges: Float[np.ndarray, " edges"], actions: np.ndarray
) -> dict[str, dict[str, float | None]]:
    """Of each output neuron: where its mean over velocities is largest, that mean, cells that choose it, and actions taken."""
    profile, choice = maps.mean(axis=1), chosen(maps)
    found: dict[str, dict[str, float | None]] = {}
    for neuron, action in enumerate(ACTIONS):
        place = int(profile[:, neuron].argmax())
        silent = not maps[..., neuron].any()
        found[action] = {
            "peak_position": None if silent else round(float(0.5 * (edges[place] + edges[place + 1])), 2),
            "spikes_at_peak": round(float(profile[place, neuron]), 1),
            "cells": int((choice == neuron).sum()),
            "actions": int((np.asarray(actions) == neuron).sum()),
        }
    return found


def _cell(found: dict[str, dict[str, float | None]], action: str) -> str:
    of = found[action]
    peak = "silent" if of["peak_position"] is None else f"{of['peak_position']:g} ({of['spikes_at_peak']:g})"
    return f"{peak}, {of['cells']}, {of['actions']}"

"""An inspection as the JSON and the packed arrays that the page reads, cut to what a browser takes well."""

from typing import Any

import numpy as np

from spikeloop.analysis.lesions import LesionStudy
from spikeloop.analysis.scenes import action_names, variable_names
from spikeloop.analysis.style import colour_of
from spikeloop.environments import Box
from spikeloop.inspection.drawing import draw_scene
from spikeloop.inspection.gathering import Inspection
from spikeloop.inspection.packing import Packer
from spikeloop.inspection.wiring import Edges, Wiring
from spikeloop.learners import AntitheticSynapseAgents, NeuronAgents, RewardModulatedPlasticity, SynapseAgents

RASTER_BITS = 64_000_000  # of all populations; of larger ones the most active neurons are shown
MEMBRANE_BYTES = 3_000_000  # of all populations
WEIGHT_BYTES = 2_000_000  # of all matrices; of more, the strongest inputs of each neuron
MAP_BYTES = 4_000_000  # of all tuning maps
STRONGEST_INPUTS = 24  # of each neuron, where the matrices are too large
DRAWN_EDGES = 1200  # of the graph
IMAGE = 128  # rows and columns of a picture of how weights moved, at most
POINTS = 400  # of a curve along training


_TELLING = (AntitheticSynapseAgents, NeuronAgents, RewardModulatedPlasticity, SynapseAgents)
_TOLD = ("modulator", "modulator_size", "error", "reward", "score")  # metrics of theirs


class Cuts(list[str]):
    """What was left out, in words, for the page to say."""


def page_data(inspection: Inspection) -> tuple[dict[str, Any], Packer]:
    """What the page's scripts read: JSON, and the arrays that it points into."""
    packer, cuts = Packer(), Cuts()
    environment, recording = inspection.run.experiment.environment, inspection.recording
    spec = environment.spec
    data = {
        "episode": _episode(inspection, packer),
        "scene": draw_scene(environment, recording),
        "variables": list(variable_names(environment)),
        "actions": list(action_names(environment)),
        "continuous": isinstance(spec.actions, Box),
        "nodes": [{"name": one.name, "kind": one.kind, "size": one.size} for one in inspection.wiring.nodes],
        "populations": _populations(inspection, packer, cuts),
        "edges": _edges(inspection.wiring, packer, cuts),
        "maps": _maps(inspection, packer, cuts),
        "lesions": _lesions(inspection),
        "moved": [] if inspection.before is None else _moved(inspection.before, inspection.wiring, packer),
        "training": _training(inspection),
        "cuts": cuts,
    }
    if data["scene"]["every"] > 1:
        cuts.append(f"The picture of the world is of every {_nth(data['scene']['every'])} decision.")
    if not (recording.terminated or recording.truncated):
        cuts.append(f"The episode went on; its first {recording.decisions} decisions are shown.")
    return data, packer


def _episode(inspection: Inspection, packer: Packer) -> dict[str, Any]:
    recording = inspection.recording
    decisions, ticks, outputs = recording.evidence.shape
    flat = recording.observations.reshape(decisions + 1, -1)
    actions: Any = recording.actions
    continuous = isinstance(recording.action_space, Box)
    return {
        "decisions": decisions,
        "ticks": ticks,
        "outputs": outputs,
        "observations": packer.floats(flat.T),
        "actions": packer.floats(np.asarray(actions).T) if continuous else packer.integers(actions),
        "rewards": packer.floats(recording.rewards),
        "output": packer.floats(recording.outputs.T),
        "evidence": packer.floats(recording.evidence.reshape(decisions * ticks, outputs).T),
        "end": "terminated" if recording.terminated else "time limit" if recording.truncated else "goes on",
        "total": recording.total_return,
    }


def _populations(inspection: Inspection, packer: Packer, cuts: Cuts) -> list[dict[str, Any]]:
    recording, wiring = inspection.recording, inspection.wiring
    time = recording.decisions * recording.ticks
    neurons = sum(spikes.shape[2] for spikes in recording.spikes)
    membranes = recording.membranes or (None,) * len(recording.spikes)
    with_membrane = sum(v.shape[2] for v in membranes if v is not None)
    share = min(1.0, RASTER_BITS / (neurons * time))
    traced = min(1.0, MEMBRANE_BYTES / max(1, with_membrane * time))
    found = []
    for index, (place, spikes, potential) in enumerate(
        zip(wiring.populations(), recording.spikes, membranes, strict=True)
    ):
        size = spikes.shape[2]
        rows = spikes.reshape(time, size).T
        counts = rows.sum(axis=1)
        shown = _most(counts, max(1, int(share * size)))
        population: dict[str, Any] = {
            "node": place,
            "name": wiring.nodes[place].name,
            "size": size,
            "colour": colour_of(index),
            "shown": packer.integers(shown),
            "raster": packer.bits(rows[shown] > 0),
            "counts": packer.integers(counts.astype(np.int64)),
        }
        if len(shown) < size:
            cuts.append(f"Of {population['name']} the raster shows the {len(shown)} most active of {size} neurons.")
        if potential is not None:
            kept = _most(counts, max(1, int(traced * size)))
            values = potential.reshape(time, size).T[kept]
            finite = np.where(np.isfinite(values), values, np.nan)
            low, high = np.nanmin(finite, axis=1, keepdims=True), np.nanmax(finite, axis=1, keepdims=True)
            span = np.where(high > low, high - low, 1.0)
            population["membranes"] = {
                "neurons": packer.integers(kept),
                "values": packer.floats((finite - low) / span, 1),  # each neuron over its own range
                "low": np.round(low.ravel(), 6).tolist(),
                "span": np.round(span.ravel(), 6).tolist(),
            }
            if len(kept) < size:
                cuts.append(f"Of {population['name']} the potentials of the {len(kept)} most active neurons are kept.")
        found.append(population)
    return found


def _edges(wiring: Wiring, packer: Packer, cuts: Cuts) -> list[dict[str, Any]]:
    total = sum(edges.weights.size for edges in wiring.edges)
    whole = 2 * total <= WEIGHT_BYTES
    if total and not whole:
        cuts.append(f"Of {total:,} weights the {STRONGEST_INPUTS} strongest inputs of each neuron are kept.")
    drawn = max(1, DRAWN_EDGES // max(1, len(wiring.edges)))
    if any(np.count_nonzero(edges.weights) > drawn for edges in wiring.edges):
        cuts.append(f"The graph draws the {drawn} strongest edges of each connection.")
    found = []
    for edges in wiring.edges:
        weights = np.nan_to_num(np.asarray(edges.weights, np.float64))
        order = np.argsort(-np.abs(weights), axis=None, kind="stable")[:drawn]
        order = order[weights.ravel()[order] != 0]
        found.append(
            {
                "pre": edges.pre,
                "post": edges.post,
                "what": edges.what,
                "largest": float(np.abs(weights).max()) if weights.size else 0.0,
                "weights": packer.floats(weights if whole else _strongest(weights)),
                "drawn": packer.integers(order),
                "whole": whole,
            }
        )
    return found


def _strongest(weights: np.ndarray) -> np.ndarray:
    """The weights, zero but for the strongest inputs of each neuron."""
    count = min(STRONGEST_INPUTS, len(weights))
    rows = np.argpartition(-np.abs(weights), count - 1, axis=0)[:count]
    kept = np.zeros_like(weights)
    np.put_along_axis(kept, rows, np.take_along_axis(weights, rows, axis=0), axis=0)
    return kept


def _maps(inspection: Inspection, packer: Packer, cuts: Cuts) -> dict[str, Any]:
    maps, populations = inspection.maps, inspection.recording.spikes
    cells = sum(int(np.prod(answer.output.shape[:2])) for answer in maps.responses)
    neurons = sum(spikes.shape[2] for spikes in populations)
    share = min(1.0, MAP_BYTES / max(1, cells * neurons))
    kept = [_most(spikes.sum(axis=(0, 1)), max(1, int(share * spikes.shape[2]))) for spikes in populations]
    if share < 1.0:
        cuts.append(f"Tuning maps are of the {sum(map(len, kept))} most active of {neurons} neurons.")
    if len(maps.variables) < maps.held.size:
        cuts.append(
            f"Tuning maps are over the {len(maps.variables)} of {maps.held.size} variables to which the outputs are most sensitive."
        )
    pairs = [
        {
            "first": first,
            "second": second,
            "neurons": [
                packer.counts(np.moveaxis(np.asarray(counts)[..., rows], -1, 0))
                for counts, rows in zip(answer.spikes, kept, strict=True)
            ],
            "output": packer.floats(np.moveaxis(np.asarray(answer.output), -1, 0)),
        }
        for (first, second), answer in zip(maps.pairs, maps.responses, strict=True)
    ]
    return {
        "variables": list(maps.variables),
        "held": maps.held.tolist(),
        "start": _start(inspection),
        "values": [values.tolist() for values in maps.values],
        "kept": [packer.integers(rows) for rows in kept],
        "pairs": pairs,
    }


def _start(inspection: Inspection) -> list[int]:
    """The two variables that matter most, which the page shows first, in their own order."""
    strength = dict(zip(inspection.asked, inspection.sensitivity.size.sum(axis=1), strict=True))
    order = sorted(range(len(inspection.maps.variables)), key=lambda place: -strength[inspection.maps.variables[place]])
    return sorted(order[:2])


def _lesions(inspection: Inspection) -> dict[str, Any] | None:
    study = inspection.lesions
    if study is None:
        return None
    return {
        "episodes": len(study.intact),
        "intact": {
            "mean": float(study.intact.mean()),
            "interval": study.interval(None),
            **_decisions(inspection.intact),
        },
        "silent": list(inspection.never_fired),
        "rows": [
            {
                "population": lesion.population,
                "neurons": list(lesion.neurons),
                "mean": float(study.returns[place].mean()),
                "interval": study.interval(place),
                "loss": study.loss(place),
                "matters": study.matters(place),
                **_decisions(change),
            }
            for place, (lesion, change) in enumerate(zip(study.lesions, inspection.changes, strict=True))
        ],
    }


def ranked(study: LesionStudy) -> list[int]:
    """Places of the lesions, the costliest first."""
    return sorted(range(len(study.lesions)), key=lambda place: -study.loss(place))


def _decisions(decisions: Any) -> dict[str, Any]:
    return {"changed": decisions.changed, "frequencies": decisions.frequencies, "outputChange": decisions.output_change}


def _moved(before: Wiring, after: Wiring, packer: Packer) -> list[dict[str, Any]]:
    """Of each connection, where its weights moved: the mean change of blocks where a picture is too small for each."""
    found = []
    for old, new in zip(before.edges, after.edges, strict=True):
        change = np.nan_to_num(np.asarray(new.weights, np.float64) - np.asarray(old.weights, np.float64))
        if not change.any():
            continue
        tall, wide = (int(np.ceil(size / IMAGE)) for size in change.shape)
        rows, columns = (int(np.ceil(size / step)) for size, step in zip(change.shape, (tall, wide), strict=True))
        padded = np.full((rows * tall, columns * wide), np.nan)
        padded[: change.shape[0], : change.shape[1]] = change
        blocks = np.nanmean(padded.reshape(rows, tall, columns, wide), axis=(1, 3))
        sample = np.linspace(0, change.size - 1, min(2000, change.size)).astype(int)
        pairs = np.stack([np.asarray(old.weights).ravel()[sample], np.asarray(new.weights).ravel()[sample]])
        found.append(
            {
                "pre": new.pre,
                "post": new.post,
                "change": packer.floats(blocks),
                "block": [tall, wide],
                "pairs": packer.floats(pairs),
                **movement(old, new),
            }
        )
    return found


def movement(old: Edges, new: Edges) -> dict[str, float]:
    """How far the weights of a connection moved, in numbers."""
    before, after = (np.nan_to_num(np.asarray(edges.weights, np.float64)) for edges in (old, new))
    size = float(np.sqrt(np.mean(before**2)))
    moved = float(np.sqrt(np.mean((after - before) ** 2)))
    return {
        "before": float(np.abs(before).mean()),
        "after": float(np.abs(after).mean()),
        "moved": moved,
        "relative": moved / size if size else float("inf"),
        "turned": float(np.mean(before * after < 0)),
    }


def _training(inspection: Inspection) -> dict[str, Any]:
    """Curves along training: the broadcast signal and whatever else was recorded, first what every synapse is told."""
    lines = list(inspection.metrics)
    if len(lines) > POINTS:
        lines = [lines[place] for place in np.linspace(0, len(lines) - 1, POINTS).astype(int)]
    told = broadcast(inspection)
    names = sorted({name for line in lines for name in line["metrics"]}, key=lambda name: (name not in told, name))
    curves = {name: [line["metrics"].get(name) for line in lines] for name in names}
    returns = [float(np.mean(line["returns"])) if line["returns"] else None for line in lines]
    return {
        "steps": [line["env_steps"] for line in lines],
        "broadcast": [name for name in names if name in told],
        "curves": {"return of training episodes": returns, **curves} if lines else {},
    }


def broadcast(inspection: Inspection) -> tuple[str, ...]:
    """Names of the metrics that all synapses or neurons are told, of learners that work so."""
    learner = inspection.run.experiment.arms[inspection.arm]
    return _TOLD if isinstance(learner, _TELLING) else ()


def _most(counts: np.ndarray, most: int) -> np.ndarray:
    return np.sort(np.argsort(-np.asarray(counts), kind="stable")[:most])


def _nth(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, 'th') }"

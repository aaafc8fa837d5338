"""Zhang et al. 2022, Table 1, from runs of ours: what the actors reached on each task, and spiking over deep.

Simulators differ between versions of the tasks, so returns are compared within a version, as the ratio of the spiking actor to
the deep one. Three measures of a run of several seeds:

    largest of the average   the largest, over evaluations, of the mean over seeds
    average of the largest   the mean over seeds of each seed's own largest evaluation
    final                    IQM over seeds of the final policies, in fresh episodes

The paper's table is one of the first two; it does not say which. Both choose among noisy evaluations and so lie above what the
policies are worth; the ratio is of the third.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from spikeloop.analysis.statistics import interquartile_interval, interquartile_mean
from spikeloop.analysis.tables import markdown
from spikeloop.component import build
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.papers.zhang2022.tasks import ACTORS, PUBLISHED, TASKS
from spikeloop.storage import read_json

# Largest average return on v4, 5 seeds: Xu et al., "CaRe-BN" (ICLR 2026).
INDEPENDENT = {
    "ant": {"dan": 4770.0, "popsan": 4590.0, "mdc-san": 4800.0},
    "halfcheetah": {"dan": 10857.0, "popsan": 9594.0, "mdc-san": 9147.0},
    "walker2d": {"dan": 4340.0, "popsan": 3307.0, "mdc-san": 3964.0},
    "hopper": {"dan": 3410.0, "popsan": 2772.0, "mdc-san": 3446.0},
}
TWIN = "dan"


def table_1(folders: Sequence[Path]) -> dict[str, Any]:
    """Title, Markdown and numbers of the table of finished runs of ``zhang2022/<task>/<actor>``.

    A folder is a run directory, or what is kept of one: run.json and summary.json. Runs of the same actor, on other seeds, are
    put together. Raises InvalidInput for a run of another kind, of a seed that is there already, of another budget, or one that
    has not finished.
    """
    found: dict[str, dict[str, list[_Measured]]] = {}
    for folder in folders:
        task, actor, measured = _measured(folder)
        found.setdefault(task, {}).setdefault(actor, []).append(measured)
    budgets = {
        (measured.env_steps, len(measured.curve))
        for actors in found.values()
        for m in actors.values()
        for measured in m
    }
    if len(budgets) != 1:
        raise InvalidInput("the runs must all have the same budget and the same number of evaluations")
    tasks = {
        task: {actor: _together(actors[actor]) for actor in ACTORS if actor in actors} for task, actors in found.items()
    }
    rows = []
    for task, actors in tasks.items():
        for actor, row in actors.items():
            if TWIN in actors and actor != TWIN:
                row["ratio"] = ratio(row["scores"], actors[TWIN]["scores"])
            rows.append(_row(task, actor, row))
    (env_steps, _), *_ = budgets
    title = (
        f"Ours: v5, {env_steps:,.0f} steps. Theirs: a million steps, largest average return. Returns of different versions and "
        "budgets are not to be compared; the ratios of spiking to deep are."
    )
    return {"title": title, "markdown": markdown(_HEADER, rows), "tasks": tasks}


class _Measured(eqx.Module):
    """One run of one actor on one task."""

    seeds: range
    env_steps: float
    scores: np.ndarray  # [seeds], final
    at: np.ndarray  # [evaluations], environment steps
    curve: np.ndarray  # [evaluations, seeds]
    spikes: float


def of_task(folder: Path) -> tuple[str, Experiment] | None:
    """The task and the experiment of a run of ``zhang2022/<task>/<actor>``; None of another folder."""
    asked = read_json(folder / "run.json") if (folder / "run.json").exists() else {}
    made = build(asked.get("experiment"))
    if isinstance(made, Experiment) and made.label in ACTORS:
        for task, name in TASKS.items():
            if name == made.environment.spec.name:
                return task, made
    return None


def _measured(folder: Path) -> tuple[str, str, _Measured]:
    known = of_task(folder)
    if known is None:
        raise InvalidInput(f"{folder} is no run of an actor of Zhang 2022 on one of its tasks, {', '.join(TASKS)}")
    task, made = known
    if not (folder / "summary.json").exists():
        raise InvalidInput(f"{folder} has not finished; `spikeloop resume {folder}` goes on")
    arm = read_json(folder / "summary.json")["arms"][made.label]
    scores, at, curve = (np.asarray(x) for x in (arm["scores"], arm["curve"]["env_steps"], arm["curve"]["scores"]))
    measured = _Measured(made.seed_range, arm["env_steps"], scores, at, curve, arm["spikes_per_decision"])
    return task, made.label, measured


def _together(runs: list[_Measured]) -> dict[str, Any]:
    seeds = [seed for run in runs for seed in run.seeds]
    if len(set(seeds)) != len(seeds):
        raise InvalidInput(
            "two of the runs are of the same actor, task and seed; runs that go together have other seeds"
        )
    scores = np.concatenate([run.scores for run in runs])
    along = np.concatenate([run.curve for run in runs], axis=1)
    final = interquartile_interval(scores)
    return {
        "seeds": len(seeds),
        "largest_of_average": round(float(along.mean(axis=1).max()), 1),
        "average_of_largest": round(float(along.max(axis=0).mean()), 1),
        "largest_deviation": round(float(along.max(axis=0).std()), 1),
        "final": final.estimate,
        "final_interval_95": [final.low, final.high],
        "scores": scores.tolist(),
        "curve": {"env_steps": runs[0].at.tolist(), "scores": along.tolist()},
        "spikes_per_decision": float(
            np.average([run.spikes for run in runs], weights=[len(run.seeds) for run in runs])
        ),
    }


def ratio(
    scores: Sequence[float], twin: Sequence[float], resamples: int = 10_000, seed: int = 0
) -> dict[str, Any] | None:
    """Ratio of interquartile means with a 95 % bootstrap interval; seeds of both are drawn anew, each for itself.

    None where the twin's scores are not all positive: a ratio then says nothing.
    """
    above, below = np.asarray(scores, float), np.asarray(twin, float)
    if (below <= 0).any():
        return None
    generator = np.random.default_rng(seed)
    drawn = [values[generator.integers(0, values.size, (resamples, values.size))] for values in (above, below)]
    low, high = np.percentile(interquartile_mean(drawn[0], axis=1) / interquartile_mean(drawn[1], axis=1), [2.5, 97.5])
    return {
        "estimate": float(interquartile_mean(above) / interquartile_mean(below)),
        "interval_95": [float(low), float(high)],
    }


_HEADER = ["task, actor", "seeds", "Zhang et al., v3", "Xu et al., v4", "largest of the average"]
_HEADER += ["average of the largest +- standard deviation", "final IQM (95 %)", "spikes a decision"]
_HEADER += ["spiking over deep: Zhang et al.", "Xu et al.", "ours (95 %)"]


def _row(task: str, actor: str, row: dict[str, Any]) -> list[str]:
    published, independent = PUBLISHED[task], INDEPENDENT[task]
    low, high = row["final_interval_95"]
    cells = [f"{task}, {actor}", f"{row['seeds']}", published.get(actor, ""), _number(independent.get(actor))]
    cells += [f"{row['largest_of_average']:.0f}", f"{row['average_of_largest']:.0f} +- {row['largest_deviation']:.0f}"]
    cells += [f"{row['final']:.0f} ({low:.0f} to {high:.0f})"]
    cells += [f"{row['spikes_per_decision']:.0f}" if row["spikes_per_decision"] else ""]
    if actor == TWIN:
        return [*cells, "", "", ""]
    theirs = [float(published[name].split()[0]) for name in (actor, TWIN) if name in published]
    ours = row.get("ratio")
    cells += [f"{theirs[0] / theirs[1]:.2f}" if len(theirs) == 2 else ""]
    cells += [f"{independent[actor] / independent[TWIN]:.2f}" if actor in independent else ""]
    cells += ["" if ours is None else "{:.2f} ({:.2f} to {:.2f})".format(ours["estimate"], *ours["interval_95"])]
    return cells


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"

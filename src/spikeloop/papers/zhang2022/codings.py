"""Zhang et al. 2022, Figure 5: each input coding with the dynamic neuron and with LIF, side by side.

What counts is the evaluation of the final policies, or, of a run that has not finished, the last evaluation on the way that every
arm has reached. The difference of the two neurons is one of interquartile means over seeds, with an interval of both drawn anew.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from spikeloop.analysis.figures import png
from spikeloop.analysis.statistics import interquartile_interval, interquartile_mean
from spikeloop.analysis.style import BLUE, MUTED, VERMILION, apply_style, new_figure
from spikeloop.analysis.tables import markdown
from spikeloop.errors import InvalidInput
from spikeloop.papers.zhang2022.tasks import ENCODERS, LIF, NULL
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json

NEURONS = {"": ("dynamic neuron", BLUE), LIF: ("LIF", VERMILION)}


def report_codings(run: Run) -> list[Path]:
    """table.json and codings.png of a run of ``zhang2022/codings`` or ``zhang2022/codings-pendulum``; returns the files.

    Without a coding that has both neurons there is nothing to compare, and no file. Raises InvalidInput if there is no
    evaluation that all arms have reached.
    """
    at, scores = _scores(run)
    codings = [name for name in ENCODERS if name in scores and name + LIF in scores]
    if not codings:
        return []
    table: dict[str, Any] = {"env_steps": at, "random_actions": _measured(scores[NULL]) if NULL in scores else None}
    table["codings"] = {
        name: {
            **{label: _measured(scores[name + suffix]) for suffix, (label, _) in NEURONS.items()},
            "difference": difference(scores[name], scores[name + LIF]),
        }
        for name in codings
    }
    seeds = len(scores[codings[0]])
    title = f"Return after {at:,} environment steps, IQM over {seeds} seeds (95 % interval), by input coding and neuron"
    if table["random_actions"] is not None:
        title += "; random actions: " + _cell(table["random_actions"])
    header = ["coding", *(label for label, _ in NEURONS.values()), "dynamic minus LIF"]
    rows = [[name, *(_cell(cell) for cell in row.values())] for name, row in table["codings"].items()]
    table = {"title": f"{title}.", "markdown": markdown(header, rows), **table}
    write_json(run.path / "table.json", table)
    write_atomically(run.path / "codings.png", _figure(table, f"{run.experiment.environment.spec.name}: input codings"))
    return [run.path / "table.json", run.path / "codings.png"]


def difference(one: Float[np.ndarray, " n"], other: Float[np.ndarray, " m"], resamples: int = 10_000) -> dict[str, Any]:
    """Difference of interquartile means with a 95 % bootstrap interval; seeds of both are drawn anew, each for itself."""
    generator = np.random.default_rng(0)
    drawn = [
        interquartile_mean(scores[generator.integers(0, scores.size, (resamples, scores.size))], axis=1)
        for scores in (one, other)
    ]
    low, high = np.percentile(drawn[0] - drawn[1], [2.5, 97.5])
    estimate = float(interquartile_mean(one) - interquartile_mean(other))
    return {"iqm": estimate, "interval_95": [float(low), float(high)]}


def _scores(run: Run) -> tuple[int, dict[str, np.ndarray]]:
    """The step count, and the mean return of each seed, by arm."""
    if run.finished:
        finals = {arm: run.final(arm) or {} for arm in run.experiment.arms}
        return run.experiment.protocol.env_steps, {arm: _means(final) for arm, final in finals.items()}
    lines = {arm: run.lines(arm, "evaluations.jsonl") for arm in run.experiment.arms}
    begun = {arm: found for arm, found in lines.items() if found}
    if not any(name in begun and name + LIF in begun for name in ENCODERS):
        raise InvalidInput(f"{run.path} has no evaluations of a coding with both neurons yet")
    last = min(len(found) for found in begun.values()) - 1
    at = round(float(np.mean([np.mean(found[last]["env_steps"]) for found in begun.values()])))
    return at, {arm: _means(found[last]) for arm, found in begun.items()}


def _means(evaluation):
    return np.asarray(evaluation["returns"], float).mean(axis=1)


def _measured(scores):
    found = interquartile_interval(scores)
    return {"iqm": found.estimate, "interval_95": [found.low, found.high], "scores": scores.tolist()}


def _cell(measured):
    return "{:.0f} ({:.0f} to {:.0f})".format(measured["iqm"], *measured["interval_95"])


def _figure(table, title):
    codings = table["codings"]
    with apply_style():
        figure = new_figure(7.2, 3.6)
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        for shift, (label, colour) in zip((-0.1, 0.1), NEURONS.values(), strict=True):
            for place, row in enumerate(codings.values()):
                measured, x = row[label], place + shift
                axes.plot([x, x], measured["interval_95"], color=colour, lw=3, alpha=0.45)
                axes.plot(x, measured["iqm"], "o", color=colour, ms=6, label=label if place == 0 else None)
                seeds = np.linspace(-0.03, 0.03, len(measured["scores"])) + x + shift
                axes.plot(seeds, sorted(measured["scores"]), ".", color=colour, ms=3, alpha=0.5)
        if table["random_actions"] is not None:
            axes.axhline(table["random_actions"]["iqm"], color=MUTED, lw=1, ls="--", label="random actions")
        axes.set_xticks(range(len(codings)), [name.replace("-", "\n") for name in codings])
        axes.set_ylabel("return, IQM over seeds (95 % interval)")
        axes.set_title(f"{title}, {table['env_steps']:,} steps")
        figure.legend(loc="outside right upper")
        return png(figure)

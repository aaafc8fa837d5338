"""Runs side by side: one table, one figure, the same axis of environment steps."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np

from spikeloop.analysis.statistics import Curve, Interval, interquartile_interval
from spikeloop.errors import InvalidInput
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json


class ArmResult(eqx.Module):
    """What the final policies of one learner reached."""

    name: str
    scores: tuple[float, ...]  # one per seed: mean return of the final evaluation's episodes
    interval: Interval  # interquartile mean over seeds, 95 % stratified bootstrap
    median: float
    env_steps: float  # mean over seeds
    wall_seconds: float  # all seeds together
    spikes_per_decision: float  # all neurons, mean over seeds; 0 for a network without spikes
    firing_rates: tuple[float, ...]  # of each population, spikes per neuron and tick

    @classmethod
    def of(cls, name: str, final: dict[str, Any]) -> "ArmResult":
        """The result in an arm's final evaluation."""
        scores = np.asarray(final["returns"], float).mean(axis=1)
        return cls(
            name=name,
            scores=tuple(scores.tolist()),
            interval=interquartile_interval(scores),
            median=float(np.median(scores)),
            env_steps=float(np.mean(final["env_steps"])),
            wall_seconds=float(final["wall_seconds"]),
            spikes_per_decision=float(np.mean(final["spikes_per_decision"])),
            firing_rates=tuple(float(np.mean(rates)) for rates in final["firing_rates"]),
        )

    def as_json(self) -> dict[str, Any]:
        """The result as lists and numbers."""
        return {
            "iqm": self.interval.estimate,
            "interval_95": [self.interval.low, self.interval.high],
            "median": self.median,
            "scores": list(self.scores),
            "env_steps": self.env_steps,
            "wall_seconds": self.wall_seconds,
            "spikes_per_decision": self.spikes_per_decision,
            "firing_rates": list(self.firing_rates),
        }


def results(run: Run) -> list[ArmResult]:
    """The results of every finished arm of a run, the learner's first."""
    finals = {arm: run.final(arm) for arm in run.experiment.arms}
    return [ArmResult.of(arm, final) for arm, final in finals.items() if final is not None]


def curves(run: Run, prefix: str = "") -> list[Curve]:
    """The learning curves of every arm of a run that has been evaluated on the way."""
    found = []
    for arm in run.experiment.arms:
        lines = run.lines(arm, "evaluations.jsonl")
        if lines:
            env_steps = np.asarray([np.mean(line["env_steps"]) for line in lines])
            scores = np.asarray([np.mean(line["returns"], axis=1) for line in lines])
            found.append(Curve(prefix + arm, env_steps, scores))
    return found


def summarise(run: Run) -> list[ArmResult]:
    """Write summary.json and learning_curve.png into a run directory; returns what they say."""
    from spikeloop.analysis.figures import MOST_CURVES, learning_curves

    found = results(run)
    reference = run.experiment.reference
    along = {curve.name: curve for curve in curves(run)}
    arms = {result.name: result.as_json() for result in found}
    for name in arms.keys() & along.keys():
        env_steps, scores = along[name].env_steps, along[name].scores
        arms[name]["curve"] = {"env_steps": env_steps.round().tolist(), "scores": scores.round(2).tolist()}
    write_json(
        run.path / "summary.json",
        {"name": run.name, "score": "mean return of each seed's final evaluation episodes", "arms": arms},
    )
    line = None
    if reference is not None and reference.score is not None:
        line = (reference.source, reference.score)
    drawn = [curve for curve in along.values() if len(curve.env_steps) > 1]  # one point is no curve
    title = f"{run.name}: {run.experiment.environment.spec.name}, {run.experiment.seeds} seeds"
    if 0 < len(drawn) <= MOST_CURVES:
        write_atomically(run.path / "learning_curve.png", learning_curves(drawn, title, line))
    return found


def compare(runs: Sequence[Run]) -> list[tuple[Run, list[ArmResult]]]:
    """Collect the results of several runs. Raises InvalidInput if one has none, or the environments differ."""
    names = {run.experiment.environment.spec.name for run in runs}
    if len(names) > 1:
        raise InvalidInput(f"these runs are in different environments and share no axis: {', '.join(sorted(names))}")
    found = [(run, results(run)) for run in runs]
    for run, arms in found:
        if not arms:
            raise InvalidInput(f"{run.path} has no finished results yet; `spikeloop resume {run.path}` goes on")
    return found

"""What the evolution of policies cost: how many episodes each strategy needed to reach a goal."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from spikeloop.analysis.tables import cell, markdown, ordered_quartiles
from spikeloop.comparison import results
from spikeloop.run import Run
from spikeloop.storage import write_json

# Mean return at which a task counts as solved: Gymnasium's thresholds; it has none for Pendulum, where -300 is a pole that
# is swung up in most episodes.
GOALS = {"CartPole-v1": 475.0, "MountainCar-v0": -110.0, "Acrobot-v1": -100.0, "Pendulum-v1": -300.0}


def report_evolution(run: Run) -> list[Path]:
    """table.json: score, episodes until an evaluation on the way met the goal, wall time and spikes of every learner."""
    goal = GOALS.get(run.experiment.environment.spec.name)
    if goal is None:
        return []
    rows, numbers = [], {}
    for result in results(run):
        evaluations, records = run.lines(result.name, "evaluations.jsonl"), run.lines(result.name, "metrics.jsonl")
        needed = episodes_until(goal, evaluations, records, run.experiment.seed_range)
        quartiles = ordered_quartiles(needed)
        interval = result.interval
        numbers[result.name] = {
            **result.as_json(),
            "episodes_until_goal": quartiles,
            "seeds": int(np.isfinite(needed).sum()),
        }
        rows.append(
            [
                result.name,
                f"{interval.estimate:.1f} ({interval.low:.1f} to {interval.high:.1f})",
                cell(quartiles),
                f"{np.isfinite(needed).sum()} of {len(needed)}",
                f"{result.wall_seconds:.1f}",
                f"{result.spikes_per_decision:.1f}" if result.firing_rates else "-",
            ]
        )
    occasions = run.experiment.protocol.evaluations
    title = (
        f"Final return as interquartile mean (95 % interval); episodes that training had played when one of {occasions} "
        f"evaluations on the way was at least {goal:g}, as median (quartiles) over seeds; wall seconds of all seeds."
    )
    header = ["learner", "return", f"episodes until {goal:g}", "seeds", "wall s", "spikes/decision"]
    write_json(run.path / "table.json", {"title": title, "markdown": markdown(header, rows), "arms": numbers})
    return [run.path / "table.json"]


def episodes_until(
    goal: float, evaluations: list[dict[str, Any]], records: list[dict[str, Any]], seeds: range
) -> Float[np.ndarray, " seeds"]:
    """Of each seed, the episodes of training before the first evaluation that met the goal; infinity where none did."""
    needed = []
    for place, seed in enumerate(seeds):
        met = (line["env_steps"][place] for line in evaluations if np.mean(line["returns"][place]) >= goal)
        first = next(met, None)
        played = [line["episodes"] for line in records if line["seed"] == seed and first and line["env_steps"] <= first]
        needed.append(np.inf if first is None else max(played, default=0))
    return np.asarray(needed, float)

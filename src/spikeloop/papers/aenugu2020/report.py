"""What was learned, in the units of each task: discounted return, frames, steps to the goal; over seeds."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from spikeloop.analysis.tables import markdown
from spikeloop.environments import AbstractEnvironment, Gridworld, Gymnax
from spikeloop.run import Run
from spikeloop.storage import write_json

LAST = 100  # training episodes at the end whose mean is reported
DISCOUNT = 0.9  # of the gridworld
LEARNED = {
    "Gridworld": 0.9,
    "CartPole-v1": 150.0,
    "FourRooms-misc": 0.9,
}  # what counts as learned: targets set here, not theirs


def report(run: Run) -> list[Path]:
    """table.json with the last training episodes and the final policies of every arm; returns the files."""
    world = run.experiment.environment
    table = {}
    for arm in run.experiment.arms:
        final = run.final(arm)
        if final is None:
            continue
        fresh = scores(world, np.asarray(final["returns"]), np.asarray(final["lengths"]))
        table[arm] = {
            "last_100_training_episodes": [round(float(x), 4) for x in _last_training(run, arm)],
            "final_policy": [round(float(x), 4) for x in fresh.mean(axis=1)],
            "learned": int(learned(world, fresh).sum()),
        }
    if not table:
        return []
    rows = [
        [
            arm,
            _spread(found["last_100_training_episodes"]),
            _spread(found["final_policy"]),
            f"{found['learned']} of {n}",
        ]
        for arm, found in table.items()
        if (n := len(found["final_policy"]))
    ]
    header = ["learner", f"last {LAST} training episodes", "final policy, fresh episodes", "seeds that learned it"]
    what = f"Discounted return (gamma = {DISCOUNT})" if isinstance(world, Gridworld) else "Return"
    title = f"{what}: mean of a seed's episodes, median (least to largest) over {run.experiment.seeds} seeds. {_rule(world)}"
    write_json(run.path / "table.json", {"title": title, "markdown": markdown(header, rows), "arms": table})
    return [run.path / "table.json"]


def scores(
    world: AbstractEnvironment, returns: Float[np.ndarray, "..."], lengths: Shaped[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """The score of episodes: their return; in the gridworld, discounted from the first step (its one reward is the last)."""
    return returns * DISCOUNT ** (lengths - 1.0) if isinstance(world, Gridworld) else returns


def learned(world: AbstractEnvironment, fresh: Float[np.ndarray, "seeds episodes"]) -> np.ndarray:
    """Which seeds learned the task: a mean score above the bound, or the goal in every episode of mountain car."""
    name = world.spec.name
    if name in LEARNED:
        return fresh.mean(axis=1) >= LEARNED[name]
    return np.asarray((fresh > -world.spec.max_steps).all(axis=1))


def _rule(world: AbstractEnvironment) -> str:
    if isinstance(world, Gymnax) and world.name not in LEARNED:
        return "Learned: the goal in every fresh episode."
    return f"Learned: at least {LEARNED.get(world.spec.name, 0.0):g} in fresh episodes."


def _last_training(run: Run, arm: str) -> list[float]:
    """Mean score of the last episodes that ended in training, of every seed."""
    returns: dict[int, list[float]] = {seed: [] for seed in run.experiment.seed_range}
    lengths: dict[int, list[int]] = {seed: [] for seed in run.experiment.seed_range}
    for line in run.lines(arm, "metrics.jsonl"):
        returns[line["seed"]] += line["returns"]
        lengths[line["seed"]] += line["lengths"]
    world = run.experiment.environment
    return [
        float(scores(world, np.asarray(returns[seed][-LAST:]), np.asarray(lengths[seed][-LAST:])).mean())
        if returns[seed]
        else float("nan")
        for seed in returns
    ]


def _spread(values: list[float]) -> str:
    digits = 3 if max(map(abs, values)) < 10 else 1
    middle, low, high = np.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

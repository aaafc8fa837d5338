"""Chevtchenko & Ludermir 2021 (Neural Networks 144:496-506): steps to the target of a maze of pictures, episode by episode.

The latency of an episode is the number of steps until the target, 100 where it is not reached; the public code counts the
network's extra run after the last step too, so its numbers are one higher. Beside the learner stand random actions, the same
network with weights drawn at random, and deep Q-learning, one of the methods that the paper compares with.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from spikeloop.analysis.tables import cell, markdown, quartiles
from spikeloop.environments import ImageMaze
from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import Constant, EpsilonGreedy, ExponentialDecay
from spikeloop.learners import DQN, AbstractLearner, Adam, PlaceAndAction, RandomActions, RandomSearch
from spikeloop.policies import DeepPolicy, DrawnWeights, PlaceAndActionPolicy
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json
from spikeloop.training import Protocol

EPISODES = 800
LAST = 100  # episodes at the end whose mean latency is reported
GOAL = 12.0  # steps: a mean latency up to here counts as solved; the shortest ways take 7.5 on average
SMOOTHED = 20  # episodes of the figure's moving mean
NETWORK = PlaceAndActionPolicy(axes=(3, 3))
LEARNER = PlaceAndAction(NETWORK)


def maze() -> Experiment:
    """Chevtchenko 2021: a maze of pictures learned by reward-modulated place and action cells, 800 episodes; 20 seeds"""
    controls: dict[str, AbstractLearner] = {
        "deep-q-network": deep_q_network(),
        "random-weights": RandomSearch(NETWORK.with_fields(start=DrawnWeights()), candidates=8, episodes=4),
        "random-actions": RandomActions(steps_per_iteration=100),
    }
    return _experiment(controls)


def ablations() -> Experiment:
    """The same without the decay of weights, without the growth of tau (short or long from the start), and with other noise"""
    place, action = LEARNER.place, LEARNER.action
    controls: dict[str, AbstractLearner] = {
        "no-decay": LEARNER.with_fields(place=place.with_fields(decay=0.0), action=action.with_fields(decay=0.0)),
        "short-trace": _of_tau(1.0, 1.0),
        "long-trace": _of_tau(40.0, 10.0),
        "no-place-noise": LEARNER.with_fields(policy=NETWORK.with_fields(place_noise=0.0)),
        "constant-noise": LEARNER.with_fields(action_noise=Constant(0.1)),
    }
    return _experiment(controls)


def deep_q_network() -> DQN:
    """Deep Q-learning from the same codes, an ANN of 64 units."""
    return DQN(
        policy=DeepPolicy((64,)),
        optimizer=Adam(Constant(1e-3)),
        exploration=EpsilonGreedy(ExponentialDecay(1.0, 0.05, 3000.0)),
        discount=0.95,
    )


def _of_tau(place: float, action: float) -> PlaceAndAction:
    """The learner with time constants that do not grow."""
    return LEARNER.with_fields(
        place=LEARNER.place.with_fields(tau=Constant(place)), action=LEARNER.action.with_fields(tau=Constant(action))
    )


def _experiment(controls: dict[str, AbstractLearner]) -> Experiment:
    return Experiment(
        environment=ImageMaze(),
        learner=LEARNER,
        label="place-and-action",
        controls=controls,
        protocol=Protocol(env_steps=100 * EPISODES, episodes=EPISODES, records=None, evaluations=1),
        seeds=20,
        reference=Reference(
            "Chevtchenko & Ludermir 2021, public code, sample run",
            "latency of about 7 to 12 from episode 400 to 500 on, the extra run of the network counted",
        ),
    )


def latencies(run: Run, arm: str) -> Float[np.ndarray, "seeds episodes"]:
    """Steps of every training episode of every seed, as many episodes as every seed has."""
    lines = run.lines(arm, "metrics.jsonl")
    of_seed = [
        [length for line in lines if line["seed"] == seed for length in line["lengths"]]
        for seed in run.experiment.seed_range
    ]
    count = min(run.experiment.protocol.episodes or EPISODES, *map(len, of_seed))
    return np.asarray([found[:count] for found in of_seed], float)


def report_maze(run: Run) -> list[Path]:
    """Latency over episodes as a figure, and table.json; returns the files."""
    world = run.experiment.environment
    if not isinstance(world, ImageMaze):
        return []
    found = {arm: latencies(run, arm) for arm in run.experiment.arms}
    found = {arm: steps for arm, steps in found.items() if steps.shape[1] >= LAST}
    if not found:
        return []  # too short a run to say anything
    apart = code_distances(world)
    distances = world.distances()
    shortest = float(np.mean([distances[tuple(start)] for start in world.plan().starts]))
    numbers = {arm: _statistics(steps, run.final(arm)) for arm, steps in found.items()}
    rows = [
        [
            arm,
            cell(row["first"]),
            cell(row["last"]),
            f"{row['solved'][0]} of {row['solved'][1]}",
            cell(row["evaluation"]),
            f"{row['reached_percent']:g}",
        ]
        for arm, row in numbers.items()
    ]
    title = (
        f"Steps to the target, median (quartiles) over {run.experiment.seeds} seeds; 100 where it was not reached. "
        f"The shortest ways take {shortest:g} on average. Solved: at most {GOAL:g} in the last {LAST} episodes of training. "
        f"Codes of two cells differ in {apart.mean():.1f} of {world.code.bits} bits on average, in {apart.min()} at least."
    )
    header = ["", f"first {LAST} episodes", f"last {LAST}", "seeds that solve it", "final policy", "reached, %"]
    write_json(
        run.path / "table.json",
        {
            "title": title,
            "markdown": markdown(header, rows),
            "shortest": shortest,
            "bits_apart": {"mean": round(float(apart.mean()), 2), "fewest": int(apart.min())},
            "arms": numbers,
        },
    )
    write_atomically(run.path / "latency.png", draw_latencies(found, shortest))
    return [run.path / "table.json", run.path / "latency.png"]


def code_distances(world: ImageMaze) -> Int[np.ndarray, " pairs"]:
    """In how many bits the codes of two cells differ, for every pair of cells, walls left out."""
    codes = world.codes()[~world.plan().walls]
    first, second = np.triu_indices(len(codes), 1)
    return (codes[first] != codes[second]).sum(axis=1)


def _statistics(steps: Float[np.ndarray, "seeds episodes"], final: dict[str, Any] | None) -> dict[str, Any]:
    last = steps[:, -LAST:].mean(axis=1)
    assert final is not None  # a report is made of a finished run
    returns = np.asarray(final["returns"])
    return {
        "first": quartiles(steps[:, :LAST].mean(axis=1)),
        "last": quartiles(last),
        "last_of_seeds": last.round(2).tolist(),
        "solved": [int((last <= GOAL).sum()), len(last)],
        "evaluation": quartiles(np.asarray(final["lengths"], float).mean(axis=1)),
        "reached_percent": round(100.0 * float((returns > 0).mean()), 1),
    }


def draw_latencies(found: dict[str, Float[np.ndarray, "seeds episodes"]], shortest: float) -> bytes:
    """Median and quartiles over seeds of a moving mean of the steps."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import MUTED, apply_style, colour_of, new_figure

    with apply_style():
        figure = new_figure(7.0, 3.8)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for place, (arm, steps) in enumerate(found.items()):
            means = np.lib.stride_tricks.sliding_window_view(steps, SMOOTHED, axis=1).mean(axis=-1)
            low, middle, high = np.percentile(means, [25, 50, 75], axis=0)
            episodes = np.arange(means.shape[1]) + SMOOTHED
            axes.fill_between(episodes, low, high, color=colour_of(place), alpha=0.18, lw=0)
            axes.plot(episodes, middle, color=colour_of(place), label=arm.replace("-", " "))
        axes.axhline(shortest, color=MUTED, ls="--", lw=1, label="shortest ways")
        axes.set_xlabel("episode")
        axes.set_ylabel(f"steps, mean of {SMOOTHED} episodes")
        axes.set_ylim(0, None)
        figure.legend(loc="outside right upper")
        return png(figure)

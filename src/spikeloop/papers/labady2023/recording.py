"""Labady 2023, Figure 16: one episode of an evolved network from position -0.5 at rest, with the rates of its output neurons.

The rate of a window is its spikes in 20 ms. Phases are the stretches between the turning points of the car.
"""

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spikeloop.analysis.recording import record_episode
from spikeloop.analysis.tables import markdown
from spikeloop.component import require_finite
from spikeloop.environments import AbstractEnvironment, Gymnax
from spikeloop.experiment import Experiment, Reference
from spikeloop.loading import load_policies, median_seed
from spikeloop.papers.labady2023.setting import ACTIONS, GOAL, GYM_STEPS, experiment, spiking_policy, window
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json

LEAST = 0.02  # a move of less than this is part of the phase that it interrupts
LAST = 10  # steps at the end, near the goal
PUBLISHED = {
    "phases": "right to -0.35, left to -1, right to the goal",
    "steps": "within 110",
    "left_extreme": "-1",
    "last_rates": "none: a significant spike",
}


def recording() -> Experiment:
    """Labady 2023 Figure 16: an episode of an evolved network, with the rates of its output neurons; 5 seeds"""
    claim = "right to -0.35, left to -1.0, right to the goal at 0.5, where the neuron for no push fires; one network"
    return experiment(GYM_STEPS, 60, 5, Reference("Labady 2023, Figure 16", claim))


class FixedStart(AbstractEnvironment):
    """Mountain Car whose episodes all begin at one position with one velocity."""

    world: Gymnax = Gymnax("MountainCar-v0")
    position: float = -0.5  # of the car, from -1.2 to 0.6
    velocity: float = 0.0  # a step, from -0.07 to 0.07

    def __check_init__(self):
        require_finite(self, "position", "velocity")

    @property
    def spec(self):
        return self.world.spec

    def reset(self, key):
        state, _ = self.world.reset(key)
        start = jnp.asarray([self.position, self.velocity], jnp.float32)
        return eqx.tree_at(lambda at: (at.inner.position, at.inner.velocity), state, (start[0], start[1])), start

    def step(self, state, action, key):
        return self.world.step(state, action, key)


class Phase(NamedTuple):
    """A stretch of an episode in which the car moves one way."""

    direction: str
    first: int  # moment at which it begins
    last: int  # moment at which it ends
    position: float  # where it ends


def phases(position: Float[np.ndarray, " moments"]) -> list[Phase]:
    """The stretches between turning points; moves of less than 0.02 make none of their own."""
    turns, extreme, direction = [0], 0, 0.0
    for moment, here in enumerate(position):
        moved = here - position[extreme]
        onwards = moved * direction > 0
        if onwards or abs(moved) >= LEAST:
            if direction and not onwards:
                turns.append(extreme)
            extreme, direction = moment, np.sign(moved)
    if direction:
        turns.append(extreme)
    return [
        Phase("right" if position[b] > position[a] else "left", a, b, float(position[b]))
        for a, b in itertools.pairwise(turns)
    ]


def of_episode(
    position: Float[np.ndarray, " moments"], actions: np.ndarray, rates: Float[np.ndarray, "decisions 3"]
) -> dict[str, Any]:
    """What an episode was like, as lists and numbers; rates in Hz."""
    return {
        "phases": [phase._asdict() for phase in phases(position)],
        "reached": bool(position[-1] >= GOAL),
        "steps": len(actions),
        "left_extreme": float(position.min()),
        "actions": [int((actions == action).sum()) for action in range(len(ACTIONS))],
        "rates": rates.mean(axis=0).tolist(),
        "last_rates": rates[-LAST:].mean(axis=0).tolist(),
    }


def _three(values: list[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def report_recording(run: Run) -> list[Path]:
    """An episode of the seed of median return as a figure and an animation, and table.json; returns the files."""
    from spikeloop.analysis.animation import animate
    from spikeloop.papers.labady2023.figures import draw_recording

    policy, world, label = spiking_policy(run), run.experiment.environment, run.experiment.label
    if policy is None or not isinstance(world, Gymnax):
        return []
    policies = load_policies(run, label)
    place = median_seed(run.final(label) or {})
    seed = policies.seeds[place]
    episode = record_episode(FixedStart(world), policies.of_seed(place), jax.random.key(0))
    position = np.asarray(episode.observations[:, 0], float)
    rates = episode.spikes[-1].sum(axis=1) * 1000.0 / window(policy)
    found = of_episode(position, np.asarray(episode.actions), rates)
    shown = {
        "phases": (
            "phases",
            ", ".join(f"{phase['direction']} to {phase['position']:.2f}" for phase in found["phases"]),
        ),
        "steps": ("steps to the goal", f"{found['steps']}" if found["reached"] else f"not reached in {found['steps']}"),
        "left_extreme": ("left extreme", f"{found['left_extreme']:.2f}"),
        "actions": (f"actions {', '.join(ACTIONS)}", _three(found["actions"])),
        "rates": ("their neurons' mean rate, Hz", _three(found["rates"])),
        "last_rates": (f"the same in the last {LAST} steps, Hz", _three(found["last_rates"])),
    }
    rows = [[name, PUBLISHED.get(row, "-"), ours] for row, (name, ours) in shown.items()]
    title = f"An episode from position {position[0]:g} at rest, at most {world.spec.max_steps} steps; the seed of median return."
    written = {"title": title, "markdown": markdown(["", "published", f"seed {seed}"], rows), "seed": seed, **found}
    write_json(run.path / "table.json", written)
    write_atomically(run.path / "recording.png", draw_recording(episode.observations, rates, phases(position)))
    animate(world, episode, run.path / "recording.gif", title=f"Mountain Car, evolved network of seed {seed}")
    return [run.path / name for name in ("table.json", "recording.png", "recording.gif")]

"""Zheng et al. 2026 (Biomimetics 11(1):47), Strategy B: a deep spiking Q-network on CartPole, 200 episodes.

The paper gives hidden widths (4 to 64), ticks (T = 16) and the simulator; every other setting is that of the
simulator's own CartPole example, whose class, T and simulator it shares. It reports one curve per width and no number
of seeds: poor for small widths, above 100 frames with 64 neurons, nearly 800 at best. The best exceeds CartPole-v0's
limit of 200 steps, so the limit was off; we cap episodes at 10,000 steps, far beyond anything a trained policy
reached in the paper.

Which neuron the hidden layer had is not said. Three readings are run: integrate-and-fire (the example's, our
default), LIF with raw input, and LIF with the simulator's default of decayed input.
"""

from pathlib import Path

import numpy as np

from spikeloop.analysis.tables import quartiles
from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import EpsilonGreedy, ExponentialDecay, Replay
from spikeloop.learners import DQN, AbstractLearner, Adam, ClipByValue, EpisodicTarget, RandomActions, RandomSearch
from spikeloop.networks import FeedForward
from spikeloop.neurons import (
    AbstractNeuron,
    DecayedInputLeakyIntegrateAndFire,
    IntegrateAndFire,
    LeakyIntegrateAndFire,
)
from spikeloop.objectives import Huber, MaxBootstrap
from spikeloop.papers.zheng2026.frames import Frames, draw_panels
from spikeloop.papers.zheng2026.setting import experiment
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.run import Run
from spikeloop.storage import write_json
from spikeloop.training import Protocol

EPISODES = 200
WIDTHS = (4, 8, 16, 32, 64)
TICKS = (4, 8, 16, 32)
NEURONS: dict[str, AbstractNeuron] = {
    "if": IntegrateAndFire(),
    "lif-raw": LeakyIntegrateAndFire(),
    "lif-decayed": DecayedInputLeakyIntegrateAndFire(),
}
NAMES = {
    "if": "IF",
    "lif-raw": "LIF, raw input",
    "lif-decayed": "LIF, decayed input",
    "ann": "ANN twin (ReLU)",
    "random-weights": "random weights",
}


def policy(neuron: AbstractNeuron, width: int, ticks: int) -> SpikingPolicy:
    """Linear, spiking neurons, linear, leaky readout: Q is its potential after the last tick."""
    return SpikingPolicy(network=FeedForward((width,), neuron), ticks=ticks)


def dqn(policy) -> DQN:
    """Q-learning with the settings of the simulator's example."""
    return DQN(
        policy=policy,
        optimizer=Adam(clipping=ClipByValue(1.0)),
        exploration=EpsilonGreedy(ExponentialDecay(start=0.9, end=0.05, scale=200.0)),
        replay=Replay(10_000),
        target=EpisodicTarget(10),
        bootstrap=MaxBootstrap(),
        loss=Huber(1.0),
        discount=0.999,
        batch_size=128,
        learning_starts=128,
    )


def figure_9() -> Experiment:
    """Zheng 2026 Figure 9: DQSN on CartPole by hidden width and neuron, 200 episodes, 20 seeds"""
    arms: dict[str, AbstractLearner] = {
        f"{name}-{width}": dqn(policy(neuron, width, 16)) for name, neuron in NEURONS.items() for width in WIDTHS
    }
    arms |= {f"ann-{width}": dqn(DeepPolicy((width,))) for width in WIDTHS}
    arms |= {f"random-weights-{width}": _null(policy(IntegrateAndFire(), width, 16)) for width in WIDTHS}
    return _experiment("if-64", arms)


def ticks() -> Experiment:
    """Zheng 2026: DQSN with 64 IF neurons by ticks per decision (T = 4 to 32), 200 episodes, 20 seeds"""
    arms: dict[str, AbstractLearner] = {f"ticks-{t}": dqn(policy(IntegrateAndFire(), 64, t)) for t in TICKS}
    arms |= {f"random-weights-{t}": _null(policy(IntegrateAndFire(), 64, t)) for t in TICKS}
    return _experiment("ticks-16", arms)


def _null(policy: SpikingPolicy) -> RandomSearch:
    return RandomSearch(policy=policy, candidates=8)


def _experiment(label: str, arms: dict[str, AbstractLearner]) -> Experiment:
    reference = Reference(
        source="Zheng et al. 2026, Figure 9",
        claim="64 hidden neurons: more than 100 frames, nearly 800 at best; poor with 4 to 16; one run, 200 episodes",
    )
    protocol = Protocol(env_steps=2_000_000, episodes=EPISODES, records=2_000)
    return experiment({**arms, "random-actions": RandomActions()}, label, protocol, reference)


def statistics(frames: Frames) -> dict[str, list[float]]:
    """Quartiles over seeds of: best episode, mean of all, mean of the last 50; and how many of how many seeds saw 800 frames."""
    found = {name: quartiles(values) for name, values in frames.statistics().items()}
    return {**found, "seeds_with_800_frames": [int((frames.returns.max(axis=1) >= 800).sum()), len(frames.returns)]}


def draw_figure_9(run: Run) -> list[Path]:
    """Figure 9's analogue (median and quartiles over seeds, moving mean of 20 episodes) and table.json; returns the files."""
    families = {title: {w: f"{name}-{w}" for w in WIDTHS} for name, title in NAMES.items()}
    return _report(run, "figure_9.png", families, "hidden neurons")


def draw_ticks(run: Run) -> list[Path]:
    """The sweep over ticks per decision as a figure, and table.json; returns the files."""
    families = {
        "IF, 64 hidden neurons": {t: f"ticks-{t}" for t in TICKS},
        NAMES["random-weights"]: {t: f"random-weights-{t}" for t in TICKS},
    }
    return _report(run, "ticks.png", families, "ticks per decision")


def _report(run: Run, name: str, families: dict[str, dict[int, str]], legend: str) -> list[Path]:
    episodes = run.experiment.protocol.episodes or EPISODES
    found = {arm: Frames(run, arm, episodes) for arm in run.experiment.arms}
    panels = {
        title: {str(value): found[arm] for value, arm in arms.items() if arm in found}
        for title, arms in families.items()
    }
    panels = {title: arms for title, arms in panels.items() if arms}
    table = {arm: statistics(frames) for arm, frames in found.items()}
    if not panels:  # the arms have other names than the paper's
        return []
    write_json(run.path / "table.json", {"columns": "25 %, median, 75 % over seeds", "arms": table})
    references = {}
    if "random-actions" in found:
        references["random actions, mean"] = float(np.median(found["random-actions"].returns.mean(axis=1)))
    return [draw_panels(run.path / name, panels, legend, references), run.path / "table.json"]

"""Zheng et al. 2026 (Biomimetics 11(1):47), Strategy A: every synapse an agent, on CartPole, 200 iterations.

The paper gives the five states, the step alpha = 0.01, T = 16, the widths and 200 iterations. It does not give epsilon,
gamma, the form and settings of Q, what an iteration is, the loss, or the number of seeds. Our reading, in short (the
README beside this file has the reasons): one iteration is one act of every synapse and one episode; the reward is 1 if
the episode was longer than the last, else -1; the change is additive; Q is one small network with a replay of 10,000;
epsilon 0.1, gamma 0.9; a place is (neuron, layer); the hidden neurons are integrate-and-fire. `readings` runs the others.

Beside every width stand three nulls: fresh random weights in every episode, hill climbing on the weights, and random
actions. They play at least as many episodes; tables cut them at the same number of episodes, and at the same number of
environment steps.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from spikeloop.analysis.tables import cell, markdown, quartiles
from spikeloop.encoders import Direct
from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import Constant
from spikeloop.learners import AbstractLearner, HillClimbing, RandomActions, RandomSearch, SynapseAgents
from spikeloop.learners.synapses import (
    Additive,
    DeltaReward,
    InTurn,
    LevelReward,
    MonteCarlo,
    Multiplicative,
    Place,
    PredictionErrorReward,
    PrePost,
    PrePostLayer,
    PreviousActions,
    PreviousRewards,
    QNetwork,
    SynapseState,
    SynapticRule,
    Table,
    Weight,
    packaged_table,
)
from spikeloop.neurons import DecayedInputLeakyIntegrateAndFire, IntegrateAndFire, LeakyIntegrateAndFire
from spikeloop.papers.zheng2026.frames import Dots, Frames, draw_dots, draw_panels
from spikeloop.papers.zheng2026.setting import experiment
from spikeloop.papers.zheng2026.strategy_b import policy
from spikeloop.policies import SpikingPolicy
from spikeloop.run import Run
from spikeloop.storage import write_json
from spikeloop.training import Protocol

ITERATIONS = 200
ALPHAS = (0.1, 0.01, 0.001, 0.0001)
TICKS = (4, 8, 16, 32)
WIDTHS = (4, 8, 16, 32)
MODELS: dict[int, SynapseState] = {
    1: SynapseState((PreviousActions(), PreviousRewards())),
    2: SynapseState((PreviousActions(), PreviousRewards(), Weight())),
    3: SynapseState((PreviousActions(), PreviousRewards(), Place())),
    4: SynapseState((PreviousActions(), PreviousRewards(), Weight(), Place())),
    5: SynapseState((Weight(), Place())),
}
TABLE_2 = {4: (22, 34, 35, 26, 57), 8: (60, 30, 30, 44, 62), 16: (32, 42, 32, 42, 32), 32: (38, 48, 59, 32, 41)}
NULLS = ("random-weights", "hill-climbing")
COLUMNS = {
    "best_episode": "ours, best",
    "mean_last_50": "ours, last 50",
    "random-weights_best": "random weights, best",
    "random-weights_best_equal_steps": "the same, equal steps",
    "hill-climbing_best": "hill climbing, best",
    "hill-climbing_best_equal_steps": "the same, equal steps",
    "hill-climbing_mean_last_50": "hill climbing, last 50",
    "random-actions_best": "random actions, best",
}
SERIES = {
    "mean_last_50": "synapse agents, mean of the last 50",
    "best_episode": "synapse agents, best episode",
    "random-weights_best_equal_steps": "fresh random weights, best at equal steps",
    "hill-climbing_best_equal_steps": "hill climbing, best at equal steps",
}
Label = tuple[str, str, int | None]  # what an arm is called, its nulls' suffix, and the published number


def rule(model: int) -> SynapticRule:
    """Our reading of the paper's rule, with one of its five states."""
    return SynapticRule(state=MODELS[model], value=QNetwork(), exploration=Constant(0.1), discount=0.9)


def agents(model: int, width: int, ticks: int = 16, alpha: float = 0.01) -> SynapseAgents:
    """Strategy A with one of the five states and so many hidden neurons."""
    return SynapseAgents(spiking(width, ticks), rule(model).with_fields(change=Additive(alpha)))


def spiking(width: int, ticks: int = 16) -> SpikingPolicy:
    """The controller: input, integrate-and-fire neurons, two leaky readouts."""
    return policy(IntegrateAndFire(), width, ticks)


def table_2() -> Experiment:
    """Zheng 2026 Table 2 and Figures 4 to 8: synapse agents, five states by hidden width, 20 seeds"""
    return _experiment({_name(m, w): agents(m, w) for w in WIDTHS for m in MODELS}, WIDTHS)


def figure_of_model(model: int) -> Experiment:
    """One of Figures 4 to 8: synapse agents with one state by hidden width"""
    return _experiment({_name(model, w): agents(model, w) for w in WIDTHS}, WIDTHS)


def figure_4() -> Experiment:
    """Zheng 2026 Figure 4: synapse agents that see their last actions and rewards (M1), by hidden width"""
    return figure_of_model(1)


def figure_5() -> Experiment:
    """Zheng 2026 Figure 5: synapse agents that also see their weight (M2), by hidden width"""
    return figure_of_model(2)


def figure_6() -> Experiment:
    """Zheng 2026 Figure 6: synapse agents that also see their place (M3), by hidden width"""
    return figure_of_model(3)


def figure_7() -> Experiment:
    """Zheng 2026 Figure 7: synapse agents that see all of it (M4), by hidden width"""
    return figure_of_model(4)


def figure_8() -> Experiment:
    """Zheng 2026 Figure 8: synapse agents that see their weight and place (M5), by hidden width"""
    return figure_of_model(5)


def figure_2() -> Experiment:
    """Zheng 2026 Figure 2: synapse agents (M1, 16 neurons) by the step alpha, 0.1 to 0.0001"""
    return _experiment({_alpha(a): agents(1, 16, alpha=a) for a in ALPHAS}, (16,))


def figure_3() -> Experiment:
    """Zheng 2026 Figure 3: synapse agents (M1, 16 neurons) by ticks per decision, 4 to 32"""
    arms: dict[str, AbstractLearner] = {f"ticks-{t}": agents(1, 16, ticks=t) for t in TICKS}
    nulls: dict[str, AbstractLearner] = {f"random-weights-ticks-{t}": _fresh(spiking(16, t)) for t in TICKS}
    nulls |= {f"hill-climbing-ticks-{t}": HillClimbing(spiking(16, t)) for t in TICKS}
    return _experiment({**arms, **nulls}, ())


def readings() -> Experiment:
    """Zheng 2026, what the paper leaves open: synapse agents (M5, 8 neurons) under other readings, one at a time"""
    base, net = rule(5), spiking(8)

    def reading(**changes) -> SynapseAgents:
        return SynapseAgents(net, base.with_fields(**changes))

    def placed(topology) -> SynapseState:
        return SynapseState((Weight(), Place(topology)))

    def hidden(neuron) -> SynapseAgents:
        return SynapseAgents(policy(neuron, 8, 16), base)

    arms: dict[str, AbstractLearner] = {
        "our-reading": reading(),
        "multiplicative": reading(change=Multiplicative(0.01)),
        "delta-reward": reading(reward=DeltaReward(200.0)),
        "level-reward": reading(reward=LevelReward(200.0)),
        "prediction-error": reading(reward=PredictionErrorReward()),
        "table": reading(value=Table(9)),
        "table-m1": reading(value=Table(), state=MODELS[1]),
        "bhargava-static-table": reading(value=packaged_table("linear"), state=MODELS[1]),
        "monte-carlo": reading(returns=MonteCarlo(20)),
        "pre-post": reading(state=placed(PrePost())),
        "pre-post-layer": reading(state=placed(PrePostLayer())),
        "one-at-a-time": reading(turn=InTurn(1)),
        "ten-episodes": SynapseAgents(net, base, episodes=10),
        "no-exploration": reading(exploration=Constant(0.0)),
        "half-exploration": reading(exploration=Constant(0.5)),
        "more-updates": reading(value=QNetwork(updates=50)),
        "lif-raw": hidden(LeakyIntegrateAndFire()),
        "lif-decayed": hidden(DecayedInputLeakyIntegrateAndFire()),
        "lif-decayed-gain-10": SynapseAgents(
            policy(DecayedInputLeakyIntegrateAndFire(), 8, 16).with_fields(encoder=Direct(10.0)), base
        ),
    }
    return _experiment(arms, (8,))


def _name(model: int, width: int) -> str:
    return f"m{model}-{width}"


def _alpha(alpha: float) -> str:
    return f"alpha-{alpha:g}".replace(".", "-")


def _fresh(net: SpikingPolicy) -> RandomSearch:
    return RandomSearch(net, candidates=8)


def _experiment(arms: dict[str, AbstractLearner], widths: tuple[int, ...]) -> Experiment:
    label = next(iter(arms))
    nulls: dict[str, AbstractLearner] = {f"random-weights-{w}": _fresh(spiking(w)) for w in widths}
    nulls |= {f"hill-climbing-{w}": HillClimbing(spiking(w)) for w in widths}
    # 200 iterations of 100 steps: about 900 episodes of random actions.
    nulls["random-actions"] = RandomActions(100)
    reference = Reference(
        source="Zheng et al. 2026, Table 2", claim="best results in played frames: 22 to 62; one run, 200 iterations"
    )
    protocol = Protocol(env_steps=20_000_000, iterations=ITERATIONS, records=20_000)
    return experiment({**arms, **nulls}, label, protocol, reference)


def report_table_2(run: Run) -> list[Path]:
    """Table 2 with theirs, ours and the nulls, and Figures 4 to 8; returns the files."""
    cells = {
        _name(m, w): (f"M{m}, {w} neurons", w, TABLE_2[w][m - 1])
        for m in MODELS
        for w in WIDTHS
        if _name(m, w) in run.experiment.arms
    }
    if not cells:  # the arms have other names than the paper's
        return []
    files = _report(run, {arm: (label, f"{w}", theirs) for arm, (label, w, theirs) in cells.items()})
    panels: dict[str, dict[str, Frames]] = {}
    for arm, (label, width, _) in cells.items():
        panels.setdefault(label.split(",")[0], {})[f"{width}"] = Frames(run, arm, ITERATIONS)
    models = list(panels)
    name = "figures_4_to_8.png" if len(models) > 1 else f"figure_{int(models[0][1:]) + 3}.png"
    return [*files, draw_panels(run.path / name, panels, "hidden neurons", _levels(run))]


def report_figure_2(run: Run) -> list[Path]:
    """The sweep over alpha as a figure and a table; returns the files."""
    return _report_sweep(run, "figure_2.png", {_alpha(a): (f"alpha {a:g}", "16", None) for a in ALPHAS}, "alpha")


def report_figure_3(run: Run) -> list[Path]:
    """The sweep over ticks as a figure and a table; returns the files."""
    labels = {f"ticks-{t}": (f"{t} ticks", f"ticks-{t}", None) for t in TICKS}
    return _report_sweep(run, "figure_3.png", labels, "ticks per decision")


def report_readings(run: Run) -> list[Path]:
    """The readings side by side as a figure and a table; returns the files."""
    arms = [arm for arm in run.experiment.arms if not arm.startswith((*NULLS, "random-actions"))]
    return _report(run, {arm: (arm.replace("-", " "), "8", None) for arm in arms})


def _report_sweep(run: Run, name: str, labels: Mapping[str, Label], legend: str) -> list[Path]:
    labels = {arm: label for arm, label in labels.items() if arm in run.experiment.arms}
    if not labels:
        return []
    curves = {label: Frames(run, arm, ITERATIONS) for arm, (label, _, _) in labels.items()}
    files = _report(run, labels)
    return [*files, draw_panels(run.path / name, {"M1, 16 neurons": curves}, legend, _levels(run))]


def _report(run: Run, labels: Mapping[str, Label]) -> list[Path]:
    """table.json, and the same as a figure: every arm beside its nulls."""
    statistics: dict[str, dict[str, list[float]]] = {}
    dots = []
    rows = []
    for arm, (label, null, theirs) in labels.items():
        ours = statistics[arm] = _statistics(run, arm, null)
        rows.append(
            [label, "-" if theirs is None else f"{theirs}", *(cell(ours[c]) if c in ours else "-" for c in COLUMNS)]
        )
        dots.append(Dots(label, {name: ours[c] for c, name in SERIES.items() if c in ours}, theirs))
    header = ["", "theirs, best", *COLUMNS.values()]
    title = "Frames, median (quartiles) over seeds; 200 episodes each, nulls also cut at the arm's environment steps."
    written = {"title": title, "markdown": markdown(header, rows), "arms": statistics}
    write_json(run.path / "table.json", written)
    return [run.path / "table.json", draw_dots(run.path / "table.png", dots, _levels(run))]


def _statistics(run: Run, arm: str, null: str) -> dict[str, list[float]]:
    """Quartiles over seeds of an arm's frames and of those of its nulls."""
    frames = Frames(run, arm, ITERATIONS)
    env_steps = float(np.median(frames.lengths.sum(axis=1)))
    found = {name: quartiles(values) for name, values in frames.statistics().items()}
    found["env_steps"] = quartiles(frames.lengths.sum(axis=1))
    for other in (*(f"{name}-{null}" for name in NULLS), "random-actions"):
        if other in run.experiment.arms:
            family = other.removesuffix(f"-{null}")
            found[f"{family}_best"] = quartiles(Frames(run, other, ITERATIONS).returns.max(axis=1))
            found[f"{family}_best_equal_steps"] = quartiles(Frames(run, other).best_within(env_steps))
            found[f"{family}_mean_last_50"] = quartiles(Frames(run, other, ITERATIONS).statistics()["mean_last_50"])
    return found


def _levels(run: Run) -> dict[str, float]:
    if "random-actions" not in run.experiment.arms:
        return {}
    return {"random actions, mean": float(np.median(Frames(run, "random-actions", ITERATIONS).returns.mean(axis=1)))}

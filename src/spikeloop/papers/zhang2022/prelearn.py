"""Zhang et al. 2022, Figure 6: the constants of the dynamic neuron, found by training them along with the weights.

Every neuron has four parameters of its own, drawn at random, and TD3 trains them on Ant for a million steps. Then k-means over
all neurons gives one centre for each, frozen for every other experiment:

    theta_v = -0.172,  theta_u = 0.529,  theta_r = 0.021,  theta_s = 0.132

They take k = 1, and the centre of one cluster is the mean: it is what minimises the summed squared distance. So it makes no
difference either whether the four are clustered together or, as the figure's two panels suggest, two and two.

The paper gives neither the distribution of the start nor how many networks the figure shows. Ours is U(-0.5, 0.5), whose mean
is 0: what is found is then training's and not the start's. The start of a run follows from its seeds, so the report also says how
far the parameters moved, and how many did not move at all. No gradient reaches theta_r and theta_s of a neuron that never
fires before the last tick of a decision; and from rest theta_v and theta_u act from the third tick on, of five.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
import scipy.stats
from jaxtyping import Float

from spikeloop.analysis.tables import cell, markdown, quartiles
from spikeloop.encoders import PopulationCode
from spikeloop.experiment import Experiment, Reference
from spikeloop.learners import TD3
from spikeloop.loading import load_policies
from spikeloop.networks import FeedForward
from spikeloop.neurons import DynamicNeuron, TrainableParameters, UniformStart
from spikeloop.papers.zhang2022.setting import spiking_actor, td3
from spikeloop.papers.zhang2022.tasks import ENV_STEPS, mujoco
from spikeloop.policies import SpikingPolicy
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json
from spikeloop.training import Trainer

PUBLISHED = {"theta_v": -0.172, "theta_u": 0.529, "theta_r": 0.021, "theta_s": 0.132}
START = UniformStart(-0.5, 0.5)
SHOWN = 3000  # neurons that the figure shows at most, every so many-th of all


def prelearn() -> Experiment:
    """Zhang 2022 Figure 6: the four parameters of every dynamic neuron, trained with TD3 on Ant-v5, a million steps; 10 seeds"""
    actor = spiking_actor(PopulationCode(), DynamicNeuron(parameters=TrainableParameters(START)))
    claim = "centre of the trained parameters: " + ", ".join(f"{name} {value:g}" for name, value in PUBLISHED.items())
    return mujoco("ant", "mdc-san").with_fields(
        learner=td3(actor, ENV_STEPS),
        label="mdc-san-trained",
        reference=Reference("Zhang et al. 2022, Figure 6", claim),
    )


class Thetas(eqx.Module):
    """The four parameters of every neuron of every seed, as the neurons use them, at the start and at the end."""

    start: dict[str, tuple[Float[np.ndarray, "seeds _"], ...]]  # by name, an array for each population
    end: dict[str, tuple[Float[np.ndarray, "seeds _"], ...]]

    @property
    def populations(self) -> int:
        """How many populations, that of the outputs included."""
        return len(next(iter(self.end.values())))

    def of(self, name: str, population: int | None = None) -> tuple[Float[np.ndarray, "seeds _"], ...]:
        """One parameter of one population, or of all: at the start and at the end."""
        parts = slice(population, None if population is None else population + 1)
        return tuple(np.concatenate(when[name][parts], axis=1) for when in (self.start, self.end))


def report_prelearn(run: Run) -> list[Path]:
    """table.json and parameters.png: the trained parameters, their centre, the start, and what was published."""
    made = run.experiment
    if not _trains_thetas(made):
        return []  # another learner, policy or neuron was put in its place
    found = thetas(run)
    table = {name: of_parameter(found, name) for name in PUBLISHED}
    rows = [[name, f"{PUBLISHED[name]:g}", *_cells(table[name])] for name in PUBLISHED]
    populations = [f"population {place}" for place in range(1, found.populations)] + ["output population"]
    header = ["", "published", "centre (95 % over seeds)", "median (quartiles) of neurons", *populations]
    header += ["at the start: mean", "standard deviation", "at the end: standard deviation", "moved by", "unmoved, %"]
    neurons = sum(part.shape[1] for part in found.end["theta_v"])
    title = (
        f"The parameters of {neurons} neurons, trained on {made.environment.spec.name} for {made.protocol.env_steps:,} steps "
        f"from a random start, in {made.seeds} seeds. Centre: the mean, which is k-means with k = 1. Moved by: root mean square."
    )
    write_atomically(run.path / "parameters.png", draw_parameters(made, found))
    write_json(run.path / "table.json", {"title": title, "markdown": markdown(header, rows), "parameters": table})
    return [run.path / "table.json", run.path / "parameters.png"]


def _neuron(made: Experiment) -> Any:
    """The neuron of the actor, None where there is none."""
    learner = made.learner
    if not isinstance(learner, TD3) or not isinstance(learner.policy, SpikingPolicy):
        return None
    network = learner.policy.network
    return network.neuron if isinstance(network, FeedForward) else None


def _trains_thetas(made: Experiment) -> bool:
    neuron = _neuron(made)
    return isinstance(neuron, DynamicNeuron) and isinstance(neuron.parameters, TrainableParameters)


def thetas(run: Run) -> Thetas:
    """What the neurons of a run began with and what they have in the final policies."""
    made = run.experiment
    assert isinstance(made.learner, TD3)
    # The start of the actor does not depend on the replay, and a full one for every seed would be gigabytes.
    least = max(made.learner.learning_starts, made.learner.steps_per_iteration)
    learner = made.learner.with_fields(replay=made.learner.replay.with_fields(capacity=least))
    begun = Trainer(made.environment, learner, made.protocol, made.seed_range).actors().params
    ended = load_policies(run, made.label).actors.params
    neuron = _neuron(made)
    return Thetas(_of_layers(neuron, begun), _of_layers(neuron, ended))


def _of_layers(neuron, params):
    layers = getattr(params, "policy", params).network  # behind a standardisation, or not
    bound = [neuron.bind(layer.neuron) for layer in layers]
    return {name: tuple(np.asarray(getattr(one, name), float) for one in bound) for name in PUBLISHED}


def of_parameter(found: Thetas, name: str) -> dict[str, Any]:
    """One parameter in numbers: over all neurons, by population, over the seeds, and how far it moved."""
    start, end = found.of(name)
    moved = end - start
    return {
        "published": PUBLISHED[name],
        "centre": round(float(end.mean()), 4),
        "interval_95": mean_interval(end.mean(axis=1)),
        "quartiles": quartiles(end.ravel(), 4),
        "of_populations": [round(float(found.of(name, place)[1].mean()), 4) for place in range(found.populations)],
        "of_seeds": end.mean(axis=1).round(4).tolist(),
        "start_mean": round(float(start.mean()), 4),
        "start_deviation": round(float(start.std()), 4),
        "deviation": round(float(end.std()), 4),
        "moved": round(float(np.sqrt(np.mean(moved**2))), 4),
        "unmoved_percent": round(100.0 * float(np.mean(moved == 0.0)), 1),
    }


def mean_interval(values: Float[np.ndarray, " seeds"]) -> list[float] | None:
    """95 % interval of the mean over seeds, by Student's t; None of a single seed."""
    if len(values) < 2:
        return None
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return [round(float(values.mean() - half), 4), round(float(values.mean() + half), 4)]


def _cells(row: dict[str, Any]) -> list[str]:
    interval = f" ({row['interval_95'][0]:.3f} to {row['interval_95'][1]:.3f})" if row["interval_95"] else ""
    numbers = (*row["of_populations"], row["start_mean"], row["start_deviation"], row["deviation"], row["moved"])
    return [
        f"{row['centre']:.3f}{interval}",
        cell([round(value, 3) for value in row["quartiles"]]),
        *(f"{number:.3f}" for number in numbers),
        f"{row['unmoved_percent']:g}",
    ]


def draw_parameters(made: Experiment, found: Thetas) -> bytes:
    """Figure 6: a point for every neuron, the centre, the published constants, and the range of the start."""
    from matplotlib.patches import Rectangle

    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import FAINT, INK, PAPER, VERMILION, apply_style, colour_of, new_figure

    start = _neuron(made).parameters.start
    with apply_style():
        figure = new_figure(7.4, 4.1)
        figure.set_layout_engine("constrained", w_pad=0.08)
        for axes, (x, y), letter in zip(
            figure.subplots(1, 2), (("theta_v", "theta_u"), ("theta_r", "theta_s")), "ab", strict=True
        ):
            if isinstance(start, UniformStart):
                width = start.high - start.low
                box = Rectangle((start.low, start.low), width, width, fc=FAINT, ec="none", alpha=0.6, zorder=0)
                axes.add_patch(box)
                box.set_label("range of the start")
            for place in range(found.populations):
                across, up = (found.of(name, place)[1].ravel() for name in (x, y))
                every = max(1, made.seeds * sum(part.shape[1] for part in found.end[x]) // SHOWN)
                colour = colour_of((0, 2, 3, 4)[place % 4])
                label = "output population" if place == found.populations - 1 else f"population {place + 1}"
                axes.plot(across[::every], up[::every], "o", ms=2.6, mew=0, alpha=0.45, color=colour, label=label)
            centre = [float(found.of(name)[1].mean()) for name in (x, y)]
            axes.plot(*centre, "*", ms=15, color=VERMILION, mec=PAPER, mew=0.8, zorder=6, label="centre")
            axes.plot(
                PUBLISHED[x], PUBLISHED[y], "D", ms=7, mfc="none", mec=INK, mew=1.5, zorder=7, label="Zhang et al."
            )
            axes.set_xlabel(x)
            axes.set_ylabel(y)
            axes.set_title(letter)
            axes.margins(0.08)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        legend = figure.legend(
            handles, labels, loc="outside lower center", ncols=6, columnspacing=1.2, handletextpad=0.4
        )
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1.0)
        return png(figure, dpi=200)

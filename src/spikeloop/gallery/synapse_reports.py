"""What synapses learned, as figures and tables: drawn from a run of the experiments on synapse agents."""

import itertools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from spikeloop.analysis.statistics import interquartile_interval
from spikeloop.comparison import results
from spikeloop.experiment import Experiment
from spikeloop.learners import AntitheticSynapseAgents
from spikeloop.learners.synapses import Credit, Table, places, readable, static_table, table_json
from spikeloop.learners.synapses.value import ACTIONS
from spikeloop.loading import load_lessons
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json

TRAJECTORY_ITERATIONS = 80


def report_table(run: Run) -> list[Path]:
    """One table from those of all seeds, as values.json and as text that a person can read, and every seed's as a figure.

    A value is the lower end of the 95 % interval over seeds, so that an action must be shown to help to be chosen: where the
    runs disagree, a synapse leaves its weight alone. With the means it would drift for ever wherever nothing is to be gained.
    """
    learner = run.experiment.learner
    if not isinstance(learner, AntitheticSynapseAgents) or not isinstance(learner.value, Table):
        return []  # another learner, or one that learns no table, was put in its place
    tables = load_lessons(run, run.experiment.label)["table"]
    names, bins = learner.state.names, learner.value.bins
    lower = [[interquartile_interval(values).low for values in cell.T] for cell in tables.transpose(1, 0, 2)]
    data = table_json(names, bins, np.asarray(lower))
    write_json(run.path / "values.json", data)
    write_atomically(run.path / "values.txt", (readable(names, static_table(data)) + "\n").encode())
    files = [run.path / "values.json", run.path / "values.txt"]
    if len(learner.state.senses) == 1 and isinstance(learner.state.senses[0], Credit):
        files.append(draw_values(run.path / "values.png", tables, learner.state.senses[0]))
    return files


def report_ledger(run: Run) -> list[Path]:
    """Every arm's score in one figure; returns the file."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import LEARNER, MUTED, apply_style, new_figure

    rows = [(result.name, result.interval) for result in results(run)]
    with apply_style():
        figure = new_figure(7.2, 0.24 * len(rows) + 0.8)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for place, (name, interval) in enumerate(rows):
            colour = LEARNER if name == run.experiment.label else MUTED
            axes.plot([interval.low, interval.high], [place, place], color=colour, lw=2, alpha=0.5)
            axes.plot(interval.estimate, place, "o", color=colour, ms=4)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("return of the final policy, IQM over seeds and 95 % interval")
        axes.grid(axis="x")
        write_atomically(run.path / "ledger.png", png(figure))
    return [run.path / "ledger.png"]


def report_weights(run: Run) -> list[Path]:
    """The weights of one seed on their way, by layer and by the neuron they come from; returns the file."""
    experiment = run.experiment
    if not isinstance(experiment.learner, AntitheticSynapseAgents):
        return []  # another learner was put in its place
    return [draw_weights(run.path / "weights.png", experiment, experiment.first_seed)]


def draw_values(path: Path, tables: Float[np.ndarray, "seeds cells 3"], credit: Credit) -> Path:
    """The value of each action by credit: every seed faint, interquartile mean and interval over seeds bold."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import COLOURS, apply_style, new_figure

    with apply_style():
        figure = new_figure(6.4, 3.4)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        cells = np.arange(tables.shape[1])
        for place, action in enumerate(ACTIONS):
            name = {-1: "weaken", 0: "leave", 1: "strengthen"}[action]
            found = [interquartile_interval(tables[:, cell, place], resamples=2000) for cell in cells]
            axes.plot(cells, tables[:, :, place].T, color=COLOURS[place], alpha=0.12, lw=0.8)
            axes.plot(cells, [value.estimate for value in found], "o-", color=COLOURS[place], label=name)
            axes.fill_between(
                cells,
                [value.low for value in found],
                [value.high for value in found],
                color=COLOURS[place],
                alpha=0.25,
                lw=0,
            )
        axes.axhline(0.0, color="0.5", lw=0.8)
        edges = np.linspace(-1, 1, len(cells) + 1) * credit.scale
        names = [f"{low:+.1f} to {high:+.1f}" for low, high in itertools.pairwise(edges)]
        names[0], names[-1] = f"below {edges[1]:+.1f}", f"above {edges[-2]:+.1f}"
        axes.set_xticks(cells, names)
        axes.set_xlabel("the synapse's credit, in standard deviations of chance")
        axes.set_ylabel("value of an action")
        axes.legend()
        write_atomically(path, png(figure))
    return path


def trajectory(
    experiment: Experiment, seed: int, iterations: int
) -> tuple[Float[np.ndarray, "iterations synapses"], Float[np.ndarray, " iterations"]]:
    """Weights and score of the experiment's learner at each of its first iterations, in a run of its own."""
    learner, environment = experiment.learner, experiment.environment

    def iterate(state, key):
        state, report = learner.step(environment, state, key)
        return state, (ravel_pytree(state.params)[0], report.metrics["score"])

    @jax.jit
    def run(key):
        init_key, key = jax.random.split(key)
        return jax.lax.scan(iterate, learner.init(environment, init_key), jax.random.split(key, iterations))[1]

    weights, scores = run(jax.random.key(jnp.uint32(seed)))
    return np.asarray(weights), np.asarray(scores)


def draw_weights(path: Path, experiment: Experiment, seed: int) -> Path:
    """Every weight over the iterations: a panel per layer, coloured by the neuron that it comes from; the score above."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import INK, apply_style, colour_of, new_figure

    weights, scores = trajectory(experiment, seed, TRAJECTORY_ITERATIONS)
    learner, spec = experiment.learner, experiment.environment.spec
    assert isinstance(learner, AntitheticSynapseAgents)
    shapes = jax.eval_shape(
        lambda key: learner.policy.init(spec.observation_size, spec.actions.output_size, key), jax.random.key(0)
    )
    where = places(shapes)
    with apply_style():
        figure = new_figure(3.4 * where.layers, 4.6)
        figure.set_layout_engine("constrained")
        axes = figure.subplots(2, where.layers, sharex=True, height_ratios=[1, 2.4], squeeze=False)
        for layer in range(where.layers):
            inputs, neurons = where.size(layer)
            few = inputs <= 8  # as many colours as one can tell apart; else by the neuron that it ends at
            by, names = (
                (where.pre, [f"input {n}" for n in range(inputs - 1)] + ["bias"])
                if few
                else (where.post, [f"to output {n}" for n in range(neurons)])
            )
            axes[0, layer].plot(scores, color=INK, lw=1.2)
            axes[0, layer].set_title(f"layer {layer + 1}: {'by origin' if few else 'by destination'}")
            for group, name in enumerate(names):
                chosen = weights[:, (where.layer == layer) & (by == group)]
                for place in range(chosen.shape[1]):
                    label = name if place == 0 else None
                    axes[1, layer].plot(chosen[:, place], color=colour_of(group), lw=0.8, alpha=0.7, label=label)
            axes[1, layer].set_xlabel("iteration")
            axes[1, layer].legend(loc="upper left", ncols=2)
        axes[0, 0].set_ylabel("mean return\nof the trials")
        axes[1, 0].set_ylabel("weight")
        write_atomically(path, png(figure))
    return path

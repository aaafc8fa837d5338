"""Pictures of the Mountain Car experiments of Labady 2023. Imported when one is drawn, since Matplotlib is."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from spikeloop.analysis.figures import png
from spikeloop.analysis.style import (
    CONTROLS,
    FAINT,
    INK,
    LEARNER,
    MUTED,
    PAPER,
    VERMILION,
    apply_style,
    colour_of,
    new_figure,
)
from spikeloop.papers.labady2023.mountain_car import Generations
from spikeloop.papers.labady2023.recording import Phase
from spikeloop.papers.labady2023.setting import ACTIONS, GOAL

DPI = 200


def draw_fitness(
    generations: Mapping[str, Generations],
    first: Mapping[str, Float[np.ndarray, " seeds"]],
    reached: Mapping[str, Float[np.ndarray, " seeds"]],
    population: int,
    published: tuple[str, int] | None,
) -> bytes:
    """Fitness by generation, when the goal was first reached, and from how many fresh starts it is reached at the end."""
    with apply_style():
        figure = new_figure(10.0, 3.9)
        figure.set_layout_engine("constrained")
        fitness, share, final = figure.subplots(1, 3, width_ratios=(2.2, 1.5, 1.1))
        colours = dict(zip(reached, itertools.cycle((LEARNER, *CONTROLS)), strict=False))
        _fitness(fitness, generations, population, colours)
        _share(share, first, fitness.get_xlim()[1], published, colours)
        _final(final, reached, colours)
        handles, labels = fitness.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return png(figure, DPI)


def _fitness(axes: Axes, generations: Mapping[str, Generations], population: int, colours: Mapping[str, str]) -> None:
    last = 2
    for arm, found in generations.items():
        so_far = "so far" if found.so_far else "of the generation"
        last = max(last, found.best.shape[1])
        for values, name, width in ((found.best, f"best {so_far}", 1.8), (found.mean, "mean", 0.8)):
            low, middle, high = np.percentile(values, [25, 50, 75], axis=0)
            numbers = np.arange(1, len(middle) + 1)
            axes.fill_between(numbers, low, high, color=colours[arm], alpha=0.18, lw=0)
            axes.plot(numbers, middle, lw=width, color=colours[arm], label=f"{arm.replace('-', ' ')}, {name}")
    axes.axhline(GOAL, color=MUTED, lw=1, ls="--", label="goal")
    axes.set_xlim(1, last)
    axes.set_xlabel(f"generation of {population}")
    axes.set_ylabel("fitness: largest position")
    individuals = axes.secondary_xaxis(
        "top", functions=(lambda g: np.multiply(g, population), lambda n: np.divide(n, population))
    )
    individuals.set_xlabel("individuals")


def _share(
    axes: Axes,
    first: Mapping[str, Float[np.ndarray, " seeds"]],
    last: float,
    published: tuple[str, int] | None,
    colours: Mapping[str, str],
) -> None:
    for place, (arm, found) in enumerate(first.items()):
        reached = np.sort(found[np.isfinite(found)])
        share = 100 * np.arange(len(reached) + 1) / len(found)
        axes.step([0, *reached, last], [*share, share[-1]], where="post", color=colours[arm])
        axes.plot(reached, np.full(len(reached), -4.0 - 5.0 * place), "|", color=colours[arm], ms=6, mew=1)
    if published is not None and published[1] <= last:
        axes.axvline(published[1], color=MUTED, lw=1, ls="--")
        axes.annotate(published[0], (published[1], 103), ha="center", color=MUTED, annotation_clip=False)
    axes.set_xlim(0, last)
    axes.set_ylim(-4.0 - 5.0 * len(first), 101)
    axes.set_yticks(range(0, 101, 25))
    axes.set_xlabel(f"generation that first reaches {GOAL:g}")
    axes.set_ylabel(f"seeds that have reached {GOAL:g}, %")


def _final(axes: Axes, reached: Mapping[str, Float[np.ndarray, " seeds"]], colours: Mapping[str, str]) -> None:
    for place, (arm, values) in enumerate(reached.items()):
        aside = place + np.linspace(-0.25, 0.25, len(values))[np.argsort(np.argsort(values, kind="stable"))]
        axes.plot(aside, values, "o", ms=3, mew=0, alpha=0.7, color=colours[arm])
        axes.plot([place - 0.32, place + 0.32], [np.median(values)] * 2, color=colours[arm], lw=2)
    axes.set_xticks(range(len(reached)), [arm.replace("-", "\n") for arm in reached])
    axes.set_xlim(-0.6, len(reached) - 0.4)
    axes.set_ylim(-5, 105)
    axes.set_ylabel("fresh starts that reach the goal, %")


def draw_maps(
    maps: Sequence[Float[np.ndarray, "positions velocities 3"]],
    edges: Float[np.ndarray, "edges 2"],
    visited: Sequence[Float[np.ndarray, "moments 2"]],
    seeds: Sequence[int],
) -> bytes:
    """A row for each seed and a column for each output neuron, on one scale, with the states of one episode."""
    with apply_style():
        figure = new_figure(7.2, 1.25 * len(seeds) + 0.9)
        figure.set_layout_engine("constrained")
        grid = figure.subplots(len(seeds), len(ACTIONS), sharex=True, sharey=True, squeeze=False)
        most = max(1, *(int(np.max(counts)) for counts in maps))
        colours = matplotlib.colormaps["Blues"].resampled(most + 1)  # a colour for each count, and white for silence
        for row, counts, states, seed in zip(grid, maps, visited, seeds, strict=True):
            for neuron, axes in enumerate(row):
                mesh = axes.pcolormesh(*edges.T, counts[..., neuron].T, cmap=colours, vmin=-0.5, vmax=most + 0.5)
                mesh.set_rasterized(True)
                axes.plot(*states.T, color=VERMILION, lw=0.9)
                axes.plot(*states[0], "o", ms=2.5, color=VERMILION)
            row[0].set_ylabel(f"seed {seed}\nvelocity")
        for axes, action in zip(grid[0], ACTIONS, strict=True):
            axes.set_title(f"{action} neuron")
        for axes in grid[-1]:
            axes.set_xlabel("position")
        bar = figure.colorbar(mesh, ax=grid, aspect=40, pad=0.02, ticks=range(0, most + 1, 2))
        bar.set_label("spikes in one window of 20 ms")
        return png(figure, DPI)


def draw_recording(
    observations: Float[np.ndarray, "moments 2"], rates: Float[np.ndarray, "decisions 3"], moved: Sequence[Phase]
) -> bytes:
    """Position, velocity and the rate of each output neuron over the steps of an episode, its phases shaded in turn."""
    with apply_style():
        figure = new_figure(7.2, 5.2)
        figure.set_layout_engine("constrained")
        rows = figure.subplots(2 + len(ACTIONS), 1, sharex=True, height_ratios=(2, 1.3, 1, 1, 1))
        steps = np.arange(len(observations))
        for axes, values, name in zip(rows, observations.T, ("position", "velocity"), strict=False):
            axes.plot(steps, values, color=INK)
            axes.set_ylabel(name)
        rows[0].axhline(GOAL, color=MUTED, lw=1, ls="--")
        rows[1].axhline(0.0, color=MUTED, lw=0.8)
        for neuron, (axes, action) in enumerate(zip(rows[2:], ACTIONS, strict=True)):
            axes.stairs(rates[:, neuron], steps, fill=True, color=colour_of(neuron))
            axes.set_ylim(0, max(1.0, 1.05 * float(np.max(rates))))
            axes.set_ylabel(f"{action}\n(Hz)")
        for place, phase in enumerate(moved):
            for axes in rows:
                axes.axvspan(phase.first, phase.last, color=FAINT if place % 2 else PAPER, lw=0, zorder=-10)
            rows[0].annotate(
                f"{phase.direction} to {phase.position:.2f}",
                (0.5 * (phase.first + phase.last), 1.04),
                xycoords=("data", "axes fraction"),
                ha="center",
                color=MUTED,
            )
        rows[-1].set_xlabel("step (one window of 20 ms each)")
        rows[-1].set_xlim(0, len(rates))
        figure.align_ylabels(rows)
        return png(figure, DPI)

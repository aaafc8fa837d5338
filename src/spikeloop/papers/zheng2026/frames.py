"""Frames of training episodes: what the paper plots and counts, read from a run, with every seed shown as quartiles."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spikeloop.run import Run
from spikeloop.storage import write_atomically

SMOOTHING = 20  # episodes of the moving mean in figures
FINAL_EPISODES = 50  # the last episodes whose mean is reported


class Frames:
    """Return and length of the training episodes of every seed of an arm, up to the first so many."""

    def __init__(self, run: Run, arm: str, episodes: int | None = None):
        seeds = run.experiment.seed_range
        returns: dict[int, list[float]] = {seed: [] for seed in seeds}
        lengths: dict[int, list[int]] = {seed: [] for seed in seeds}
        for line in run.lines(arm, "metrics.jsonl"):
            returns[line["seed"]] += line["returns"]
            lengths[line["seed"]] += line["lengths"]
        shortest = min(map(len, returns.values()))
        shortest = shortest if episodes is None else min(shortest, episodes)
        self.returns = np.asarray([returns[seed][:shortest] for seed in seeds])
        self.lengths = np.asarray([lengths[seed][:shortest] for seed in seeds])

    def best_within(self, env_steps: float) -> Float[np.ndarray, " seeds"]:
        """The best episode of every seed among those that ended within so many environment steps (0 if none did)."""
        within = np.cumsum(self.lengths, axis=1) <= env_steps
        return np.where(within, self.returns, 0.0).max(axis=1)

    def statistics(self) -> dict[str, Float[np.ndarray, " seeds"]]:
        """Of every seed: the best episode, the mean of all and the mean of the last."""
        return {
            "best_episode": self.returns.max(axis=1),
            "mean_all": self.returns.mean(axis=1),
            "mean_last_50": self.returns[:, -FINAL_EPISODES:].mean(axis=1),
        }


def draw_panels(
    path: Path,
    panels: Mapping[str, Mapping[str, Frames]],
    legend: str,
    references: Mapping[str, float],
) -> Path:
    """A panel per family of arms, a curve per arm: median and quartiles over seeds of the moving mean of the frames.

    `references` are levels drawn across every panel, by what they are.
    """
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import apply_style, colour_of, new_figure

    with apply_style():
        figure = new_figure(max(2.4 * len(panels) + 1.4, 6.4), 3.2)
        figure.set_layout_engine("constrained")
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for panel, (title, arms) in zip(axes, panels.items(), strict=True):
            for place, (label, frames) in enumerate(arms.items()):
                low, middle, high = np.percentile(_moving_mean(frames.returns), [25, 50, 75], axis=0)
                episodes = np.arange(len(middle))
                panel.fill_between(episodes, low, high, color=colour_of(place), alpha=0.18, lw=0)
                panel.plot(episodes, middle, color=colour_of(place), label=label)
            for (name, level), style in zip(references.items(), (":", "--", "-."), strict=False):
                panel.axhline(level, color="0.5", lw=1, ls=style, label=name)
            panel.set_title(title)
            panel.set_xlabel("episode")
            panel.set_yscale("log")
        axes[0].set_ylabel(f"frames (moving mean of {SMOOTHING} episodes)")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, title=legend, loc="outside right upper")
        write_atomically(path, png(figure))
    return path


class Dots(NamedTuple):
    """A row of a figure of dots: quartiles by series, and the published number."""

    label: str
    series: Mapping[str, Sequence[float]]
    theirs: float | None


def draw_dots(path: Path, rows: Sequence[Dots], references: Mapping[str, float]) -> Path:
    """A row per arm: median and quartiles of every series, the published number as a cross, and levels across all rows."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import INK, apply_style, colour_of, new_figure

    names = list(dict.fromkeys(name for row in rows for name in row.series))
    with apply_style():
        figure = new_figure(7.2, 0.32 * len(rows) + 1.5)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for place, row in enumerate(rows):
            for name, (low, middle, high) in row.series.items():
                series = names.index(name)
                y = place + (series - (len(names) - 1) / 2) * 0.6 / max(len(names), 1)
                label = name if place == 0 else None
                axes.plot([low, high], [y, y], color=colour_of(series), alpha=0.5)
                axes.plot(middle, y, "o", ms=3.5, color=colour_of(series), label=label)
            if row.theirs is not None:
                axes.plot(row.theirs, place, "x", color=INK, label="published" if place == 0 else None)
        for name, level in references.items():
            axes.axvline(level, color="0.5", lw=1, ls=":", label=name)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xscale("log")
        axes.set_xlabel("frames (median and quartiles over seeds)")
        axes.grid(axis="x")
        figure.legend(loc="outside upper center", ncols=2)
        write_atomically(path, png(figure))
    return path


def _moving_mean(returns: np.ndarray) -> np.ndarray:
    window = min(SMOOTHING, returns.shape[1])
    kernel = np.ones(window) / window
    return np.stack([np.convolve(row, kernel, mode="valid") for row in returns])

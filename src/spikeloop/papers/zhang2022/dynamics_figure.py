"""The picture of `NeuronDynamics`. Imported when it is drawn, since Matplotlib is."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spikeloop.analysis.figures import png
from spikeloop.analysis.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    TICK_SIZE,
    VERMILION,
    apply_style,
    new_figure,
)
from spikeloop.papers.zhang2022.dynamics import NeuronDynamics, equilibria, rheobase, simulate, slope, spike_counts

POPSAN, DYNAMIC = BLUE, VERMILION
BY_CURRENT = (SKY, INK, ORANGE, PURPLE, GREEN)
STEP = (7, 28, 8)  # ticks before, during and after a step of the input
SMALL = TICK_SIZE - 0.5


def draw(study: NeuronDynamics) -> bytes:
    """Change of the potential for both neurons, phase plane, spikes by input, and potentials under a step up and down."""
    with apply_style():
        figure = new_figure(7.4, 9.0)
        figure.set_layout_engine("constrained", h_pad=0.08, w_pad=0.06)
        grid = figure.add_gridspec(3, 2, height_ratios=(1.0, 1.1, 1.0))
        first = figure.add_subplot(grid[0, 0])
        _popsan_field(first, study)
        _dynamic_field(figure.add_subplot(grid[0, 1]), study)
        _phase_plane(figure.add_subplot(grid[1, 0]), study)
        inner = grid[1, 1].subgridspec(2, 1, hspace=0.05)
        above = figure.add_subplot(inner[0])
        _counts((above, figure.add_subplot(inner[1], sharex=above)), study)
        _step(figure.add_subplot(grid[2, 0]), study, study.excitation, "e  A step of the input to")
        _step(figure.add_subplot(grid[2, 1]), study, study.inhibition, "f  A step of the input to")
        return png(figure, dpi=200)


def _field(axes: Axes, study, neuron, v, change, title):
    """Lines of the change of v over v, one a current, the equilibria on them, and the threshold."""
    axes.axhline(0.0, color=MUTED, lw=0.8)
    axes.axvline(neuron.threshold, color=MUTED, lw=0.8, ls=":")
    for place, current in enumerate(study.currents):
        colour = BY_CURRENT[place % len(BY_CURRENT)]
        axes.plot(v, change(v) + current, color=colour, lw=1.5, label=f"{current:g}")
        for point, stable in equilibria(neuron, current):
            if v[0] <= point <= v[-1]:
                face = colour if stable else PAPER
                axes.plot(point, 0.0, "o", ms=5.5, mfc=face, mec=colour, mew=1.3, zorder=5)
    axes.set_xlim(v[0], v[-1])
    axes.set_title(title)
    axes.set_xlabel("potential v")
    axes.set_ylabel("change of v in a tick")


def _popsan_field(axes, study):
    neuron = study.popsan
    v = np.linspace(-1.2, 1.2, 241)
    _field(axes, study, neuron, v, lambda v: -(1.0 - neuron.voltage_decay) * v, "a  PopSAN's neuron")
    axes.legend(title="current c", title_fontsize=TICK_SIZE, loc="upper right", handlelength=1.2)
    _note(axes, neuron.threshold, 0.02, "threshold", axes.get_xaxis_transform(), ha="right", dx=-3)


def _dynamic_field(axes, study):
    neuron = study.dynamic
    v = np.linspace(-0.6, 1.1, 241)
    for place, current in enumerate(study.currents):
        colour = BY_CURRENT[place % len(BY_CURRENT)]
        axes.plot(v, v * v - v + current, color=colour, lw=0.9, ls=(0, (4, 2)))
    _field(axes, study, neuron, v, lambda v: v * v - slope(neuron) * v, "b  Dynamic neuron")
    axes.set_ylim(-0.52, 1.0)
    handles = [
        Line2D([], [], color=MUTED, lw=1.5, label="u follows v"),
        Line2D([], [], color=MUTED, lw=0.9, ls=(0, (4, 2)), label="u = 0"),
        Line2D([], [], color=MUTED, ls="", marker="o", ms=5.5, label="stable"),
        Line2D([], [], color=MUTED, ls="", marker="o", ms=5.5, mfc=PAPER, mew=1.3, label="unstable"),
    ]
    axes.legend(
        handles=handles,
        loc="upper center",
        ncols=2,
        columnspacing=1.0,
        handlelength=1.6,
        framealpha=1.0,
        frameon=True,
        edgecolor=PAPER,
    )


def _phase_plane(axes, study):
    neuron, current = study.dynamic, study.excitation / (1.0 - study.dynamic.current_decay)
    run = simulate(neuron, np.full((25, 1), study.excitation))
    v, u, spikes = run.v[:, 0], run.u[:, 0], run.spikes[:, 0] > 0
    low, high = -0.3, max(0.9, float(v.max()) + 0.1)
    bottom, top = min(-0.38, float(u.min()) - 0.05), max(0.24, float(u.max()) + 0.05)
    grid = np.meshgrid(np.linspace(low, high, 13)[1:-1], np.linspace(bottom, top, 14)[1:-1])
    dv = grid[0] ** 2 - grid[0] - grid[1] + current
    du = neuron.theta_v * grid[0] - neuron.theta_u * grid[1]
    dv[(grid[0] < 0.42) & (grid[1] < 0.45 * bottom)] = np.nan  # where the legend is
    axes.quiver(*grid, dv, du, color="#B9C0C8", angles="xy", scale_units="xy", scale=6.0, width=0.0035, headwidth=4)
    line = np.linspace(low, high, 200)
    axes.plot(line, line**2 - line + current, color=GREEN, label="v stands still")
    axes.plot(line, neuron.theta_v / neuron.theta_u * line, color=PURPLE, label="u stands still")
    axes.axvline(neuron.threshold, color=MUTED, lw=0.8, ls=":")
    # From where a tick ends to where the next does; after a spike by way of the reset.
    for tick in range(len(v) - 1):
        start = (neuron.theta_r, u[tick] + neuron.theta_s) if spikes[tick] else (v[tick], u[tick])
        if spikes[tick]:
            axes.plot([v[tick], start[0]], [u[tick], start[1]], color=DYNAMIC, lw=0.6, ls=(0, (3, 2)))
        axes.plot([start[0], v[tick + 1]], [start[1], u[tick + 1]], color=DYNAMIC, lw=0.8)
    axes.plot(v[~spikes], u[~spikes], "o", ms=3.2, color=DYNAMIC, label="end of a tick")
    axes.plot(v[spikes], u[spikes], "*", ms=8, color=DYNAMIC, mec=PAPER, mew=0.4, label="the same, with a spike")
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    axes.set_title(f"c  Phase plane, input {study.excitation:g}")
    axes.set_xlabel("potential v")
    axes.set_ylabel("resistance u")
    axes.legend(loc="lower left", handlelength=1.4, frameon=True, framealpha=1.0, edgecolor=PAPER)
    _note(axes, neuron.threshold, 0.0, "threshold", axes.get_xaxis_transform())


def _counts(pair, study):
    inputs = np.linspace(-2.0, 1.0, 601)
    for axes, length in zip(pair, (study.ticks, study.decision), strict=True):
        for neuron, colour, name in ((study.popsan, POPSAN, "PopSAN"), (study.dynamic, DYNAMIC, "dynamic")):
            axes.plot(inputs, spike_counts(neuron, inputs, length), color=colour, lw=1.3, label=name)
        axes.set_ylabel(f"spikes in {length}")
        axes.set_ylim(-0.04 * length, 1.08 * length)
    above, below = pair
    above.set_title("d  Spikes by constant input")
    above.tick_params(labelbottom=False)
    weakest = rheobase(study.dynamic) * (1.0 - study.dynamic.current_decay)
    for axes in pair:
        axes.axvline(weakest, color=MUTED, lw=0.8, ls=":")
    _note(above, weakest, 0.62, f"rheobase {weakest:.4f}", above.get_xaxis_transform(), ha="right", dx=-3)
    _note(above, -1.2, 0.25, "rebound", above.get_xaxis_transform(), ha="center", dx=0)
    above.legend(loc="upper left", bbox_to_anchor=(0.0, 1.02), ncols=2)
    below.set_xlabel("input at every tick")
    below.set_xlim(-2.0, 1.0)


def _step(axes, study, size, title):
    before, during, after = STEP
    inputs = np.concatenate([np.zeros(before), np.full(during, size), np.zeros(after)])[:, None]
    ticks = np.arange(1, len(inputs) + 1)
    axes.axvspan(before + 0.5, before + during + 0.5, color=FAINT, lw=0, alpha=0.6)
    traces = [(study.popsan, POPSAN, "PopSAN"), (study.dynamic, DYNAMIC, "dynamic")]
    runs = [simulate(neuron, inputs) for neuron, _, _ in traces]
    low = min(float(run.v.min()) for run in runs)
    high = max(study.dynamic.threshold, *(float(run.v.max()) for run in runs))
    unit = (high - low) / 16.0
    axes.axhline(study.dynamic.threshold, color=MUTED, lw=0.8, ls=":")
    for row, (run, (_, colour, name)) in enumerate(zip(runs, traces, strict=True)):
        axes.plot(ticks, run.v[:, 0], "o-", color=colour, lw=1.0, ms=2.4)
        bottom = high + (1.0 + 2.4 * row) * unit
        axes.vlines(ticks[run.spikes[:, 0] > 0], bottom, bottom + 1.6 * unit, color=colour, lw=1.4)
        axes.text(before, bottom + 0.8 * unit, name, color=colour, size=TICK_SIZE, ha="right", va="center")
    numbers = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    axes.set_yticks([number for number in numbers if low - unit <= number <= high])
    axes.set_ylim(low - unit, high + 6.5 * unit)
    axes.set_xlim(0, len(ticks) + 1)
    axes.set_title(f"{title} {size:g}")
    axes.set_xlabel("tick")
    axes.set_ylabel("potential v, spikes above")


def _note(axes, x, y, text, transform, ha="left", dx=3):
    """Small text beside a point, dx points away from it."""
    axes.annotate(text, (x, y), (dx, 2), xycoords=transform, textcoords="offset points", size=SMALL, color=MUTED, ha=ha)

"""Return against cost: a picture of any number of learners, and which of them no other beats in both.

A learner is on the front of a cost if no other reaches at least as much for at most as much, and one of the two strictly.
Operations and energy are those of a decision, counted at every tick as NeuroBench counts; where a policy's input is the same at
every tick, a small hollow mark shows what is left when its product is computed once.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from spikeloop.analysis.figures import png
from spikeloop.analysis.measurement.energy import EnergyTable
from spikeloop.analysis.measurement.measure import Measurement
from spikeloop.analysis.measurement.report import Report, returns
from spikeloop.analysis.statistics import Interval
from spikeloop.analysis.style import COLOURS, FAINT, MUTED, PAPER, TICK_SIZE, apply_style, new_figure

MARKERS = ("o", "s", "^", "D", "v", "<", ">")
LEGEND = "dashed, full marks: the front        small marks: constant input computed once a decision"
COSTS = {
    "operations": "effective synaptic operations per decision",
    "energy": "energy per decision, pJ (estimate)",
    "parameters": "parameters",
}


class Cost(eqx.Module):
    """One cost of a learner: where its mark stands, how far its bar reaches, and the mark for a constant input counted once."""

    at: float
    low: float
    high: float
    once: float | None = None


class Candidate(eqx.Module):
    """A learner in the picture."""

    name: str
    reached: Interval  # return
    costs: dict[str, Cost | None]  # by the keys of COSTS; None where the energy is unknown

    @classmethod
    def of(cls, name: str, measured: Measurement, table: EnergyTable) -> "Candidate":
        """The candidate that a measurement makes, its energy by this table."""
        every = Report.of(measured, [table])
        once = Report.of(measured, [table], once=True) if measured.folds else None
        operations = every.macs.estimate + every.acs.estimate
        parameters = float(measured.memory.parameters)
        energy = every.energies[0]
        costs = {
            "operations": Cost(
                operations,
                every.macs.low + every.acs.low,
                every.macs.high + every.acs.high,
                None if once is None else once.macs.estimate + once.acs.estimate,
            ),
            "energy": None
            if energy.unknown
            else Cost(
                _middle(energy), energy.low.low, energy.high.high, None if once is None else _middle(once.energies[0])
            ),
            "parameters": Cost(parameters, parameters, parameters),
        }
        return cls(name, returns(measured), costs)


def on_front(costs: Sequence[float | None], reached: Sequence[float]) -> list[bool]:
    """For each candidate whether no other costs at most as much and reaches at least as much, with a difference in one."""

    def beats(one: int, other: int) -> bool:
        cost, other_cost = costs[one], costs[other]
        if cost is None or other_cost is None:
            return False
        as_good = cost <= other_cost and reached[one] >= reached[other]
        return as_good and (cost < other_cost or reached[one] > reached[other])

    everybody = range(len(costs))
    return [costs[me] is not None and not any(beats(other, me) for other in everybody) for me in everybody]


def front_json(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """The picture as lists and numbers."""
    fronts = {key: _front(candidates, key) for key in COSTS}
    learners = {}
    for place, one in enumerate(candidates):
        learners[one.name] = {
            "return": {"iqm": one.reached.estimate, "interval_95": [one.reached.low, one.reached.high]},
            **{key: None if cost is None else _cost_json(cost) for key, cost in one.costs.items()},
            "on_front": {key: fronts[key][place] for key in COSTS},
        }
    return {"costs": COSTS, "learners": learners}


def draw(candidates: Sequence[Candidate], title: str, energy_name: str) -> bytes:
    """A PNG with a panel for each cost: marks with intervals, the front as a line, those on it with a full mark."""
    rows = -(-len(candidates) // 4)  # of the legend
    with apply_style():
        figure = new_figure(11.0, 3.9 + 0.2 * rows)
        figure.set_layout_engine("constrained")
        panels = np.atleast_1d(figure.subplots(1, len(COSTS), sharey=True))
        for axes, (key, label) in zip(panels, COSTS.items(), strict=True):
            label = label.replace("estimate", f"estimate, {energy_name}") if key == "energy" else label
            _panel(axes, candidates, key, label)
        panels[0].set_ylabel("return, IQM over seeds (95 % interval)")
        panels[0].set_title(f"{title}: return against cost")
        panels[-1].set_title(LEGEND, loc="right", fontsize=TICK_SIZE, fontweight="normal", color=MUTED)
        handles, names = panels[-1].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)))
        return png(figure)


def _panel(axes: Axes, candidates: Sequence[Candidate], key: str, label: str) -> None:
    front = _front(candidates, key)
    for place, one in enumerate(candidates):
        # Another marker for each colour in every round, so that 49 learners are told apart.
        colour, marker = COLOURS[place % len(COLOURS)], MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]
        cost = one.costs[key]
        if cost is None:
            continue
        x, y = max(cost.at, 1.0), one.reached.estimate
        axes.errorbar(
            x,
            y,
            xerr=[[max(x - cost.low, 0.0)], [max(cost.high - x, 0.0)]],
            yerr=[[y - one.reached.low], [one.reached.high - y]],
            color=colour,
            elinewidth=1.4,
            fmt="none",
            zorder=3,
        )
        if cost.once is not None:
            axes.plot([cost.once, x], [y, y], color=colour, lw=0.8, ls=":", zorder=2)
            axes.plot([cost.once], [y], marker, ms=5, mfc=PAPER, mec=colour, mew=1.0, zorder=4)
        full = colour if front[place] else PAPER
        axes.plot([x], [y], marker, ms=8, mfc=full, mec=colour, mew=1.6, zorder=5)
        axes.plot([], [], marker, ms=7, mfc=colour, mec=colour, ls="none", label=one.name)
    _draw_front(axes, [(one.costs[key], one.reached.estimate) for one, on in zip(candidates, front, strict=True) if on])
    axes.set_xscale("log")
    axes.set_xlabel(label)
    axes.grid(color=FAINT, lw=0.8)
    axes.margins(x=0.12, y=0.08)
    _label_decades(axes)


def _label_decades(axes: Axes) -> None:
    """Powers of ten alone where there are many, else 2 and 5 times them as well, as plain numbers."""
    low, high = axes.get_xlim()
    if high / low < 1000.0:
        axes.xaxis.set_major_locator(
            LogLocator(subs=(1.0, 2.0, 5.0) if high / low > 8.0 else (1.0, 2.0, 3.0, 5.0, 7.0))
        )
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_front(axes: Axes, points: list[tuple[Any, float]]) -> None:
    """A staircase through the points that are on the front, from the cheapest to the one that reaches most."""
    ordered = sorted((max(cost.at, 1.0), reached) for cost, reached in points)
    if len(ordered) > 1:
        axes.step(*zip(*ordered, strict=True), where="post", color=MUTED, lw=1.2, ls="--", zorder=1)


def _front(candidates: Sequence[Candidate], key: str) -> list[bool]:
    costs = [one.costs[key] for one in candidates]
    return on_front([None if cost is None else cost.at for cost in costs], [one.reached.estimate for one in candidates])


def _middle(energy: Any) -> float:
    return 0.5 * (energy.low.estimate + energy.high.estimate)


def _cost_json(cost: Cost) -> dict[str, Any]:
    return {"at": cost.at, "low": cost.low, "high": cost.high, "constant_input_once": cost.once}

"""Labady 2023, Figure 8: a direct current makes a neuron fire, which drives another over one synapse.

Two of NEST's ``iaf_psc_alpha`` at their defaults, a direct current into the first (the source), a synapse from it to the
second (the target), in double precision. In continuous time a source under the current I fires every

    tau_m ln((V_inf - V_reset) / (V_inf - V_th)) + t_ref,        V_inf = E_L + I tau_m / C_m

and at the end of the tick in which it crosses the threshold in this simulation, as in NEST. The report gives neither the
delay nor the resolution nor the duration; these are NEST's defaults, and a second.
"""

import itertools
import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from spikeloop.analysis.tables import markdown
from spikeloop.component import require_finite, require_positive, require_ticks
from spikeloop.networks import DelayedFeedForward
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire
from spikeloop.storage import write_atomically, write_json
from spikeloop.study import AbstractStudy

BEGINNING = 110.0  # ms that the figure shows larger: three spikes of the target
# Of NEST 3.10.0 at the defaults of the study.
PEER = {
    "source": {"spikes": 62, "first": 15.0, "last": 984.9, "shortest_interval": 15.9, "longest_interval": 15.9},
    "target": {"spikes": 31, "first": 35.7, "last": 989.5, "shortest_interval": 31.6, "longest_interval": 31.8},
    "synaptic_current": {"arrives": 16.0, "peak_time": 18.0, "peak": 1000.0},
    "potential": {"peak_time": 22.7, "peak": -57.0},
}
SPIKES = {
    "spikes": "spikes", "first": "first spike, ms", "last": "last spike, ms",
    "shortest_interval": "shortest interval, ms", "longest_interval": "longest interval, ms",
}  # fmt: skip
ROWS = {
    "source": {name: f"source: {label}" for name, label in SPIKES.items()},
    "target": {name: f"target: {label}" for name, label in SPIKES.items()},
    "synaptic_current": {
        "arrives": "synaptic current: the first begins, ms",
        "peak_time": "synaptic current: the first peaks, ms",
        "peak": "synaptic current: its peak, pA",
    },
    "potential": {
        "peak_time": "potential of the target: the first peaks, ms",
        "peak": "potential of the target: its peak, mV",
    },
}


class Trace(NamedTuple):
    """What the two neurons did, at the end of every tick."""

    times: Float[np.ndarray, " ticks"]  # ms
    spikes: tuple[Bool[np.ndarray, " ticks"], ...]  # of the source and of the target
    potentials: tuple[Float[np.ndarray, " ticks"], ...]  # of both, mV
    current: Float[np.ndarray, " ticks"]  # into the target by its synapse, pA

    def spike_times(self, neuron: int) -> Float[np.ndarray, " spikes"]:
        """When a neuron fired, ms."""
        return self.times[self.spikes[neuron]]


class DirectCurrentDrive(AbstractStudy):
    """Labady 2023, Figure 8: a direct current makes a neuron fire, which drives another over one synapse."""

    amplitude: float = 500.0  # direct current into the source, pA
    weight: float = 1000.0  # of the synapse from the source to the target: the peak of a spike's current, pA
    delay: float = 1.0  # of the direct current and of the synapse, ms
    resolution: float = 0.1  # length of a tick, ms
    duration: float = 1000.0  # ms

    def __check_init__(self):
        require_finite(self, "amplitude", "weight")
        require_positive(self, "resolution", "duration")
        require_ticks(self, self.resolution, "delay", "duration")
        AlphaCurrentLeakyIntegrateAndFire(resolution=self.resolution)  # refuses ticks that its own times do not allow

    @property
    def network(self) -> DelayedFeedForward:
        """The two neurons, wired."""
        neuron = AlphaCurrentLeakyIntegrateAndFire(resolution=self.resolution)
        return DelayedFeedForward((1,), neuron, self.delay, weight_scale=1.0)

    def carry_out(self, folder):
        trace = self.simulate()
        found = self.measure(trace)
        interval = source_interval(self.network.neuron, self.amplitude)
        # At other settings there is nothing to stand beside what was found.
        peer = PEER if self == DirectCurrentDrive() else None
        rows = [
            [label, shown(found[part][name]), *([shown(peer[part][name])] if peer else [])]
            for part, labels in ROWS.items()
            for name, label in labels.items()
        ]
        in_theory = shown(interval if math.isfinite(interval) else None, 3)
        rows.insert(5, ["source: interval in continuous time, ms", in_theory, *([""] if peer else [])])
        header = ["", "here", *(["NEST 3.10"] if peer else [])]
        title = f"{self.amplitude:g} pA into the source, a synapse of {self.weight:g} pA and {self.delay:g} ms, "
        title += f"{self.duration:g} ms in ticks of {self.resolution:g} ms."
        write_atomically(folder / "potentials.png", draw(self, trace))
        write_json(folder / "table.json", {"title": title, "markdown": markdown(header, rows), **found})

    def simulate(self) -> Trace:
        """The run, in double precision."""
        ticks = self.network.neuron.ticks(self.duration)
        with jax.enable_x64(True):
            genes = (jnp.full((1, 1), self.weight, jnp.float64),)
            currents = jnp.full((ticks, 1), self.amplitude, jnp.float64)
            spikes, potentials, current = jax.device_get(_simulate(self.network, genes, currents))
        return Trace(
            times=np.arange(1, ticks + 1) * self.resolution,
            spikes=tuple(fired[:, 0] > 0 for fired in spikes),
            potentials=tuple(v[:, 0] for v in potentials),
            current=current,
        )

    def measure(self, trace: Trace) -> dict[str, dict[str, Any]]:
        """Spikes and intervals of both, and what the first spike does to the target until the second arrives."""
        found: dict[str, dict[str, Any]] = {}
        for neuron, name in enumerate(("source", "target")):
            times = trace.spike_times(neuron).round(6).tolist()
            gaps = [round(b - a, 6) for a, b in itertools.pairwise(times)]
            found[name] = {
                "spikes": len(times),
                "first": times[0] if times else None,
                "last": times[-1] if times else None,
                "shortest_interval": min(gaps, default=None),
                "longest_interval": max(gaps, default=None),
            }
        way = self.network.neuron.ticks(self.delay)
        arrivals = np.flatnonzero(trace.spikes[0])[:2] + way
        window = slice(arrivals[0], arrivals[1] if len(arrivals) == 2 else None) if len(arrivals) else slice(0)
        rest = self.network.neuron.e_l
        arrives = float(trace.times[window][:1].round(6)[0]) if trace.times[window].size else None
        alone = not trace.spikes[1][window].any()  # a target that fires at once has no peak
        found["synaptic_current"] = {"arrives": arrives, **_peak(trace.times[window], trace.current[window], 0.0)}
        found["potential"] = _peak(trace.times[window][: None if alone else 0], trace.potentials[1][window], rest)
        return found


@eqx.filter_jit
def _simulate(network, genes, currents):
    def tick(state, current):
        state, spikes = network.step(genes, state, network.drive(genes, current), None)
        target = state.neurons[1]
        synaptic = target.excitatory.current[0] + target.inhibitory.current[0]
        return state, (spikes, tuple(map(network.neuron.potential, state.neurons)), synaptic)

    return jax.lax.scan(tick, network.init_state(genes), currents)[1]


def _peak(times, values, rest):
    """Where the values are farthest from rest."""
    if not len(times):
        return {"peak_time": None, "peak": None}
    place = int(np.argmax(np.abs(values - rest)))
    return {"peak_time": round(float(times[place]), 6), "peak": round(float(values[place]), 6)}


def source_interval(neuron: AlphaCurrentLeakyIntegrateAndFire, amplitude: float) -> float:
    """Time between two spikes under a direct current, in continuous time, ms; infinite where it never fires."""
    final = neuron.e_l + amplitude * neuron.tau_m / neuron.c_m
    if final <= neuron.v_th:
        return math.inf
    return neuron.tau_m * math.log((final - neuron.v_reset) / (final - neuron.v_th)) + neuron.t_ref


def shown(value: float | None, digits: int = 2) -> str:
    """A number as the table shows it; a dash for what did not happen."""
    return "-" if value is None else f"{value:.{digits}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:g}"


def draw(study: DirectCurrentDrive, trace: Trace) -> bytes:
    """Potentials of both neurons with threshold and spikes, and the current into the target: the beginning, and all."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import BLUE, GREEN, MUTED, TICK_SIZE, VERMILION, apply_style, new_figure

    ends = [BEGINNING, study.duration] if study.duration > BEGINNING else [study.duration]
    titles = [*([f"The first {BEGINNING:g} ms"] if len(ends) == 2 else []), f"The whole {study.duration:g} ms"]
    threshold = study.network.neuron.v_th
    with apply_style():
        figure = new_figure(7.2, 5.0)
        figure.set_layout_engine("constrained")
        grid = figure.subplots(3, len(ends), sharex="col", sharey="row", squeeze=False)
        for column, (end, title) in enumerate(zip(ends, titles, strict=True)):
            kept = trace.times <= end + study.resolution / 2
            times, width = trace.times[kept], 1.3 if end == ends[0] else 0.8
            for neuron, colour in enumerate((BLUE, VERMILION)):
                axes = grid[neuron, column]
                axes.plot(times, trace.potentials[neuron][kept], color=colour, lw=width)
                _mark(axes, trace.potentials[neuron].min(), threshold, times[trace.spikes[neuron][kept]], colour)
            grid[2, column].plot(times, trace.current[kept], color=GREEN, lw=width)
            grid[2, column].set_xlim(0, end)
            grid[2, column].set_xlabel("time (ms)")
            grid[0, column].set_title(title)
        for text, height in (("spikes", 4.0), ("threshold", 1.0)):  # where the target has not fired yet
            place = (
                grid[1, 0].get_xlim()[1] * 0.01,
                threshold + height * (threshold - trace.potentials[1].min()) / 15.0,
            )
            grid[1, 0].text(*place, text, va="center", size=TICK_SIZE, color=MUTED)
        grid[0, 0].set_ylabel("potential of\nthe source (mV)")
        grid[1, 0].set_ylabel("potential of\nthe target (mV)")
        grid[2, 0].set_ylabel("current into\nthe target (pA)")
        figure.align_ylabels()
        return png(figure, dpi=300)


def _mark(axes, lowest, threshold, spikes, colour):
    """The threshold as a line, every spike as a tick above it, and no numbers where there is no potential."""
    from matplotlib.ticker import MaxNLocator

    from spikeloop.analysis.style import MUTED

    unit = (threshold - lowest) / 15.0
    axes.axhline(threshold, color=MUTED, lw=0.8, ls="--")
    axes.vlines(spikes, threshold + 2.0 * unit, threshold + 6.0 * unit, color=colour, lw=1.0)
    numbers = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(lowest, threshold)
    axes.set_yticks([number for number in numbers if lowest - unit <= number <= threshold])
    axes.set_ylim(lowest - 2.0 * unit, threshold + 7.0 * unit)

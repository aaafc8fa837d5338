"""Labady 2023, Figure 9: a synapse under STDP for a second, in the modes that the report's formula and its source allow.

Names and formulas are those of NESTML's ``stdp_synapse``, which applies them at spikes (`STDP`); the report prints them as
one formula for every tick (`FusedSTDP`), with alpha = -1, where the usual sign is +1. The spike trains are not given. Here
they are pairs in either order, and independent Poisson trains (a spike in a tick with the probability that the rate says).
"""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spikeloop.analysis.tables import cell, markdown, quartiles
from spikeloop.component import require, require_count, require_positive, require_ticks
from spikeloop.errors import InvalidInput
from spikeloop.plasticity import STDP, AbstractPlasticity, FusedSTDP
from spikeloop.storage import write_atomically, write_json
from spikeloop.study import AbstractStudy

# Final weights at the defaults of the study, by an independent program: the four modes, in their order.
RECOMPUTED = {
    "pre first": (548.1, 575.9, 8.6, 985.9),
    "post first": (451.9, 583.8, 8.4, 990.7),
    "Poisson": (497.0, 648.0, 1.6, 994.7),
}


class Trains(eqx.Module):
    """Spikes (0 or 1) of the neurons before and behind a synapse."""

    pre: Float[np.ndarray, "*draws ticks"]
    post: Float[np.ndarray, "*draws ticks"]


class PlasticityModes(AbstractStudy):
    """Labady 2023, Figure 9: STDP of one synapse at spikes and in the printed formula, with either sign of alpha."""

    rule: STDP = STDP()  # what all modes share; its alpha stands for +1, and turned round for -1
    start: float = 500.0  # weight at the beginning
    lag: float = 10.0  # from the first to the second spike of a pair, ms
    frequency: float = 20.0  # of the pairs and of the Poisson trains, Hz
    duration: float = 1000.0  # ms
    draws: int = 1000  # of the Poisson trains, the first of which is drawn
    seed: int = 0  # of the Poisson trains

    def __check_init__(self):
        if not isinstance(self.rule, STDP):
            raise InvalidInput(f"PlasticityModes.rule must be an STDP, from which both forms are made, got {self.rule}")
        require(self, "start", lambda w: self.rule.w_min <= w <= self.rule.w_max, "between w_min and w_max of the rule")
        require_positive(self, "frequency")
        require_ticks(self, self.rule.resolution, "lag", "duration")
        require_count(self, "draws")
        require_count(self, "seed", least=0)
        least = self.ticks(self.lag) + 0.5  # ticks between two pairs that are more than a lag when rounded

        def leaves_room(frequency):
            return least < 1000.0 / frequency / self.rule.resolution < math.inf

        require(self, "frequency", leaves_room, f"such that two pairs are more than a lag of {self.lag:g} ms apart")

    def ticks(self, duration: float) -> int:
        """How many ticks a duration (ms) takes."""
        return round(duration / self.rule.resolution)

    @property
    def period(self) -> int:
        """Ticks from one pair to the next."""
        return self.ticks(1000.0 / self.frequency)

    @property
    def modes(self) -> dict[str, STDP | FusedSTDP]:
        """The four rules, by name."""
        shared = {field.name: getattr(self.rule, field.name) for field in dataclasses.fields(self.rule)}
        alpha = self.rule.alpha
        return {
            f"{name}, alpha = {value:+g}": kind(**{**shared, "alpha": value})
            for name, kind in (("at spikes", STDP), ("fused", FusedSTDP))
            for value in (alpha, -alpha)
        }

    def pairs(self) -> Trains:
        """Pairs at the frequency, the presynaptic spike first."""
        ticks, lag = self.ticks(self.duration), self.ticks(self.lag)
        trains = Trains(np.zeros(ticks), np.zeros(ticks))
        trains.pre[lag :: self.period] = 1.0
        trains.post[2 * lag :: self.period] = 1.0
        return trains

    def poisson(self) -> Trains:
        """Independent trains of the frequency, `draws` of them."""
        numbers = np.random.default_rng(self.seed).random((self.draws, 2, self.ticks(self.duration)))
        spikes = (numbers < self.frequency * self.rule.resolution / 1000.0).astype(float)
        return Trains(spikes[:, 0], spikes[:, 1])

    def carry_out(self, folder):
        pairs, poisson = self.pairs(), self.poisson()
        trains = {
            "pre first": pairs,
            "post first": Trains(pairs.post, pairs.pre),
            "Poisson": Trains(poisson.pre[0], poisson.post[0]),
        }
        weights = {
            name: {mode: evolve(rule, self.start, one) for mode, rule in self.modes.items()}
            for name, one in trains.items()
        }
        of_draws = {mode: evolve(rule, self.start, poisson)[:, -1] for mode, rule in self.modes.items()}
        final = {name: {mode: round(float(w[-1]), 3) for mode, w in found.items()} for name, found in weights.items()}
        spread = {mode: quartiles(values) for mode, values in of_draws.items()}
        lags, windows = self.windows()
        write_atomically(folder / "weights.png", draw_weights(self, trains, weights))
        write_atomically(folder / "window.png", draw_windows(self, lags, windows))
        table = {
            "title": f"Weight of a synapse after {self.duration:g} ms, from {self.start:g}.",
            "markdown": self.table(final, spread),
            "final_weight": final,
            "poisson_quartiles": spread,
            "window": {
                "post_minus_pre_ms": lags.tolist(),
                "change": {mode: change.round(4).tolist() for mode, change in windows.items()},
            },
        }
        write_json(folder / "table.json", table)

    def table(self, final: dict[str, dict[str, float]], spread: dict[str, list[float]]) -> str:
        """Final weights by input and mode; at the defaults, beside those of an independent program."""
        inputs = {
            "pre first": f"pre {self.lag:g} ms before post, {self.frequency:g} Hz",
            "post first": f"post {self.lag:g} ms before pre, {self.frequency:g} Hz",
            "Poisson": f"independent Poisson trains, {self.frequency:g} Hz, seed {self.seed}",
        }
        peer = RECOMPUTED if self == PlasticityModes() else {}
        rows = []
        for name, label in inputs.items():
            rows.append([label, *(f"{weight:.1f}" for weight in final[name].values())])
            if name in peer:
                rows.append(["the same, by an independent program", *(f"{weight:.1f}" for weight in peer[name])])
        rows.append([f"the same, median (quartiles) of {self.draws:,} draws", *map(cell, spread.values())])
        return markdown(["input", *self.modes], rows)

    def windows(self) -> tuple[Float[np.ndarray, " lags"], dict[str, Float[np.ndarray, " lags"]]]:
        """The change of the weight by one pair of spikes, for every time from the presynaptic to the postsynaptic spike.

        It is read when the traces have gone, for the fused formula changes the weight as long as they last.
        """
        tau = max(self.rule.tau_pre, self.rule.tau_post)
        reach, rest = self.ticks(3.0 * tau), self.ticks(20.0 * tau)
        lags = np.arange(-reach, reach + 1)
        pre, post = np.zeros((len(lags), 2 * reach + rest)), np.zeros((len(lags), 2 * reach + rest))
        pre[:, reach] = 1.0
        post[np.arange(len(lags)), reach + lags] = 1.0
        found = {m: evolve(r, self.start, Trains(pre, post))[:, -1] - self.start for m, r in self.modes.items()}
        return lags * self.rule.resolution, found


def evolve(rule: AbstractPlasticity, start: float, trains: Trains) -> Float[np.ndarray, "*draws ticks"]:
    """The weight of one synapse after every tick, for every draw, in double precision."""
    with jax.enable_x64(True):
        pre, post = (jnp.atleast_2d(jnp.asarray(train, jnp.float64)) for train in (trains.pre, trains.post))
        weights = jax.device_get(_evolve(rule, jnp.full((1, 1), start, jnp.float64), pre, post))
    return weights.reshape(trains.pre.shape)


@eqx.filter_jit
def _evolve(rule, start, pre, post):
    def tick(carry, fired):
        traces, weights = carry
        traces, change = rule.step(traces, weights, fired[0], fired[1], jnp.ones_like(start[0, 0]))
        return (traces, weights + change), weights + change

    def one(pre, post):
        return jax.lax.scan(tick, (rule.init(start), start), (pre[:, None], post[:, None]))[1]

    return jax.vmap(one)(pre, post)


def draw_weights(
    study: PlasticityModes, trains: dict[str, Trains], weights: dict[str, dict[str, Float[np.ndarray, " ticks"]]]
) -> bytes:
    """The weight over time, a panel per input and a curve per mode, with the spikes of both sides beneath."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import INK, apply_style, new_figure

    titles = {
        "pre first": f"Pre {study.lag:g} ms before post",
        "post first": f"Post {study.lag:g} ms before pre",
        "Poisson": "Independent Poisson trains",
    }
    times = np.arange(study.ticks(study.duration)) * study.rule.resolution
    with apply_style():
        figure = new_figure(7.2, 3.8)
        figure.set_layout_engine("constrained")
        above, below = figure.subplots(2, len(trains), sharex=True, sharey="row", height_ratios=(6, 1))
        for name, upper, lower in zip(trains, above, below, strict=True):
            for (mode, values), (colour, style) in zip(weights[name].items(), _looks(), strict=True):
                upper.plot(times, values, color=colour, ls=style, label=mode)
            for place, train in ((1, trains[name].pre), (0, trains[name].post)):
                lower.vlines(times[train > 0], place - 0.35, place + 0.35, color=INK, lw=0.8)
            upper.set_title(titles[name], size=9.0)
            upper.axhline(study.start, color="0.6", lw=0.8, ls=":")
            lower.set_yticks([1, 0], ["pre", "post"])
            lower.set_xlabel("time (ms)")
            lower.set_xlim(0, study.duration)
            lower.locator_params(axis="x", nbins=3)
        margin = 0.02 * (study.rule.w_max - study.rule.w_min)
        above[0].set_ylim(study.rule.w_min - margin, study.rule.w_max + margin)
        above[0].set_ylabel("weight")
        figure.legend(*above[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return png(figure, dpi=300)


def draw_windows(
    study: PlasticityModes, lags: Float[np.ndarray, " lags"], windows: dict[str, Float[np.ndarray, " lags"]]
) -> bytes:
    """The change by one pair against the time between its spikes: at spikes, and in the fused formula, on its own scale."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import apply_style, new_figure

    with apply_style():
        figure = new_figure(7.2, 3.2)
        figure.set_layout_engine("constrained")
        panels = figure.subplots(1, 2, sharex=True)
        for place, ((mode, change), (colour, style)) in enumerate(zip(windows.items(), _looks(), strict=True)):
            # Of coincident spikes the presynaptic one comes last. At spikes, what changes there is a step and not a slope.
            for side, label in ((lags <= 0, mode), (lags > 0, None)) if place < 2 else ((..., mode),):
                panels[place // 2].plot(lags[side], change[side], color=colour, ls=style, label=label)
        for axes, title in zip(panels, ("At spikes", "Fused, at every tick"), strict=True):
            axes.axhline(0.0, color="0.6", lw=0.8, zorder=0)
            axes.axvline(0.0, color="0.6", lw=0.8, zorder=0)
            axes.set_title(title, size=9.0)
            axes.set_xlabel("time from pre- to postsynaptic spike (ms)")
            axes.set_xlim(lags[0], lags[-1])
        panels[0].set_ylabel(f"change of a weight of {study.start:g}\nby one pair of spikes")
        figure.legend(loc="outside lower center", ncols=4)
        return png(figure, dpi=300)


def _looks():
    """Colour and line of every mode, the line by the sign of alpha: broken ones leave what they cover to be seen."""
    from spikeloop.analysis.style import BLUE, GREEN, ORANGE, VERMILION

    return [(BLUE, "-"), (ORANGE, "--"), (GREEN, "-"), (VERMILION, "--")]

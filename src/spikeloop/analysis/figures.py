"""Figures: learning curves with intervals, all on the same axis of environment steps."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from spikeloop.analysis.statistics import Curve, Interval, interquartile_interval
from spikeloop.analysis.style import COLOURS, apply_style, new_figure

# More bands than these hide each other: then only the first curve, the learner's own, has one.
MOST_BANDS = 5
STYLES = ("-", "--", ":")
# More curves than colours and styles tell apart are a tangle: a run of more arms has a figure of its own, or the table.
MOST_CURVES = len(COLOURS) * len(STYLES)


def intervals(scores: np.ndarray) -> list[Interval]:
    """Interquartile mean over seeds with its 95 % bootstrap interval, at every point of [points, seeds]."""
    return [interquartile_interval(row, resamples=2000) for row in scores]


def learning_curves(curves: Sequence[Curve], title: str, reference: tuple[str, float] | None = None) -> bytes:
    """A PNG of learning curves: interquartile mean over seeds, and its 95 % bootstrap interval as a band.

    ``reference`` is a name and a published score, drawn as a line across.
    """
    with apply_style():
        figure = new_figure(7.6, max(4.0, 0.2 * len(curves) + 0.4))  # the legend has a line for each
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        crowded = len(curves) > MOST_BANDS
        for place, curve in enumerate(curves):
            colour, style = COLOURS[place % len(COLOURS)], STYLES[place // len(COLOURS) % len(STYLES)]
            points = intervals(curve.scores)
            x = curve.env_steps / 1000.0
            if place == 0 or not crowded:
                axes.fill_between(x, [p.low for p in points], [p.high for p in points], color=colour, alpha=0.15, lw=0)
            # The learner that the experiment is about lies on top of its controls.
            width = 2.4 if place == 0 else 1.6
            axes.plot(
                x, [p.estimate for p in points], color=colour, ls=style, lw=width, label=curve.name, zorder=10 - place
            )
        if reference is not None:
            axes.axhline(reference[1], color="0.4", lw=1, ls="--", label=reference[0])
        axes.set_xlabel("environment steps per seed (thousands)")
        band = "95 % interval of the first" if crowded else "95 % interval"
        axes.set_ylabel(f"return, IQM over seeds ({band})")
        axes.set_title(title)
        axes.margins(x=0.01)
        figure.legend(loc="outside right upper")
        return png(figure)


def png(figure: Figure, dpi: int = 130) -> bytes:
    """The figure as the bytes of a PNG file, of 256 colours: what is drawn has few, and the file is a third as large."""
    drawn, kept = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    image = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(kept, format="png", optimize=True, dpi=(dpi, dpi))
    return kept.getvalue()

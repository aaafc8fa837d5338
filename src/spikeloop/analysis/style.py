"""One look for every figure and animation: colours by role, sizes, and nothing around the data that says nothing.

The colours are those of Okabe and Ito (2008), which people with any colour vision tell apart, with the yellow, too
pale on white, replaced by Tol's indigo. Figures are made with Matplotlib's objects; pyplot and its global state are
never touched.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, INDIGO = "#CC79A7", "#56B4E9", "#332288"

COLOURS: tuple[str, ...] = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INDIGO)

INK = "#1F2933"  # text and what is drawn in black
MUTED = "#6B7480"  # secondary text, axes
FAINT = "#E3E6EA"  # grid lines, empty cells
PAPER = "#FFFFFF"  # the background

LEARNER = BLUE
CONTROLS: tuple[str, ...] = (ORANGE, "#8A929C", PURPLE)  # the deep twin, random actions, further controls
SPIKES = INK
REWARD = GREEN

TITLE_SIZE, LABEL_SIZE, TICK_SIZE = 11.0, 9.0, 8.0  # points

_SETTINGS: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with Matplotlib, so figures look the same everywhere
    "font.size": LABEL_SIZE,
    "text.color": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": LABEL_SIZE,
    "axes.titlesize": TITLE_SIZE,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": TICK_SIZE,
    "path.simplify": True,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@contextlib.contextmanager
def apply_style() -> Iterator[None]:
    """The library's look for every figure made inside the block; Matplotlib's own settings are back after it."""
    with matplotlib.rc_context(_SETTINGS):
        yield


def new_figure(width: int | float, height: int | float, dpi: int | float = 100) -> Figure:
    """An empty figure of so many inches on its own off-screen canvas. Call it inside `apply_style`."""
    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def colour_of(index: int) -> str:
    """The colour of the action, population or curve of that index; they repeat after the last."""
    return COLOURS[index % len(COLOURS)]

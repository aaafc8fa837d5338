"""The lower part of an animation: spikes, outputs and actions on one time axis that moves under a window.

Time is laid out in whole pixels, a decision so many and a tick so many of those, so that spikes stay sharp and moving
the window moves pixels without changing them (which a GIF also compresses better).
"""

import abc
import math

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.style import FAINT, INK, LABEL_SIZE, MUTED, ORANGE, SKY, TICK_SIZE, colour_of
from spikeloop.environments import Discrete

MOST_NEURONS = 128  # rows of a raster; of a larger population the most active are shown
HEADING = 20  # pixels above a panel for its heading


class TimeAxis(eqx.Module):
    """How time is laid out, in pixels. ``window`` decisions are in view; a new one enters on the right."""

    left: int  # of the first decision in view
    decision: int  # width of one decision
    window: int  # decisions in view

    @staticmethod
    def of(ticks: int, left: int, width: int) -> "TimeAxis":
        """About 40 decisions in view; fewer if a tick would be narrower than a pixel, but never fewer than 10."""
        narrowest = width // 40
        decision = ticks * math.ceil(narrowest / ticks)
        if width // decision < 10:
            decision = width // 10  # several ticks share a pixel
        return TimeAxis(left, decision, width // decision)

    @property
    def width(self) -> int:
        """Pixels of the whole window."""
        return self.decision * self.window

    def start(self, decisions: int) -> int:
        """The first decision in view when so many have been made."""
        return max(0, decisions - self.window)


class AbstractPanel(abc.ABC):
    """A strip of the page that shows the last decisions."""

    height: int  # pixels, with its heading

    @abc.abstractmethod
    def place(self, page: Page, top: int) -> None:
        """Draw what stays, and hand what moves to the page."""

    @abc.abstractmethod
    def update(self, decisions: int) -> None:
        """Show the window after so many decisions."""


class RasterPanel(AbstractPanel):
    """Spikes of one population: a row a neuron, a column a tick."""

    def __init__(
        self, spikes: Float[np.ndarray, "decisions ticks n"], time: TimeAxis, name: str, colour: str, tall: int
    ):
        self.time, self.colour = time, np.array(to_rgb(colour))
        neurons = spikes.shape[2]
        shown = most_active(spikes, MOST_NEURONS)
        self.row = max(1, min(14, tall // len(shown)))
        self.heading = f"{name}: {neurons} neuron{'s' * (neurons != 1)}"
        if len(shown) < neurons:
            self.heading = f"{name}: the {len(shown)} most active of {neurons} neurons"
        self.marks = spike_marks(spikes[:, :, shown], time.decision)
        self.height = HEADING + self.row * len(shown)

    def place(self, page, top):
        page.text(self.time.left, top + 3, self.heading, LABEL_SIZE, INK)
        pixels = self._pixels(0)
        ground = np.full_like(pixels, 255)
        ground[..., :3] = np.round(255 * (1 - 0.08 * (1 - self.colour)))  # a breath of the population's colour
        page.picture(self.time.left, top + HEADING, ground)
        self.image = page.picture(self.time.left, top + HEADING, pixels)
        page.moving([self.image])

    def update(self, decisions):
        self.image.set_pixels(self._pixels(decisions))

    def _pixels(self, decisions: int) -> UInt8[np.ndarray, "height width 4"]:
        time = self.time
        view = self.marks[:, time.start(decisions) * time.decision : decisions * time.decision]
        pixels = np.zeros((self.row * len(view), time.width, 4), np.uint8)
        pixels[..., :3] = np.round(255 * self.colour)
        tall = np.repeat(view, self.row, axis=0)
        if self.row >= 4:  # a gap between neurons
            tall[:: self.row] = False
        pixels[:, : view.shape[1], 3] = np.where(tall, 255, 0)
        return pixels


class OutputPanel(AbstractPanel):
    """The policy's outputs: thin, as the decoder reads them tick by tick; bold, what the decision was made on."""

    _TALL = 96

    def __init__(self, recording: Recording, time: TimeAxis, names: tuple[str, ...]):
        self.recording, self.time, self.height = recording, time, HEADING + self._TALL
        decisions, ticks, outputs = recording.evidence.shape
        self.fits = len(names) == outputs  # a policy may put out fewer numbers than there are actions
        self.colours = [colour_of(index) if self.fits else INK for index in range(outputs)]
        self.chosen = recording.actions if isinstance(recording.action_space, Discrete) and self.fits else None
        # Each decision's line is broken from the next by a NaN; ticks beyond the pixels of a decision are thinned out.
        thin = max(1, math.ceil(ticks / time.decision))
        kept = np.arange(ticks - 1, -1, -thin)[::-1]  # the last tick always
        gap = np.full((decisions, 1, outputs), np.nan)
        evidence = np.where(np.isfinite(recording.evidence), recording.evidence, np.nan)
        self.evidence = np.concatenate([evidence[:, kept], gap], axis=1)
        self.evidence_at = np.arange(decisions)[:, None] + np.append((kept + 1) / ticks, 1.0)
        self.output = np.stack([recording.outputs, recording.outputs, np.full_like(recording.outputs, np.nan)], axis=1)
        self.output_at = np.arange(decisions)[:, None] + np.array([0.0, 1.0, 1.0])
        self.ticks = ticks

    def place(self, page, top):
        what = "output" if self.ticks == 1 else "decoder's evidence (thin) and output (bold)"
        page.text(self.time.left, top + 3, what + (", one colour an action" if self.fits else ""), LABEL_SIZE, INK)
        axes = page.axes(self.time.left, top + HEADING, self.time.width, self._TALL, bare=False)
        axes.spines["bottom"].set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(*limits(self.recording))
        axes.xaxis.set_visible(False)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.tick_params(axis="y", length=0, pad=4)
        axes.grid(axis="y")
        self.axes = axes
        # Without softened edges: they are half of a GIF's bytes here, and level lines do not need them.
        pale = [0.5 + 0.5 * np.array(to_rgb(colour)) for colour in self.colours]
        plain = {"antialiased": False, "solid_capstyle": "butt"}
        self.thin = [axes.plot([], [], color=colour, lw=0.72, **plain)[0] for colour in pale]
        self.bold = [axes.plot([], [], color=colour, lw=2.16, **plain)[0] for colour in self.colours]
        (self.mark,) = axes.plot([], [], "o", ms=6, mec="white", mew=1.0, clip_on=False)
        page.moving([*(self.thin if self.ticks > 1 else []), *self.bold, self.mark])

    def update(self, decisions):
        start = self.time.start(decisions)
        self.axes.set_xlim(start, start + self.time.window)
        view = slice(start, decisions)
        for index, (thin, bold) in enumerate(zip(self.thin, self.bold, strict=True)):
            thin.set_data(self.evidence_at[view].ravel(), self.evidence[view, :, index].ravel())
            bold.set_data(self.output_at[view].ravel(), self.output[view, :, index].ravel())
        if self.chosen is not None and decisions:
            action = int(self.chosen[decisions - 1])
            self.mark.set_data([decisions], [self.recording.outputs[decisions - 1, action]])
            self.mark.set_markerfacecolor(self.colours[action])
        else:
            self.mark.set_data([], [])


class ActionPanel(AbstractPanel):
    """What was done: a row an action, filled where chosen; or a row an entry, orange above the middle, blue below."""

    def __init__(self, recording: Recording, time: TimeAxis, names: tuple[str, ...]):
        self.time, self.names, self.discrete = time, names, isinstance(recording.action_space, Discrete)
        self.row = max(4, min(14, 84 // len(names)))
        self.height = HEADING + self.row * len(names)
        self.cells = self._cells(recording)

    def _cells(self, recording: Recording) -> UInt8[np.ndarray, "rows decisions 4"]:
        rows, decisions = len(self.names), recording.decisions
        cells = np.empty((rows, decisions, 4), np.uint8)
        cells[...] = _rgba(FAINT)
        if isinstance(recording.action_space, Discrete):
            chosen = recording.actions.astype(int)
            cells[chosen, np.arange(decisions)] = np.array([_rgba(colour_of(index)) for index in range(rows)])[chosen]
            return cells
        low, high = np.array(recording.action_space.low), np.array(recording.action_space.high)
        place = np.clip((recording.actions - low) / (high - low) * 2 - 1, -1, 1).T[..., None]  # from -1 to 1
        ends = np.where(place > 0, _rgba(ORANGE).astype(float), _rgba(SKY).astype(float))
        return np.round(255 + np.abs(place) * (ends - 255)).astype(np.uint8)

    def place(self, page, top):
        heading = "action chosen" if self.discrete else "action: blue low, white middle, orange high"
        page.text(self.time.left, top + 3, heading, LABEL_SIZE, INK)
        for index, name in enumerate(self.names if self.row >= 9 else ()):
            y = top + HEADING + self.row * index + self.row / 2
            colour = colour_of(index) if self.discrete else MUTED
            page.text(self.time.left - 5, y, name, TICK_SIZE - 0.5, colour, ha="right", va="center")
        self.image = page.picture(self.time.left, top + HEADING, self._pixels(0))
        page.moving([self.image])

    def update(self, decisions):
        self.image.set_pixels(self._pixels(decisions))

    def _pixels(self, decisions: int) -> UInt8[np.ndarray, "height width 4"]:
        time, rows = self.time, len(self.names)
        pixels = np.full((self.row * rows, time.width, 4), 255, np.uint8)
        if self.discrete:
            pixels[...] = _rgba(FAINT)
        view = self.cells[:, time.start(decisions) : decisions]
        view = view.repeat(time.decision, 1).repeat(self.row, 0)
        pixels[:, : view.shape[1]] = view
        pixels[:: self.row] = 255  # a gap between rows
        return pixels


class StepPanel(AbstractPanel):
    """The time axis itself: the number of every tenth decision."""

    height = 30

    def __init__(self, time: TimeAxis):
        self.time = time
        self.every = 10 if time.window >= 20 else 5 if time.window >= 10 else 2

    def place(self, page, top):
        self.page_width = page.width
        count = self.time.window // self.every + 1
        self.labels = [page.text(0, top + 3, "", TICK_SIZE, MUTED, ha="center") for _ in range(count)]
        page.text(self.time.left - 14, top + 3, "step", TICK_SIZE, MUTED, ha="right")
        page.moving(self.labels)

    def update(self, decisions):
        start = self.time.start(decisions)
        first = math.ceil(start / self.every) * self.every
        for place, label in enumerate(self.labels):
            step = first + place * self.every
            label.set_visible(step <= start + self.time.window)
            label.set_text(f"{step}")
            label.set_x((self.time.left + (step - start) * self.time.decision) / self.page_width)


def most_active(spikes: Shaped[np.ndarray, "decisions ticks n"], count: int) -> Shaped[np.ndarray, " shown"]:
    """Indices of the neurons that fired most (the first of equals), at most `count`, in their own order."""
    total = spikes.sum(axis=(0, 1))
    return np.sort(np.argsort(-total, kind="stable")[:count])


def spike_marks(spikes: Shaped[np.ndarray, "decisions ticks n"], width: int) -> Bool[np.ndarray, "n pixels"]:
    """Spikes as columns of pixels, `width` a decision; a wide tick is marked on half of its width."""
    decisions, ticks, neurons = spikes.shape
    marks = np.zeros((neurons, decisions, width), bool)
    fired = (spikes > 0).transpose(2, 0, 1)
    wide = max(1, width // ticks // 2) if width >= 3 * ticks else max(1, width // ticks)
    for tick in range(ticks):
        column = tick * width // ticks
        marks[:, :, column : column + wide] |= fired[:, :, tick, None]
    return marks.reshape(neurons, decisions * width)


def limits(recording: Recording) -> tuple[float, float]:
    """A range that holds every output and the middle half of the evidence.

    So where the evidence starts from at the first tick of each decision does not flatten what it comes to.
    """
    evidence = recording.evidence[np.isfinite(recording.evidence)]
    outputs = recording.outputs[np.isfinite(recording.outputs)]
    values = (
        np.concatenate([outputs, np.quantile(evidence, [0.01, 0.99])]) if evidence.size else np.append(outputs, 0.0)
    )
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _rgba(colour: str) -> UInt8[np.ndarray, "4"]:
    return np.array([*np.round(255 * np.array(to_rgb(colour))), 255], np.uint8)

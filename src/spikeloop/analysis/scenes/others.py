"""Scenes for worlds that the library cannot draw itself: the simulator's own pictures, or what the agent observes."""

import textwrap

import numpy as np
from jaxtyping import UInt8
from matplotlib.patches import Rectangle
from PIL import Image

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import AbstractScene
from spikeloop.analysis.style import BLUE, FAINT, MUTED, TICK_SIZE
from spikeloop.environments import Gymnasium


class PictureScene(AbstractScene):
    """What the simulator itself draws. Raises InvalidInput when it is made if the simulator cannot draw here."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording, environment: Gymnasium):
        self.environment, self.recording = environment, recording
        frame = environment.frame(recording.state(0))
        scale = min(height / frame.shape[0], page.width / frame.shape[1])
        self.size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
        left, top = (page.width - self.size[0]) // 2, top + (height - self.size[1]) // 2
        self.image = page.picture(left, top, self._fitted(frame))
        page.moving([self.image])

    def update(self, moment):
        self.image.set_pixels(self._fitted(self.environment.frame(self.recording.state(moment))))

    def _fitted(self, frame: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "newheight newwidth 4"]:
        fitted = Image.fromarray(frame).resize(self.size, Image.Resampling.BOX).convert("RGBA")
        return np.asarray(fitted)


class ObservationScene(AbstractScene):
    """One bar for each number that the agent observes, relative to its largest magnitude in this episode."""

    _LABELLED = 24  # up to so many bars have a number beneath

    def __init__(self, page: Page, top: int, height: int, recording: Recording, note: str = ""):
        seen = recording.observations.reshape(recording.decisions + 1, -1)
        finite = np.where(np.isfinite(seen), seen, 0.0)
        largest = np.abs(finite).max(axis=0)
        self.heights = finite / np.where(largest > 0, largest, 1.0)
        count = self.heights.shape[1]
        width = int(min(page.width - 112, max(160, 26 * count)))
        axes = page.axes((page.width - width) // 2, top + 30, width, height - 48)
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_ylim(-1.12, 1.06)
        axes.axhline(0, color=MUTED, lw=1)
        for level in (-1, 1):
            axes.axhline(level, color=FAINT, lw=1)
        wide = 0.64 if count <= 100 else 1.0
        self.bars = [Rectangle((place - wide / 2, 0), wide, 0, fc=BLUE) for place in range(count)]
        for bar in self.bars:
            axes.add_patch(bar)
        for place in range(count if count <= self._LABELLED else 0):
            axes.text(place, -1.1, f"{place + 1}", ha="center", va="top", fontsize=TICK_SIZE, color=MUTED)
        page.text(56, top + 6, "what the agent observes, each number relative to its largest here", TICK_SIZE, MUTED)
        if note:
            page.text(56, top + 20, textwrap.shorten(note, 100, placeholder=" ..."), TICK_SIZE, MUTED)
        page.moving(self.bars)

    def update(self, moment):
        for bar, height in zip(self.bars, self.heights[moment], strict=True):
            bar.set_height(height)

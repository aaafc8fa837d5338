"""The maze of pictures from above, and beside it what the agent sees of it: the code of the cell that it stands in."""

import math

import numpy as np
from matplotlib.patches import Rectangle

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import AbstractScene, disc, world_axes
from spikeloop.analysis.style import BLUE, FAINT, GREEN, INK, LABEL_SIZE, MUTED, PAPER, SKY
from spikeloop.environments import ImageMaze


class MazeScene(AbstractScene):
    """Walls (dark), the target (green), where episodes begin (grey), the way so far, and the bits that are seen now."""

    _BIT = 9  # pixels of a bit, its gap included
    _RIGHT = 40  # pixels between the bits and the edge of the page

    def __init__(self, page: Page, top: int, height: int, recording: Recording, environment: ImageMaze):
        walls, target, starts = environment.plan()
        rows, columns = walls.shape
        self.across, self.up = recording.states.place[:, 1], rows - 1 - recording.states.place[:, 0]
        axes = world_axes(page, top, height, (0.5 * (columns - 1), 0.5 * (rows - 1)), rows + 0.4)
        begin = {tuple(start) for start in starts.tolist()}
        for row, column in np.ndindex(*walls.shape):
            here = GREEN if (row, column) == target else INK if walls[row, column] else FAINT
            edge = MUTED if (row, column) in begin else PAPER
            corner = (column - 0.44, rows - 1 - row - 0.44)
            axes.add_patch(Rectangle(corner, 0.88, 0.88, fc=here, ec=edge, lw=1.2))
        (self.way,) = axes.plot([], [], color=SKY, lw=2.5)
        self.agent = disc(axes, 0.3, BLUE, PAPER, 1.5)
        self.seen = recording.observations.reshape(recording.decisions + 1, -1)
        self.wide = math.ceil(math.sqrt(2 * self.seen.shape[1]))
        self.tall = math.ceil(self.seen.shape[1] / self.wide)
        left = page.width - self._RIGHT - self.wide * self._BIT
        middle = top + (height - self.tall * self._BIT) // 2
        page.text(left, middle - 18, "the code that is seen", LABEL_SIZE, INK)
        self.code = page.picture(left, middle, self._pixels(0))
        page.moving([self.way, self.agent, self.code])

    def update(self, moment):
        self.way.set_data(self.across[: moment + 1], self.up[: moment + 1])
        self.agent.center = (self.across[moment], self.up[moment])
        self.code.set_pixels(self._pixels(moment))

    def _pixels(self, moment: int) -> np.ndarray:
        bits = np.zeros(self.wide * self.tall)
        bits[: self.seen.shape[1]] = self.seen[moment]
        shade = np.where(bits > 0.5, 31, 227).astype(np.uint8).reshape(self.tall, self.wide)
        pixels = np.repeat(np.repeat(shade, self._BIT, 0), self._BIT, 1)
        pixels[:: self._BIT], pixels[:, :: self._BIT] = 255, 255  # a gap between bits
        return np.stack([pixels, pixels, pixels, np.full_like(pixels, 255)], axis=-1)

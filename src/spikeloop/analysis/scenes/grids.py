"""Worlds that are grids: MinAtar's games, and any other observation that is a small picture, as coloured cells."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.colors import to_rgb

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import AbstractScene
from spikeloop.analysis.style import (
    BLUE,
    COLOURS,
    GREEN,
    INDIGO,
    INK,
    LABEL_SIZE,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    VERMILION,
)  # fmt: skip

_EMPTY = "#EEF0F3"
_TRAIL = "#F3C4A3"

# What each channel of gymnax's observation shows, and its colour: the player blue, what kills it vermilion, what pays
# green or orange. An earlier channel is drawn over a later one. None: another channel shows these cells already; a
# channel without a name is left out of the legend.
_GAMES: dict[str, tuple[tuple[str, str] | None, ...]] = {
    "Asterix-MinAtar": (("player", BLUE), ("enemy", VERMILION), ("trail", _TRAIL), ("gold", ORANGE)),
    "Breakout-MinAtar": (("paddle", BLUE), ("ball", VERMILION), ("trail", _TRAIL), ("brick", GREEN)),
    "Freeway-MinAtar": (
        ("chicken", BLUE), ("car", VERMILION), ("trail, slow", "#FBE9DC"), ("", "#F7D6BE"), ("", _TRAIL),
        ("", "#EDAF85"), ("trail, fast", "#E79A68"),
    ),
    "Seaquest-MinAtar": (
        ("submarine", BLUE), ("its stern", SKY), ("bullet", INDIGO), ("trail", _TRAIL), ("enemy bullet", INK),
        ("fish", ORANGE), ("enemy submarine", VERMILION), ("oxygen", "#9AD7C4"), ("divers aboard", PURPLE),
        ("diver", GREEN),
    ),
    "SpaceInvaders-MinAtar": (
        ("cannon", BLUE), ("alien", GREEN), None, None, ("bullet", INDIGO), ("enemy bullet", VERMILION),
    ),
}  # fmt: skip


class GridScene(AbstractScene):
    """An observation of ``rows x columns`` (shades of grey) or ``rows x columns x channels`` (one colour a channel).

    Channels are shown as on or off. A picture too large for the page is thinned out.
    """

    def __init__(self, page: Page, top: int, height: int, recording: Recording):
        seen = self.pictures(recording)
        thin = max(1, math.ceil(seen.shape[1] / height), math.ceil(2 * seen.shape[2] / page.width))
        self.seen = seen[:, ::thin, ::thin]
        rows, columns = self.seen.shape[1:3]
        self.cell = max(1, min(height // rows, page.width // (2 * columns)))
        self.low, self.span = float(seen.min()), float(np.ptp(seen)) or 1.0
        channels = self.channels(recording)
        left = (page.width - columns * self.cell) // 2
        self.colours = np.array([to_rgb(channel[1]) if channel else (0.0, 0.0, 0.0) for channel in channels])
        self.painted = [index for index, channel in enumerate(channels) if channel]
        for place, (name, colour) in enumerate([channel for channel in channels if channel and channel[0]]):
            x, y = left + columns * self.cell + 22, top + 8 + 19 * place
            page.picture(x, y, np.broadcast_to(_pixel(colour), (11, 11, 4)).copy())
            page.text(x + 18, y + 5, name, LABEL_SIZE, INK, va="center")
        self.image = page.picture(left, top + (height - rows * self.cell) // 2, self._pixels(0))
        page.moving([self.image])

    def pictures(self, recording: Recording) -> Float[np.ndarray, "moments rows columns *channels"]:
        """What is shown at every moment: the observations, unless overridden."""
        return recording.observations

    def channels(self, recording: Recording) -> tuple[tuple[str, str] | None, ...]:
        """Name and colour of each channel."""
        count = recording.observations.shape[3] if recording.observations.ndim == 4 else 0
        return tuple((f"channel {index + 1}", COLOURS[index % len(COLOURS)]) for index in range(count))

    def update(self, moment):
        self.image.set_pixels(self._pixels(moment))

    def _pixels(self, moment: int) -> UInt8[np.ndarray, "height width 4"]:
        cells = self._cells(self.seen[moment])
        cells = np.concatenate(
            [np.round(255 * cells).astype(np.uint8), np.full((*cells.shape[:2], 1), 255, np.uint8)], -1
        )
        pixels = cells.repeat(self.cell, 0).repeat(self.cell, 1)
        if self.cell >= 6:  # a gap between cells
            pixels[:: self.cell], pixels[:, :: self.cell] = _pixel(PAPER), _pixel(PAPER)
        return pixels

    def _cells(self, obs: Float[np.ndarray, "rows columns *channels"]) -> Float[np.ndarray, "rows columns 3"]:
        if obs.ndim == 2:
            empty, full = np.array(to_rgb(_EMPTY)), np.array(to_rgb(INK))
            return empty + ((obs - self.low) / self.span)[..., None] * (full - empty)
        cells = np.broadcast_to(np.array(to_rgb(_EMPTY)), (*obs.shape[:2], 3)).copy()
        for channel in reversed(self.painted):
            cells[obs[..., channel] > self.low + 0.5 * self.span] = self.colours[channel]
        return cells


class MinAtarScene(GridScene):
    """A game of MinAtar (10 x 10 cells), with a legend."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording, name: str):
        self.name = name
        super().__init__(page, top, height, recording)

    def channels(self, recording):
        return _GAMES[self.name]


class GridworldScene(GridScene):
    """The slipping gridworld: the agent, where it has been in this episode, and the goal."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording, side: int):
        self.side = side
        super().__init__(page, top, height, recording)

    def pictures(self, recording):
        places = recording.observations.astype(int)
        agent = np.zeros((len(places), self.side, self.side, 1))
        agent[np.arange(len(places)), places[:, 0], places[:, 1]] = 1.0
        goal = np.zeros_like(agent)
        goal[:, -1, -1] = 1.0
        return np.concatenate([agent, goal, np.maximum.accumulate(agent, axis=0)], axis=-1)

    def channels(self, recording):
        return (("agent", BLUE), ("goal", GREEN), ("its path", _TRAIL))


def games() -> tuple[str, ...]:
    """The games that `MinAtarScene` knows."""
    return tuple(_GAMES)


def _pixel(colour: str) -> UInt8[np.ndarray, "4"]:
    return np.array([*np.round(255 * np.array(to_rgb(colour))), 255], np.uint8)

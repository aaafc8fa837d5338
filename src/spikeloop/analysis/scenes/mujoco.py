"""Simulated bodies of MuJoCo as their parts, seen from the side or from above; no OpenGL is needed.

Left limbs are light. What has to be kept up, or moved, is orange, and where it has to get to is green.
"""

import math
from typing import NamedTuple

import numpy as np
from matplotlib import patheffects

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import AbstractScene, world_axes
from spikeloop.analysis.style import BLUE, FAINT, GREEN, MUTED, ORANGE, PAPER, SKY, TICK_SIZE
from spikeloop.environments import MuJoCo

_GOALS, _THINGS = ("target", "goal"), ("pole", "pole2", "object")  # names of bodies in Gymnasium's models


class _View(NamedTuple):
    """How a task is looked at."""

    tall: float  # m, from the lower to the upper end of the scene
    middle: float  # m, the height (from above: the y) in the middle of the scene
    above: bool = False  # from above, not from the side
    follows: bool = True  # the camera goes with the body


_VIEWS = {
    "Ant": _View(2.2, 0.8),
    "HalfCheetah": _View(1.9, 0.6),
    "Hopper": _View(2.0, 0.75),
    "Humanoid": _View(2.2, 0.85),
    "HumanoidStandup": _View(2.2, 0.85),
    "InvertedDoublePendulum": _View(2.2, 0.5, follows=False),
    "InvertedPendulum": _View(1.4, 0.25, follows=False),
    "Pusher": _View(1.7, -0.3, above=True, follows=False),
    "Reacher": _View(0.7, 0.0, above=True, follows=False),
    "Swimmer": _View(3.4, 0.0, above=True),
    "Walker2d": _View(2.0, 0.75),
}


class MuJoCoScene(AbstractScene):
    """The parts of the body as rounded bars of their true thickness; a mark on the ground every metre."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording, environment: MuJoCo):
        self.environment, self.recording = environment, recording
        self.view = _VIEWS[environment.name.partition("-")[0]]
        axes = world_axes(page, top, height, (0.0, self.view.middle), self.view.tall)
        self.half_width = axes.get_xlim()[1]
        self.marks: list = []
        if self.view.follows:
            level = self.view.middle - 0.5 * self.view.tall + 0.11 * self.view.tall if self.view.above else 0.0
            axes.plot([-self.half_width, self.half_width], [level, level], color=MUTED, lw=1.5)
            tick = 0.03 * self.view.tall
            for _ in range(math.ceil(2 * self.half_width) + 1):
                (mark,) = axes.plot([0, 0], [level, level - tick], color=MUTED, lw=1.5)
                label = axes.text(0, level - 1.4 * tick, "", ha="center", va="top", fontsize=TICK_SIZE, color=MUTED)
                self.marks.append((mark, label))
        first = environment.shapes(recording.state(0))
        # Added to the second end of every bar: Matplotlib draws nothing where a line has no length.
        self.half_pixel = np.array([0.0, 0.5 * self.view.tall / height])
        points = 72 / page.figure.dpi * height / self.view.tall  # a metre
        self.bars = []
        for body, radius in zip(first.bodies, first.radius, strict=True):
            wide, colour = max(1.5, 2 * radius * points), _colour(body)
            (bar,) = axes.plot([], [], color=colour, lw=wide, solid_capstyle="round", snap=False)
            bar.set_path_effects([patheffects.withStroke(linewidth=wide + 2, foreground=PAPER)])
            self.bars.append(bar)
        # Far parts first: from the side along y, from above along z; what stands still is behind everything.
        depth = first.ends.mean(1)[:, 2] if self.view.above else -first.ends.mean(1)[:, 1]
        order = sorted(range(len(self.bars)), key=lambda part: (first.bodies[part] != "world", depth[part].round(6)))
        page.moving([artist for pair in self.marks for artist in pair])
        page.moving([self.bars[part] for part in order])

    def update(self, moment):
        shapes = self.environment.shapes(self.recording.state(moment))
        seen, at = shapes.ends[:, :, [0, 1 if self.view.above else 2]], 0.0
        if self.view.follows and self.view.above:
            middle = seen.mean((0, 1))
            seen, at = seen - np.array([0.0, middle[1]]), float(middle[0])
        elif self.view.follows:
            at = float(shapes.centre[0])
        for bar, ends in zip(self.bars, seen, strict=True):
            bar.set_data(ends[:, 0] - at + self.half_pixel, ends[:, 1])
        first = math.floor(at - self.half_width)
        for place, (mark, label) in enumerate(self.marks):
            metre = first + place
            mark.set_xdata([metre - at, metre - at])
            label.set_x(metre - at)
            label.set_text(f"{metre} m".replace("-", "\N{MINUS SIGN}"))
            label.set_visible(abs(metre - at) < 0.95 * self.half_width)


def _colour(body: str) -> str:
    if body == "world":
        return FAINT
    if body in _GOALS:
        return GREEN
    if body in _THINGS:
        return ORANGE
    return SKY if "left" in body else BLUE

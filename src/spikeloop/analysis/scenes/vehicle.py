"""The vehicle from above: its arena, the obstacles, the target, and how far each sonar sees."""

import numpy as np
from matplotlib.patches import Circle, Rectangle

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import AbstractScene, arrow_head, disc, polygon, world_axes
from spikeloop.analysis.style import BLUE, FAINT, GREEN, MUTED, ORANGE, PAPER, SKY
from spikeloop.environments import TargetVehicle


class VehicleScene(AbstractScene):
    """The vehicle (blue) with its sonars' rays (orange), obstacles (grey), the target (green) and the way so far."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording, environment: TargetVehicle):
        self.world, states = environment, recording.states
        self.places, self.headings = np.asarray(states.position), np.asarray(states.heading)
        self.nearness = recording.observations[:, :-1]
        size = environment.size
        axes = world_axes(page, top, height, (0.5 * size, 0.5 * size), 1.06 * size)
        axes.add_patch(Rectangle((0, 0), size, size, fc=PAPER, ec=MUTED, lw=1.5))
        for x, y, radius in states.discs[0]:
            if x >= 0.0:  # the others were left out
                axes.add_patch(Circle((x, y), radius, fc=FAINT, ec=MUTED, lw=1))
        for x, y, half_width, half_height in states.rectangles[0]:
            if x >= 0.0:
                corner = (x - half_width, y - half_height)
                axes.add_patch(Rectangle(corner, 2 * half_width, 2 * half_height, fc=FAINT, ec=MUTED, lw=1))
        axes.add_patch(Circle(states.target[0], environment.reach, fc=GREEN, ec="none"))
        (self.way,) = axes.plot([], [], color=SKY, lw=2)
        self.rays = [axes.plot([], [], color=ORANGE, lw=1)[0] for _ in range(self.nearness.shape[1])]
        self.body = disc(axes, environment.radius, BLUE, PAPER, 1)
        self.nose = polygon(axes, PAPER)
        page.moving([self.way, *self.rays, self.body, self.nose])

    def update(self, moment):
        place, heading = self.places[moment], self.headings[moment]
        self.way.set_data(*self.places[: moment + 1].T)
        for ray, near, angle in zip(self.rays, self.nearness[moment], self.world.angles(), strict=True):
            end = place + (1.0 - near) * self.world.sonar * np.array([np.cos(heading + angle), np.sin(heading + angle)])
            ray.set_data([place[0], end[0]], [place[1], end[1]])
        self.body.center = tuple(place)
        radius = self.world.radius
        self.nose.set_xy(
            arrow_head(place + 0.8 * radius * np.array([np.cos(heading), np.sin(heading)]), radius, heading)
        )

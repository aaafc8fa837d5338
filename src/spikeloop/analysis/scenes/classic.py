"""Classic control: cart and pole, the car between two hills, the two-link arm, the pendulum.

Geometry and angles are those of the environments. All is drawn from what is observed, in which gymnax and Gymnasium
agree, so the scenes serve both, and Gymnasium needs no drawing package. What the agent moves is blue, what it has to
keep up or swing is orange, where it has to get to is green.
"""

import numpy as np
from matplotlib.patches import Circle, Polygon

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import (
    AbstractScene,
    action_at,
    angle_of,
    arrow_head,
    disc,
    observed,
    polygon,
    rectangle,
    turn,
    world_axes,
)
from spikeloop.analysis.style import BLUE, FAINT, GREEN, INK, MUTED, ORANGE, PAPER, TICK_SIZE


class CartPoleScene(AbstractScene):
    """A cart on a track that ends at +-2.4, its pole (orange), and the push of the moment."""

    _CART = (0.56, 0.28)  # width and height; the world's own cart is a point
    _WHEEL = 0.085
    _POLE = 1.0  # full length; the environment's `length` is half of it

    def __init__(self, page: Page, top: int, height: int, recording: Recording):
        self.recording, self.x, self.theta = recording, observed(recording, 0), observed(recording, 2)
        axes = world_axes(page, top, height, (0.0, 0.62), 6.0 * height / page.width)
        axes.plot([-2.4, 2.4], [0, 0], color=MUTED, lw=1.5, solid_capstyle="butt")
        for limit in (-2.4, 2.4):
            axes.plot([limit, limit], [-0.07, 0.07], color=MUTED, lw=1.5)
            label = f"{limit:+.1f}".replace("-", "\N{MINUS SIGN}")
            axes.text(limit, -0.14, label, ha="center", va="top", fontsize=TICK_SIZE, color=MUTED)
        self.cart = polygon(axes, BLUE, 2)
        self.wheels = [disc(axes, self._WHEEL, PAPER, INK, 2) for _ in range(2)]
        (self.pole,) = axes.plot([0, 0], [0, 1], color=ORANGE, lw=7)
        self.axle = disc(axes, 0.045, INK, INK, 1)
        self.push = polygon(axes, MUTED)
        page.moving([self.push, self.cart, *self.wheels, self.pole, self.axle])

    def update(self, moment):
        x, theta = self.x[moment], self.theta[moment]
        width, height = self._CART
        middle = self._WHEEL * 2 + 0.5 * height
        self.cart.set_xy(rectangle((x, middle), width, height))
        for wheel, side in zip(self.wheels, (-1, 1), strict=True):
            wheel.center = (x + side * 0.3 * width, self._WHEEL)
        tip = (x + self._POLE * np.sin(theta), middle + self._POLE * np.cos(theta))
        self.pole.set_data([x, tip[0]], [middle, tip[1]])
        self.axle.center = (x, middle)
        action = action_at(self.recording, moment)
        self.push.set_visible(action is not None)
        side = -1 if action is None or action == 0 else 1
        self.push.set_xy(arrow_head((x + side * (0.5 * width + 0.24), middle), 0.16, 0.0 if side > 0 else np.pi))


class MountainCarScene(AbstractScene):
    """A car in a valley, the flag where it has to get to, and the push of the moment."""

    # The environment's hill is sin(3 x) scaled by 0.45; it is drawn flatter, so that the width of the page is used.
    _STEEP = 0.27
    _CAR = (0.13, 0.05)
    _WHEEL = 0.02
    _GOAL = 0.5

    def __init__(self, page: Page, top: int, height: int, recording: Recording):
        self.recording, self.x = recording, observed(recording, 0)
        axes = world_axes(page, top, height, (-0.3, 0.055), 1.98 * height / page.width)
        x = np.linspace(-1.2, 0.6, 200)
        hill = self._hill(x)
        axes.fill_between(x, hill, -1.0, color=FAINT, lw=0)
        axes.plot(x, hill, color=MUTED, lw=1.8)
        foot = self._hill(self._GOAL)
        axes.plot([self._GOAL, self._GOAL], [foot, foot + 0.15], color=INK, lw=1.8)
        flag = np.array([[0, 0.15], [0.085, 0.125], [0, 0.1]]) + (self._GOAL, foot)
        axes.add_patch(Polygon(flag, facecolor=GREEN, edgecolor="none"))
        self.car = polygon(axes, BLUE, 2)
        self.cabin = polygon(axes, BLUE, 2)
        self.wheels = [disc(axes, self._WHEEL, PAPER, INK, 2) for _ in range(2)]
        self.push = polygon(axes, MUTED)
        page.moving([self.push, self.cabin, self.car, *self.wheels])

    def _hill(self, x):
        return self._STEEP * np.sin(3 * x)

    def _strength(self, action) -> float:
        """The push, from -1 to 1."""
        return float(action) - 1.0

    def update(self, moment):
        x = self.x[moment]
        angle = np.arctan(3 * self._STEEP * np.cos(3 * x))
        ground, upright = np.array([x, self._hill(x)]), turn(angle)
        width, height = self._CAR
        for wheel, side in zip(self.wheels, (-1, 1), strict=True):
            wheel.center = tuple(ground + upright @ (side * 0.3 * width, self._WHEEL))
        middle = ground + upright @ (0.0, self._WHEEL + 0.5 * height)
        self.car.set_xy(rectangle(middle, width, height, angle))
        self.cabin.set_xy(rectangle(middle + upright @ (0.0, 0.7 * height), 0.5 * width, 0.6 * height, angle))
        action = action_at(self.recording, moment)
        strength = 0.0 if action is None else float(np.clip(self._strength(action), -1, 1))
        side = np.sign(strength) or 1.0
        tip = middle + upright @ (side * (0.5 * width + 0.02 + 0.045 * abs(strength)), 0.0)
        self.push.set_visible(strength != 0.0)
        self.push.set_xy(arrow_head(tip, 0.045 * abs(strength), angle if side > 0 else angle + np.pi))


class MountainCarContinuousScene(MountainCarScene):
    """The same valley; the push is any number from -1 to 1, and the flag stands a little lower."""

    _GOAL = 0.45

    def _strength(self, action):
        return float(action[0])


class AcrobotScene(AbstractScene):
    """Two links, of which only the joint between them has a motor; the tip has to get above the green line."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording):
        self.upper, self.lower = angle_of(recording, 0, 1), angle_of(recording, 2, 3)
        axes = world_axes(page, top, height, (0.0, 0.0), 4.5)
        axes.plot([-2.2, 2.2], [1, 1], color=GREEN, lw=1.5, ls=(0, (4, 3)))
        axes.text(2.26, 1, "goal", va="center", fontsize=TICK_SIZE, color=GREEN)
        self.links = [axes.plot([0, 0], [0, 1], color=colour, lw=9)[0] for colour in (BLUE, ORANGE)]
        self.joints = [disc(axes, 0.09, INK, PAPER, 1) for _ in range(2)]
        self.tip = disc(axes, 0.07, PAPER, ORANGE, 2.5)
        page.moving([*self.links, *self.joints, self.tip])

    def update(self, moment):
        upper, lower = self.upper[moment], self.upper[moment] + self.lower[moment]
        elbow = np.array([np.sin(upper), -np.cos(upper)])
        tip = elbow + (np.sin(lower), -np.cos(lower))
        self.links[0].set_data([0, elbow[0]], [0, elbow[1]])
        self.links[1].set_data([elbow[0], tip[0]], [elbow[1], tip[1]])
        self.joints[1].center, self.tip.center = tuple(elbow), tuple(tip)


class PendulumScene(AbstractScene):
    """A rod on a motor that has to point up, at the green mark; the arc is the torque of the moment, at most 2."""

    def __init__(self, page: Page, top: int, height: int, recording: Recording):
        self.recording, self.theta = recording, angle_of(recording, 0, 1)
        axes = world_axes(page, top, height, (0.0, 0.0), 2.5)
        axes.add_patch(Circle((0, 0), 1.0, fill=False, ec=FAINT, lw=1.5))
        axes.plot([0, 0], [1.06, 1.18], color=GREEN, lw=3)
        (self.rod,) = axes.plot([0, 0], [0, 1], color=ORANGE, lw=10)
        (self.torque,) = axes.plot([], [], color=BLUE, lw=2.5)
        self.head = polygon(axes, BLUE)
        self.axle = disc(axes, 0.06, INK, PAPER, 1)
        page.moving([self.rod, self.torque, self.head, self.axle])

    def update(self, moment):
        theta = self.theta[moment]  # from upright, anticlockwise
        self.rod.set_data([0, -np.sin(theta)], [0, np.cos(theta)])
        action = action_at(self.recording, moment)
        torque = 0.0 if action is None else float(np.clip(action[0], -2, 2))
        radius, reach = 0.32, 0.6 * np.pi * abs(torque) / 2
        start = theta + 0.5 * np.pi  # the rod's own direction, as an angle from the x axis
        arc = start + np.sign(torque) * np.linspace(0.0, reach, 24)
        self.torque.set_data(radius * np.cos(arc), radius * np.sin(arc))
        end = radius * np.array([np.cos(arc[-1]), np.sin(arc[-1])])
        direction = arc[-1] + 0.5 * np.pi * np.sign(torque)
        tip = end + 0.1 * np.array([np.cos(direction), np.sin(direction)])
        self.head.set_xy(arrow_head(tip, 0.15, direction))
        self.torque.set_visible(abs(torque) > 0.05)
        self.head.set_visible(abs(torque) > 0.05)

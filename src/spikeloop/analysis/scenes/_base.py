"""The contract of a scene: the world of one episode, drawn moment by moment."""

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording


class AbstractScene(abc.ABC):
    """A part of a page that shows the environment. It adds artists to the page when it is made, and then moves them."""

    @abc.abstractmethod
    def __init__(self, page: Page, top: int, height: int, recording: Recording):
        """Draw on the page's full width, from `top` down, `height` pixels."""

    @abc.abstractmethod
    def update(self, moment: int) -> None:
        """Show one moment of the recording, from 0 (the reset) to ``recording.decisions`` (the end)."""


def observed(recording: Recording, index: int) -> Float[np.ndarray, " moments"]:
    """One entry of the observation, at every moment."""
    return np.asarray(recording.observations[:, index], np.float64)


def angle_of(recording: Recording, cosine: int, sine: int) -> Float[np.ndarray, " moments"]:
    """The angle (radians) that is observed as cosine and sine, at every moment."""
    return np.arctan2(observed(recording, sine), observed(recording, cosine))


def action_at(recording: Recording, moment: int) -> Shaped[np.ndarray, "..."] | None:
    """The action chosen at a moment; none is at the end."""
    return recording.actions[moment, ...] if moment < recording.decisions else None


def world_axes(page: Page, top: int, height: int, centre: tuple[float, float], tall: float) -> Axes:
    """Axes over the page's width with the same scale both ways: `tall` units of the world high, around `centre`."""
    axes = page.axes(0, top, page.width, height)
    half_width, half_height = 0.5 * tall * page.width / height, 0.5 * tall
    axes.set_xlim(centre[0] - half_width, centre[0] + half_width)
    axes.set_ylim(centre[1] - half_height, centre[1] + half_height)
    return axes


def polygon(axes: Axes, colour: str, edge: int | float = 0) -> Polygon:
    """A polygon without corners yet; with an edge of so many points its corners are rounded."""
    shape = Polygon(np.zeros((3, 2)), facecolor=colour, edgecolor=colour, lw=edge, joinstyle="round")
    axes.add_patch(shape)
    return shape


def disc(axes: Axes, radius: float, colour: str, edge_colour: str, edge: int | float) -> Circle:
    """A disc at the origin, with an edge of so many points."""
    shape = Circle((0, 0), radius, fc=colour, ec=edge_colour, lw=edge)
    axes.add_patch(shape)
    return shape


def rectangle(
    centre: Sequence[float] | np.ndarray, width: float, height: float, angle: Any = 0.0
) -> Float[np.ndarray, "4 2"]:
    """Corners of a rectangle turned by `angle` (radians, anticlockwise)."""
    corners = 0.5 * np.array([[-width, -height], [width, -height], [width, height], [-width, height]])
    return np.asarray(centre, np.float64) + corners @ turn(angle).T


def turn(angle: Any) -> Float[np.ndarray, "2 2"]:
    """The matrix that turns a vector by `angle` (radians, anticlockwise)."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def arrow_head(tip: Sequence[float] | np.ndarray, size: float, angle: Any) -> Float[np.ndarray, "3 2"]:
    """Corners of a triangle that points along `angle`."""
    corners = size * np.array([[0.0, 0.0], [-1.0, 0.55], [-1.0, -0.55]])
    return np.asarray(tip, np.float64) + corners @ turn(angle).T

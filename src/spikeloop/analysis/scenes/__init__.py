"""Scenes: an environment's moments drawn on a page, each world in a way of its own."""

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes._base import AbstractScene
from spikeloop.analysis.scenes.classic import (
    AcrobotScene,
    CartPoleScene,
    MountainCarContinuousScene,
    MountainCarScene,
    PendulumScene,
)
from spikeloop.analysis.scenes.grids import GridScene, GridworldScene, MinAtarScene, games
from spikeloop.analysis.scenes.maze import MazeScene
from spikeloop.analysis.scenes.mujoco import MuJoCoScene
from spikeloop.analysis.scenes.others import ObservationScene, PictureScene
from spikeloop.analysis.scenes.vehicle import VehicleScene
from spikeloop.environments import (
    AbstractEnvironment,
    Gridworld,
    Gymnasium,
    Gymnax,
    ImageMaze,
    MuJoCo,
    TargetVehicle,
)
from spikeloop.errors import InvalidInput

__all__ = [
    "AbstractScene",
    "AcrobotScene",
    "CartPoleScene",
    "GridScene",
    "GridworldScene",
    "MazeScene",
    "MinAtarScene",
    "MountainCarContinuousScene",
    "MountainCarScene",
    "MuJoCoScene",
    "ObservationScene",
    "PendulumScene",
    "PictureScene",
    "VehicleScene",
    "action_names",
    "make_scene",
    "variable_names",
]

_CLASSIC = {
    "Acrobot-v1": AcrobotScene,
    "CartPole-v1": CartPoleScene,
    "MountainCar-v0": MountainCarScene,
    "MountainCarContinuous-v0": MountainCarContinuousScene,
    "Pendulum-v1": PendulumScene,
}

# By the environments' own sources; MinAtar's are gymnax's smaller sets, which leave out what a game has no use for.
_ACTION_NAMES = {
    "Acrobot-v1": ("torque \N{MINUS SIGN}1", "none", "torque +1"),
    "CartPole-v1": ("left", "right"),
    "ImageMaze": ("\u2196", "\u2191", "\u2197", "\u2190", "stay", "\u2192", "\u2199", "\u2193", "\u2198"),
    "Gridworld": ("up", "down", "left", "right"),
    "MountainCar-v0": ("left", "none", "right"),
    "MountainCarContinuous-v0": ("push",),
    "Pendulum-v1": ("torque",),
    "TargetVehicle": ("turn",),
    "Asterix-MinAtar": ("none", "left", "up", "right", "down"),
    "Breakout-MinAtar": ("none", "left", "right"),
    "Freeway-MinAtar": ("none", "up", "down"),
    "Seaquest-MinAtar": ("none", "left", "up", "right", "down", "fire"),
    "SpaceInvaders-MinAtar": ("none", "left", "right", "fire"),
}

_POINT = ("position", "velocity")
_VARIABLE_NAMES = {
    "Acrobot-v1": ("cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "velocity 1", "velocity 2"),
    "CartPole-v1": ("position", "velocity", "angle", "angular velocity"),
    "Gridworld": ("row", "column"),
    "MountainCar-v0": _POINT,
    "MountainCarContinuous-v0": _POINT,
    "Pendulum-v1": ("cos angle", "sin angle", "angular velocity"),
}


def make_scene(
    environment: AbstractEnvironment, page: Page, top: int, height: int, recording: Recording
) -> AbstractScene:
    """The scene that suits the environment, over the page's width from `top` down, `height` pixels.

    A world that has no scene of its own, or a simulator that cannot draw here, is shown by its observations.
    """
    name, note = environment.spec.name, ""
    if isinstance(environment, (Gymnax, Gymnasium)) and name in _CLASSIC:
        return _CLASSIC[name](page, top, height, recording)
    if isinstance(environment, Gymnax) and name in games():
        return MinAtarScene(page, top, height, recording, name)
    if isinstance(environment, ImageMaze):
        return MazeScene(page, top, height, recording, environment)
    if isinstance(environment, Gridworld):
        return GridworldScene(page, top, height, recording, environment.side)
    if isinstance(environment, TargetVehicle):
        return VehicleScene(page, top, height, recording, environment)
    if isinstance(environment, MuJoCo):
        return MuJoCoScene(page, top, height, recording, environment)
    if isinstance(environment, Gymnasium):
        try:
            return PictureScene(page, top, height, recording, environment)
        except InvalidInput as error:
            note = f"no picture: {error}"
    shape = recording.observations.shape[1:]
    if len(shape) == 2 or (len(shape) == 3 and shape[2] <= 10):
        return GridScene(page, top, height, recording)
    return ObservationScene(page, top, height, recording, note)


def action_names(environment: AbstractEnvironment) -> tuple[str, ...]:
    """What the actions (or the entries of an action) are called; numbered from 1 where nothing better is known."""
    spec = environment.spec
    names = _ACTION_NAMES.get(spec.name, ())
    count = spec.actions.output_size
    return names if len(names) == count else tuple(f"action {index + 1}" for index in range(count))


def variable_names(environment: AbstractEnvironment) -> tuple[str, ...]:
    """What the entries of a (flat) observation are called; numbered from 1 where nothing better is known."""
    spec = environment.spec
    names, count = _VARIABLE_NAMES.get(spec.name, ()), spec.observation_size
    if isinstance(environment, TargetVehicle):
        names = (*(f"sonar {index}" for index in range(1, count)), "direction")
    return names if len(names) == count else tuple(f"variable {index + 1}" for index in range(count))

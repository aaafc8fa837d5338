"""The worlds that an agent acts in."""

from spikeloop.environments._base import AbstractEnvironment, Box, Discrete, Spec, Step
from spikeloop.environments.codes import AbstractCodes, RandomCodes
from spikeloop.environments.gridworld import Gridworld, GridworldState
from spikeloop.environments.gymnasium import Gymnasium
from spikeloop.environments.gymnax import Gymnax
from spikeloop.environments.image_maze import ImageMaze, ImageMazeState
from spikeloop.environments.mujoco import MuJoCo
from spikeloop.environments.target_vehicle import TargetVehicle, VehicleState

__all__ = [
    "AbstractCodes",
    "AbstractEnvironment",
    "Box",
    "Discrete",
    "Gridworld",
    "GridworldState",
    "Gymnasium",
    "Gymnax",
    "ImageMaze",
    "ImageMazeState",
    "MuJoCo",
    "RandomCodes",
    "Spec",
    "Step",
    "TargetVehicle",
    "VehicleState",
]

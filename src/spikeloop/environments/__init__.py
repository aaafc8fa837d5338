"""The worlds that an agent acts in."""

from spikeloop.environments._base import AbstractEnvironment, Box, Discrete, Spec, Step
from spikeloop.environments.gridworld import Gridworld, GridworldState
from spikeloop.environments.gymnasium import Gymnasium
from spikeloop.environments.gymnax import Gymnax
from spikeloop.environments.mujoco import MuJoCo

__all__ = [
    "AbstractEnvironment",
    "Box",
    "Discrete",
    "Gridworld",
    "GridworldState",
    "Gymnasium",
    "Gymnax",
    "MuJoCo",
    "Spec",
    "Step",
]

"""The parts of neuron-level learning: what a unit is credited with, and how large its steps are."""

from spikeloop.learners.agents.credit import AbstractCredit, Agreement, Coagent, ExecutedModule
from spikeloop.learners.agents.step_size import (
    AbstractStepSize,
    AfterGoodEpisodes,
    AfterGoodRewards,
    ConstantStep,
    Recent,
)

__all__ = [
    "AbstractCredit",
    "AbstractStepSize",
    "AfterGoodEpisodes",
    "AfterGoodRewards",
    "Agreement",
    "Coagent",
    "ConstantStep",
    "ExecutedModule",
    "Recent",
]

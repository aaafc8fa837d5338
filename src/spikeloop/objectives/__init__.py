"""Objectives: the mathematics of learning signals, unbatched."""

from spikeloop.objectives.temporal_difference import (
    AbstractBootstrap,
    AbstractLoss,
    DoubleBootstrap,
    Huber,
    MaxBootstrap,
    NStepReturn,
    SquaredError,
    clipped_double_q_target,
    n_step_return,
    q_learning_error,
)

__all__ = [
    "AbstractBootstrap",
    "AbstractLoss",
    "DoubleBootstrap",
    "Huber",
    "MaxBootstrap",
    "NStepReturn",
    "SquaredError",
    "clipped_double_q_target",
    "n_step_return",
    "q_learning_error",
]

"""Critics: how much is an observation worth, learned step by step. What they err by is the signal that actors learn from."""

from spikeloop.learners.critics.temporal_difference import CriticState, TemporalDifference
from spikeloop.learners.critics.value_function import (
    AbstractLinearValue,
    AbstractValueFunction,
    FourierValue,
    NetworkValue,
    PlaceCellValue,
    TableValue,
)

__all__ = [
    "AbstractLinearValue",
    "AbstractValueFunction",
    "CriticState",
    "FourierValue",
    "NetworkValue",
    "PlaceCellValue",
    "TableValue",
    "TemporalDifference",
]

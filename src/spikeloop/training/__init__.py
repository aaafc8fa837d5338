"""Training: the one loop that drives every learner, and evaluation."""

from spikeloop.training.evaluation import Evaluation, evaluate, evaluation_json
from spikeloop.training.seeds import over_seeds, spread
from spikeloop.training.trainer import Protocol, Record, SeedState, Trainer

__all__ = [
    "Evaluation",
    "Protocol",
    "Record",
    "SeedState",
    "Trainer",
    "evaluate",
    "evaluation_json",
    "over_seeds",
    "spread",
]

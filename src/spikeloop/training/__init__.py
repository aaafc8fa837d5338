"""Training: the one loop that drives every learner, evaluation, and arrays on disk."""

from spikeloop.training.checkpoint import (
    load_arrays,
    read_header,
    read_json,
    save_arrays,
    write_atomically,
    write_json,
)
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
    "load_arrays",
    "over_seeds",
    "read_header",
    "read_json",
    "save_arrays",
    "spread",
    "write_atomically",
    "write_json",
]

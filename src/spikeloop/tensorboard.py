"""TensorBoard event files of a run, through the optional package tensorboardX."""

from pathlib import Path
from typing import Any

import numpy as np

from spikeloop.errors import InvalidInput
from spikeloop.run import Watcher
from spikeloop.training import Record, Trainer


class TensorBoardWatcher(Watcher):
    """Writes every metric of every seed, on the axis of environment steps. Raises InvalidInput without tensorboardX."""

    def __init__(self, folder: Path):
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise InvalidInput("TensorBoard output needs tensorboardX: pip install 'spikeloop[tensorboard]'") from None
        self._open = SummaryWriter
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def _writer(self, arm, seed):
        name = f"{arm}/seed-{seed}"
        if name not in self._writers:
            self._writers[name] = self._open(str(self._folder / name))
        return self._writers[name]

    def records(self, arm: str, trainer: Trainer, records: list[Record]) -> None:
        for record in records:
            writer = self._writer(arm, record.seed)
            metrics = dict(record.metrics)
            if record.returns:
                metrics["return"] = float(np.mean(record.returns))
            for name, value in metrics.items():
                writer.add_scalar(name, value, record.env_steps)

    def evaluated(self, arm: str, evaluation: dict[str, Any]) -> None:
        seeds = self._seeds
        for seed, steps, returns in zip(seeds, evaluation["env_steps"], evaluation["returns"], strict=True):
            self._writer(arm, seed).add_scalar("evaluation_return", float(np.mean(returns)), steps)

    def begin(self, arm: str, trainer: Trainer) -> None:
        self._seeds = trainer.seeds

    def finished(self, arm: str, final: dict[str, Any]) -> None:
        for writer in self._writers.values():
            writer.flush()

"""Progress of a run in the terminal: one bar per learner; plain lines where the output is not a terminal."""

import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from spikeloop.analysis.statistics import interquartile_interval
from spikeloop.run import Watcher
from spikeloop.training import Record, Trainer

PLAIN_SECONDS = 10.0  # time between two lines where the output is not a terminal
SILENT, SATURATED = 1e-4, 0.999  # firing rates below or above which a layer cannot learn


class TerminalWatcher(Watcher):
    """Shows steps per second, mean return of the last episodes and firing rates while a run goes on."""

    def __init__(self, console: Console):
        self.console = console
        self.warned: set[tuple[str, str, str]] = set()
        self.progress: Progress | None = None
        if console.is_terminal:
            columns = (
                TextColumn("[bold]{task.description:<16}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:3.0f}% {task.fields[text]}"),
                TimeRemainingColumn(compact=True),
            )
            self.progress = Progress(*columns, console=console)
            self.progress.start()

    def close(self) -> None:
        """Give the terminal back."""
        if self.progress is not None:
            self.progress.stop()

    def begin(self, arm: str, trainer: Trainer) -> None:
        self.total = trainer.protocol.env_steps * len(trainer.seeds)
        self.started = self.printed = time.monotonic()
        self.steps_before = int(trainer.env_steps.sum())
        self.returns: list[float] = []
        self.first = True
        self.paced = (self.started, 0.0)
        self.last_evaluation = ""
        if self.progress is not None:
            self.task = self.progress.add_task(arm, total=1.0, text="compiling")

    def records(self, arm: str, trainer: Trainer, records: list[Record]) -> None:
        self.returns = (self.returns + [value for record in records for value in record.returns])[-200:]
        rates = _rates(records)
        self._warn(arm, records)
        steps = int(trainer.env_steps.sum())
        speed = (steps - self.steps_before) / max(time.monotonic() - self.started, 1e-9)
        text = f"{speed:,.0f} steps/s"
        if self.returns:
            text += f"  return {np.mean(self.returns):.1f}"
        text += "".join(f"  {name.replace('firing_', '')} {value:.2f}" for name, value in rates.items())
        text += self.last_evaluation
        fraction = min(1.0, steps / self.total)
        if trainer.protocol.episodes is not None:
            limit = trainer.protocol.episodes * len(trainer.seeds)
            fraction = max(fraction, min(1.0, int(np.asarray(trainer.states.episodes).sum()) / limit))
        if trainer.protocol.iterations is not None:
            limit = trainer.protocol.iterations * len(trainer.seeds)
            fraction = max(fraction, min(1.0, int(np.asarray(trainer.states.iterations).sum()) / limit))
        if self.progress is not None:
            self.progress.update(self.task, completed=fraction, text=text)
        elif self.first or time.monotonic() - self.printed > PLAIN_SECONDS:
            self.printed = time.monotonic()
            self.console.print(f"{arm}: {fraction:4.0%}  {text}{self._left(fraction)}", highlight=False)
        self.first = False

    def _left(self, fraction: float) -> str:
        """The time that is left at the pace since compilation, where there has been a pace to go by."""
        now = time.monotonic()
        if self.first or fraction >= 1.0:
            self.paced = (now, fraction)
            return ""
        since, done = self.paced
        return f"  {_duration((now - since) * (1.0 - fraction) / (fraction - done))} left" if fraction > done else ""

    def evaluated(self, arm: str, evaluation: dict[str, Any]) -> None:
        scores = np.asarray(evaluation["returns"]).mean(axis=1)
        self.last_evaluation = f"  evaluated {interquartile_interval(scores, resamples=500).estimate:.1f}"

    def finished(self, arm: str, final: dict[str, Any]) -> None:
        if final["diverged_seeds"]:
            self.console.print(
                f"warning: {arm}: the parameters of seeds {final['diverged_seeds']} are not finite; lower the learning rate",
                style="yellow",
                highlight=False,
            )
        score = interquartile_interval(np.asarray(final["returns"]).mean(axis=1))
        text = f"final return {score} in {final['wall_seconds']:.0f} s"
        if self.progress is not None and any(task.description == arm for task in self.progress.tasks):
            self.progress.update(self.task, completed=1.0, text=text)
        else:
            self.console.print(f"{arm}: 100%  {text}", highlight=False)

    def _warn(self, arm, records):
        records = list({record.seed: record for record in records}.values())  # the last of each seed
        names = {name for record in records for name in record.metrics if name.startswith("firing_rate")}
        for name in sorted(names):
            rates = [record.metrics[name] for record in records if name in record.metrics]
            for state, count in (
                ("silent", sum(rate < SILENT for rate in rates)),
                ("saturated", sum(rate > SATURATED for rate in rates)),
            ):
                if count and (arm, name, state) not in self.warned:
                    self.warned.add((arm, name, state))
                    layer = name.rsplit("_", 1)[1]
                    self.console.print(
                        f"warning: {arm}: layer {layer} is {state} in {count} of {len(rates)} seeds; it passes no gradient "
                        f"on. Change the input gain, the threshold or the neuron.",
                        style="yellow",
                        highlight=False,
                    )


def _duration(seconds: float) -> str:
    """As one would say it: 40 s, 12 min, 3 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _rates(records):
    names = {name for record in records for name in record.metrics if name.startswith("firing_rate")}
    return {
        name: float(np.mean([record.metrics[name] for record in records if name in record.metrics]))
        for name in sorted(names)
    }

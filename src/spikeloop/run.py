"""The run directory: an experiment carried out, on disk, so that it can be looked at, resumed, compared and played.

    run.json                    the experiment as data, field by field, and the format's version
    provenance.json             command, commit, versions, hardware
    arms/NAME/metrics.jsonl     one line per seed and recording: means of metrics, returns of the episodes that ended
    arms/NAME/evaluations.jsonl one line per evaluation on the way: returns of fresh episodes, for all seeds
    arms/NAME/checkpoint.safetensors  everything that changes, until the arm is finished
    arms/NAME/policy.safetensors      the final policies of all seeds
    arms/NAME/lessons.safetensors     what was learned beside the policies and is worth keeping, if anything
    arms/NAME/final.json        the evaluation of the final policies; written last: an arm that has it is finished
    summary.json, learning_curve.png  all arms side by side (the curve where there are two evaluations and few enough arms)

Nothing here depends on when a run was interrupted: a run that is resumed ends with the same files as one that never
stopped, apart from wall times (in final.json and provenance.json).
"""

import dataclasses
import functools
import json
import os
import time
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from spikeloop.component import describe
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.folder import Folder, read
from spikeloop.learners import AbstractLearner
from spikeloop.storage import load_arrays, read_header, read_json, save_arrays, write_json
from spikeloop.training import Record, Trainer, evaluation_json


class Watcher:
    """What a run tells while it goes on; the command line draws progress from it. Every method may be left as it is."""

    def begin(self, arm: str, trainer: Trainer) -> None:
        """An arm begins or goes on."""

    def records(self, arm: str, trainer: Trainer, records: list[Record]) -> None:
        """A chunk has run."""

    def evaluated(self, arm: str, evaluation: dict[str, Any]) -> None:
        """The policies were evaluated."""

    def finished(self, arm: str, final: dict[str, Any]) -> None:
        """An arm has finished, now or in an earlier session."""


class Run(Folder[Experiment]):
    """A run directory."""

    kind, form = "experiment", Experiment

    @property
    def experiment(self) -> Experiment:
        """What is carried out."""
        return self.made

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Open the directory of a run. Raises InvalidInput if there is none, or it cannot be read."""
        if "study" in read(path):
            raise InvalidInput(f"{path} holds a study: it has no learner and no policy; its results are in table.json")
        return super().open(path)

    @classmethod
    def require_ready(cls, made: Experiment) -> None:
        """Raise InvalidInput for a learner that cannot begin. Nothing is computed, only shapes."""
        for learner in made.arms.values():
            jax.eval_shape(functools.partial(learner.init, made.environment), jax.random.key(0))

    def arm_path(self, arm: str) -> Path:
        """The folder of an arm."""
        return self.path / "arms" / arm

    def final(self, arm: str) -> dict[str, Any] | None:
        """The final evaluation of an arm; None if it has not finished."""
        path = self.arm_path(arm) / "final.json"
        return read_json(path) if path.exists() else None

    def arm(self, name: str | None = None) -> str:
        """The name of an arm; the learner's for None. Raises InvalidInput if there is none of that name."""
        return self.experiment.arm(name)

    def lines(self, arm: str, file: str) -> list[dict[str, Any]]:
        """The records of metrics.jsonl or evaluations.jsonl."""
        path = self.arm_path(arm) / file
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return []
        except (ValueError, OSError):
            raise InvalidInput(f"{path} is damaged") from None

    @property
    def finished(self) -> bool:
        """Whether every arm has finished."""
        return all(self.final(arm) is not None for arm in self.experiment.arms)

    def carry_out(
        self, watcher: Watcher | None = None, checkpoint_seconds: float = 20.0, only: str | None = None
    ) -> None:
        """Train and evaluate every arm that has not finished, going on from its checkpoint; or one of them alone.

        Arms share no file, so several processes may each carry out another arm of one run at the same time. Saves a checkpoint
        at every `checkpoint_seconds` of training, more seldom where saving takes long, and before it lets go of a
        KeyboardInterrupt.
        """
        watcher = watcher or Watcher()
        for arm, learner in self.experiment.arms.items():
            if only not in (None, arm):
                continue
            final = self.final(arm)
            if final is None:
                final = self._carry_out_arm(arm, learner, watcher, checkpoint_seconds)
            watcher.finished(arm, final)

    def _carry_out_arm(
        self, arm: str, learner: AbstractLearner, watcher: Watcher, checkpoint_seconds: float
    ) -> dict[str, Any]:
        experiment, protocol = self.experiment, self.experiment.protocol
        trainer = Trainer(experiment.environment, learner, protocol, experiment.seed_range)
        files = ArmFiles(self.arm_path(arm), trainer)
        watcher.begin(arm, trainer)
        try:
            while not trainer.done:
                records = trainer.advance()
                files.add_records(records)
                watcher.records(arm, trainer, records)
                due = files.due(protocol.evaluations)
                if due is not None:
                    evaluation = trainer.evaluate(protocol.evaluation_episodes, due)
                    watcher.evaluated(arm, files.add_evaluation(evaluation_json(evaluation)))
                files.save_if_due(checkpoint_seconds)
        except KeyboardInterrupt:
            files.save_last()
            raise
        final = {
            "env_steps": trainer.env_steps.tolist(),
            "episodes": np.asarray(trainer.states.episodes).tolist(),
            "seeds": list(experiment.seed_range),
            "diverged_seeds": trainer.diverged(),
            **evaluation_json(trainer.evaluate(protocol.final_episodes, protocol.env_steps + 1)),
            "wall_seconds": round(files.wall_seconds(), 2),
        }
        files.finish(final, self._policy_header(trainer))
        return final

    def _policy_header(self, trainer: Trainer) -> dict[str, Any]:
        actors = eqx.filter_eval_shape(trainer.actors)
        return {
            "policy": describe(actors.policy),
            "selection": describe(actors.selection),
            "spec": describe(self.experiment.environment.spec),
            "seeds": list(self.experiment.seed_range),
        }


class ArmFiles:
    """The files of an arm in the making: they always agree with the last checkpoint, or are cut back to it."""

    def __init__(self, path: Path, trainer: Trainer):
        self.path, self.trainer = path, trainer
        self.checkpoint = path / "checkpoint.safetensors"
        header = {"chunk": 0, "evaluations": 0, "metrics.jsonl": 0, "evaluations.jsonl": 0, "wall_seconds": 0.0}
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"cannot make {path}: {error.strerror or error}") from None
        if self.checkpoint.exists():
            blank, header = header, read_header(self.checkpoint)
            if set(header) != set(blank) or not all(isinstance(value, int | float) for value in header.values()):
                raise InvalidInput(f"{self.checkpoint} has a damaged header")
            trainer.restore(load_arrays(self.checkpoint, trainer.template()), header["chunk"])
        self.evaluations, self.earlier = header["evaluations"], header["wall_seconds"]
        self.started = self.saved = time.monotonic()
        self.saving = 0.0  # how long the last save took, s
        self.last = (trainer.states, header)
        for name in ("metrics.jsonl", "evaluations.jsonl"):
            self._cut(name, header[name])

    def wall_seconds(self) -> float:
        """Wall time of the arm so far, over all sessions."""
        return self.earlier + time.monotonic() - self.started

    def add_records(self, records: list[Record]) -> None:
        """Append what a chunk brought."""
        self._append("metrics.jsonl", [dataclasses.asdict(record) for record in records])

    def add_evaluation(self, evaluation: dict[str, Any]) -> dict[str, Any]:
        """Append an evaluation on the way; returns it with its place on the axis of environment steps."""
        evaluation = {"env_steps": self.trainer.env_steps.tolist(), **evaluation}
        self._append("evaluations.jsonl", [evaluation])
        return evaluation

    def due(self, evaluations: int) -> int | None:
        """The step count of the evaluation that is due now, if one is."""
        trainer, total = self.trainer, self.trainer.protocol.env_steps
        reached = total if trainer.done else int(trainer.env_steps.min())
        if reached * evaluations < (self.evaluations + 1) * total:
            return None
        self.evaluations = evaluations if trainer.done else reached * evaluations // total
        return reached

    def save_if_due(self, seconds: float) -> None:
        """Remember this moment, and save it if the last save is long ago."""
        header = {
            "chunk": self.trainer.chunk,
            "evaluations": self.evaluations,
            "metrics.jsonl": self._size("metrics.jsonl"),
            "evaluations.jsonl": self._size("evaluations.jsonl"),
            "wall_seconds": self.wall_seconds(),
        }
        self.last = (self.trainer.states, header)
        # A large replay takes a while to save: at most a fortieth of the time goes into it, unless 0 was asked for.
        if time.monotonic() - self.saved >= (max(seconds, 40.0 * self.saving) if seconds else 0.0):
            self.save_last()

    def save_last(self) -> None:
        """Save the last moment at which arrays and files agreed."""
        started = time.monotonic()
        states, header = self.last
        save_arrays(self.checkpoint, jax.device_get(states), header)
        self.saved = time.monotonic()
        self.saving = self.saved - started

    def finish(self, final: dict[str, Any], header: dict[str, Any]) -> None:
        """Write the policies and the final evaluation, and let the checkpoint go."""
        save_arrays(self.path / "policy.safetensors", jax.device_get(self.trainer.actors().params), header)
        lessons = jax.device_get(self.trainer.lessons())
        if lessons:
            save_arrays(self.path / "lessons.safetensors", lessons, {"seeds": header["seeds"]})
        write_json(self.path / "final.json", final)
        self.checkpoint.unlink(missing_ok=True)

    def _append(self, name, rows):
        try:
            with open(self.path / name, "a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
        except OSError as error:
            raise InvalidInput(f"cannot write {self.path / name}: {error.strerror or error}") from None

    def _cut(self, name, size):
        try:
            with open(self.path / name, "ab") as file:
                file.truncate(size)
        except OSError as error:
            raise InvalidInput(f"cannot write {self.path / name}: {error.strerror or error}") from None

    def _size(self, name):
        return os.path.getsize(self.path / name)

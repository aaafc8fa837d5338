"""Run directories: what is written, and that an interruption at any moment changes nothing of it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from spikeloop.component import build, describe
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.learners import SynapseAgents
from spikeloop.learners.synapses import PreviousRewards, SynapseState, SynapticRule
from spikeloop.policies import DeepPolicy
from spikeloop.run import Run, Watcher
from spikeloop.storage import load_arrays, read_header, save_arrays
from spikeloop.training import Protocol
from tests.small import ENV_STEPS, small_experiment

ROOT = Path(__file__).parent.parent
# Wall times differ between two runs of the same experiment; nothing else may.
TIMED = ("wall_seconds",)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Run:
    """A run that nothing interrupted."""
    run = Run.create(tmp_path_factory.mktemp("runs") / "finished", small_experiment(), "small")
    run.carry_out()
    return run


def contents(path: Path) -> dict[str, object]:
    """What a run learned and measured: every file of every arm, without wall times."""
    found: dict[str, object] = {}
    for file in sorted((path / "arms").rglob("*")):
        if file.name == "final.json":
            final = json.loads(file.read_text())
            found[str(file.relative_to(path))] = {key: final[key] for key in final if key not in TIMED}
        elif file.is_file():
            found[str(file.relative_to(path))] = file.read_bytes()
    return found


def test_a_finished_run_holds_what_the_documentation_says(finished):
    for arm in ("spiking-dqn", "ann-twin", "random-weights", "random-actions"):
        names = {file.name for file in finished.arm_path(arm).iterdir()}
        assert names == {"metrics.jsonl", "evaluations.jsonl", "policy.safetensors", "final.json"}
    assert json.loads((finished.path / "run.json").read_text())["name"] == "small"
    assert set(json.loads((finished.path / "provenance.json").read_text())) >= {
        "command",
        "commit",
        "packages",
        "hardware",
    }


def test_the_experiment_comes_back_from_its_json(finished):
    assert describe(Run.open(finished.path).experiment) == describe(small_experiment())
    assert build(describe(small_experiment())) == small_experiment()


def test_every_step_and_episode_is_accounted_for(finished):
    for arm in ("spiking-dqn", "random-actions"):
        lines = finished.lines(arm, "metrics.jsonl")
        assert max(line["env_steps"] for line in lines) == ENV_STEPS
        for seed in (0, 1):
            mine = [line for line in lines if line["seed"] == seed]
            # CartPole pays 1 a step, so a return is a length, and only the last episode may be unfinished.
            assert all(line["returns"] == line["lengths"] for line in mine)
            assert ENV_STEPS - 500 < sum(sum(line["lengths"]) for line in mine) <= ENV_STEPS
    final = finished.final("spiking-dqn")
    assert np.shape(final["returns"]) == (2, 4)


def test_evaluations_come_at_the_stated_intervals(finished):
    assert [line["env_steps"] for line in finished.lines("ann-twin", "evaluations.jsonl")] == [
        [200] * 2,
        [400] * 2,
        [600] * 2,
    ]


def test_lessons_are_kept_beside_the_policies(tmp_path):
    """One table per seed, and they differ; the arms of the finished run have no lessons, and have no such file."""
    learner = SynapseAgents(DeepPolicy(()), SynapticRule(SynapseState((PreviousRewards(1),))))
    protocol = Protocol(env_steps=300, iterations=8, evaluations=1, evaluation_episodes=1, final_episodes=1)
    run = Run.create(tmp_path / "run", Experiment(learner=learner, label="tabular", protocol=protocol, seeds=3))
    run.carry_out()
    path = run.arm_path("tabular") / "lessons.safetensors"
    assert read_header(path)["seeds"] == [0, 1, 2]
    tables = np.asarray(load_arrays(path, {"table": jax.ShapeDtypeStruct((3, 3, 3), np.float32)})["table"])
    assert np.isfinite(tables).all() and all(table.any() for table in tables)
    assert len({table.tobytes() for table in tables}) == 3


class InterruptAfter(Watcher):
    """Presses Ctrl-C after so many chunks."""

    def __init__(self, chunks: int):
        self.left = chunks

    def records(self, arm, trainer, records):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_arms_carried_out_alone_and_in_another_order_are_the_same(finished, tmp_path):
    run = Run.create(tmp_path / "shared", small_experiment(), "small")
    for arm in reversed(run.experiment.arms):
        assert not run.finished
        Run.open(run.path).carry_out(only=arm)
    assert run.finished and contents(run.path) == contents(finished.path)


@pytest.mark.parametrize("chunks", [1, 12, 30])
def test_an_interrupted_run_resumes_bit_for_bit(finished, tmp_path, chunks):
    run = Run.create(tmp_path / "run", small_experiment())
    with pytest.raises(KeyboardInterrupt):
        run.carry_out(InterruptAfter(chunks), checkpoint_seconds=1e9)
    Run.open(tmp_path / "run").carry_out()
    assert contents(tmp_path / "run") == contents(finished.path)


def command_line(*arguments: str) -> subprocess.Popen:
    """The command line in a process of its own, which compiles as a user's does."""
    command, quiet = [sys.executable, "-m", "spikeloop", *arguments], subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "XLA_FLAGS": ""}, stdout=quiet, stderr=quiet)


def test_a_killed_run_resumes_bit_for_bit(tmp_path):
    """SIGKILL, which nothing can catch, at random moments of one run; its twin is left alone."""
    whole, killed = str(tmp_path / "whole"), str(tmp_path / "killed")
    assert command_line("run", "tests/small.py", "--out", whole).wait() == 0
    arguments = ["run", "tests/small.py", "--out", killed, "--checkpoint-seconds", "0"]
    generator, kills = random.Random(time.time_ns()), 0
    while kills < 2:
        process = command_line(*arguments)
        size, deadline = written(killed), time.monotonic() + 120
        while written(killed) == size and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(generator.uniform(0.0, 0.5))
        if process.poll() is not None:
            break  # it finished before we could
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        arguments = ["resume", killed, "--checkpoint-seconds", "0"]
    assert kills > 0
    assert command_line("resume", killed).wait() == 0
    assert contents(Path(killed)) == contents(Path(whole))


def written(path: str) -> int:
    """Bytes of metrics that a run has written."""
    return sum(file.stat().st_size for file in Path(path).glob("arms/*/metrics.jsonl"))


def test_bad_run_directories_are_refused_in_one_line(finished, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "run.json").write_text('{"format": 1, "exper')
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "run.json").write_text('{"format": 99}')
    (tmp_path / "hostile").mkdir()
    hostile = {"format": 1, "experiment": {"type": "os:system", "command": "true"}}
    (tmp_path / "hostile" / "run.json").write_text(json.dumps(hostile))
    for name, words in {
        "missing": "no such directory",
        "empty": "no run.json",
        "half": "half-written",
        "newer": "format 99",
        "hostile": "unknown component",
    }.items():
        with pytest.raises(InvalidInput, match=words) as caught:
            Run.open(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(KeyboardInterrupt):
        Run.create(tmp_path / "stopped", small_experiment()).carry_out(InterruptAfter(1))
    checkpoint = tmp_path / "stopped" / "arms" / "spiking-dqn" / "checkpoint.safetensors"
    save_arrays(checkpoint, {}, {"chunk": "one"})
    with pytest.raises(InvalidInput, match="damaged header"):
        Run.open(tmp_path / "stopped").carry_out()
    with pytest.raises(InvalidInput, match="exists already"):
        Run.create(finished.path, small_experiment())

"""The command line, as a newcomer and as an impatient one would use it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.cli import main, progress
from spikeloop.cli.overrides import fields, override
from spikeloop.errors import InvalidInput
from spikeloop.neurons import IntegrateAndFire, LeakyIntegrateAndFire
from spikeloop.provenance import cores
from tests.small import small_experiment

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def run_path(tmp_path_factory) -> Path:
    """A finished run, made by the command line."""
    path = tmp_path_factory.mktemp("cli") / "run"
    assert main(["run", str(ROOT / "tests" / "small.py"), "--out", str(path), "--protocol.env-steps", "300"]) == 0
    return path


def fails(capsys, *arguments: str) -> str:
    """The one line that a mistake is answered with."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("spikeloop: ") and captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


def test_help_answers_without_loading_jax():
    code = "import sys; from spikeloop.cli import main; main(['--help']); assert 'jax' not in sys.modules"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    for command in ("run", "resume", "evaluate", "compare", "play", "list"):
        assert command in output


@pytest.mark.parametrize(
    ("said", "devices"),
    [
        ({}, min(cores(), 16)),
        ({"JAX_NUM_CPU_DEVICES": "3"}, 3),
        ({"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}, 3),
    ],
    ids=str,
)
def test_each_core_is_a_device_unless_the_user_says_otherwise(said, devices):
    code = "from spikeloop.cli import main; main(['list', 'decoders']); import jax; print(len(jax.devices()))"
    env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"} | said
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=env)
    assert output.stdout.splitlines()[-1] == str(devices)


def test_the_first_run_prints_a_table_of_every_arm(run_path, capsys):
    assert main(["evaluate", str(run_path), "--episodes", "3", "--seed", "5"]) == 0
    output = capsys.readouterr().out
    for word in ("spiking-dqn", "ann-twin", "random-weights", "random-actions", "IQM return", "95 % interval"):
        assert word in output
    assert (run_path / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert set(json.loads((run_path / "summary.json").read_text())["arms"]) == {
        "spiking-dqn",
        "ann-twin",
        "random-weights",
        "random-actions",
    }


def test_evaluation_is_reproducible_and_follows_the_overridden_environment(run_path, capsys):
    outputs = []
    for arguments in (
        ["--seed", "1"],
        ["--seed", "1"],
        ["--seed", "2"],
        ["--seed", "1", "--environment.max-steps", "5"],
    ):
        assert main(["evaluate", str(run_path), "--episodes", "4", "--json", *arguments]) == 0
        outputs.append(json.loads(capsys.readouterr().out)["arms"])
    returns = [output["random-actions"]["returns"] for output in outputs]
    assert returns[0] == returns[1] != returns[2]
    assert max(map(max, returns[3])) <= 5


def test_compare_draws_one_figure(run_path, tmp_path, capsys):
    figure = tmp_path / "both.png"
    shutil.copytree(run_path, tmp_path / "other")
    assert main(["compare", str(run_path), str(tmp_path / "other"), "--out", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    output = capsys.readouterr().out
    assert "run/ann-twin" in output and "other/ann-twin" in output


def test_play_draws_an_animation(run_path, tmp_path):
    assert main(["play", str(run_path), "--out", str(tmp_path / "play.gif"), "--max-decisions", "5"]) == 0
    assert (tmp_path / "play.gif").read_bytes().startswith(b"GIF8")


def test_a_host_simulator_runs_on_the_same_loop(tmp_path, capsys):
    words = ["--no-controls", "--environment", "Gymnasium", "--protocol.env-steps", "60", "--seeds", "2"]
    assert main(["run", str(ROOT / "tests" / "small.py"), "--out", str(tmp_path / "run"), *words]) == 0
    assert "spiking-dqn" in capsys.readouterr().out


def test_tensorboard_files_are_written_when_asked(tmp_path):
    words = ["--no-controls", "--tensorboard", "--protocol.env-steps", "60"]
    assert main(["run", str(ROOT / "tests" / "small.py"), "--out", str(tmp_path / "run"), *words]) == 0
    events = list((tmp_path / "run" / "tensorboard").rglob("events.out.tfevents.*"))
    assert len(events) == 2 and all(event.stat().st_size > 100 for event in events)


def test_list_names_every_kind(capsys):
    assert main(["list"]) == 0
    output = capsys.readouterr().out
    for kind in ("experiments", "environments", "encoders", "neurons", "networks", "decoders", "learners"):
        assert f"{kind}:" in output
    assert "Abstract" not in "".join(line.split()[0] for line in output.splitlines() if line.strip())


def test_mistakes_are_answered_in_one_line(run_path, tmp_path, capsys):
    small = str(ROOT / "tests" / "small.py")
    out = ["--out", str(tmp_path / "never")]
    assert "did you mean 'cartpole'" in fails(capsys, "run", "cartpol")
    assert "did you mean --seeds" in fails(capsys, "run", small, *out, "--seedz", "3")
    assert "did you mean --learner.policy.ticks" in fails(capsys, "run", small, *out, "--learner.policy.tick", "3")
    refused = fails(capsys, "run", small, *out, "--learner.policy.network.neuron.threshold", "-1")
    assert re.match(r"spikeloop: \w+\.threshold must be a positive", refused)  # nothing of the parser's before it
    assert fails(capsys, "run", small, *out, "--seeds", "x").startswith("spikeloop: --seeds: ")
    assert "positive" in fails(capsys, "run", small, *out, "--learner.policy.network.neuron.threshold", "nan")
    assert "between 0 and 1" in fails(capsys, "run", small, *out, "--learner.discount", "1.5")
    assert "whole number" in fails(capsys, "run", small, *out, "--seeds", "0")
    assert "invalid" in fails(capsys, "run", small, *out, "--seeds", "three").lower()
    assert "not one of" in fails(capsys, "run", small, *out, "--learner.policy.network.neuron", "Hodgkin")
    assert "CartPole-v1" in fails(capsys, "run", small, *out, "--environment.name", "CartPol-v1")
    assert "discrete" in fails(capsys, "run", small, *out, "--environment.name", "Pendulum-v1")
    assert "gain has 2 entries" in fails(capsys, "run", small, *out, "--learner.policy.encoder.gain", "1", "2")
    assert not (tmp_path / "never").exists()
    assert "comes first" in fails(capsys, "run", "--seeds", "1", small)
    assert "does not exist" in fails(capsys, "run", "nothing.py")
    assert "no such directory" in fails(capsys, "resume", str(tmp_path / "nothing"))
    assert "no such directory" in fails(capsys, "evaluate", str(tmp_path / "nothing"))
    assert "no arm 'x'" in fails(capsys, "run", "cartpole", "--arm", "x", "--out", str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    assert "no arm 'x'" in fails(capsys, "evaluate", str(run_path), "--arm", "x")
    assert "at least 1" in fails(capsys, "evaluate", str(run_path), "--episodes", "0")
    assert "no list of" in fails(capsys, "list", "telepathy")
    assert "gif" in fails(capsys, "play", str(run_path), "--out", str(tmp_path / "x.bmp"))
    assert "unknown option" in fails(capsys, "play", str(run_path), "--fast")
    assert "invalid choice" in fails(capsys, "fly")
    assert "exists already" in fails(capsys, "run", small, "--out", str(run_path))


def test_a_damaged_policy_is_refused(run_path, tmp_path, capsys):
    for damage in (b"", b"\x80\x04cos\nsystem\n", b"\xff" * 64):
        path = run_path / "arms" / "spiking-dqn" / "policy.safetensors"
        whole = path.read_bytes()
        try:
            path.write_bytes(damage)
            assert "safetensors" in fails(capsys, "evaluate", str(run_path), "--arm", "spiking-dqn")
            path.write_bytes(whole[: len(whole) // 2])
            assert "safetensors" in fails(capsys, "play", str(run_path), "--out", str(tmp_path / "x.gif"))
        finally:
            path.write_bytes(whole)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    """A file-size limit stands for a full disk: writing a checkpoint beyond it fails in the same way."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000));"
        "from spikeloop.cli import main;"
        f"sys.exit(main(['run', 'tests/small.py', '--out', {str(tmp_path / 'run')!r}, '--checkpoint-seconds', '0']))"
    )
    environment = {**os.environ, "SPIKELOOP_CACHE": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("spikeloop: cannot write") and done.stderr.count("\n") == 1
    assert main(["resume", str(tmp_path / "run")]) == 0


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "spikeloop", "run", "tests/small.py", "--out", str(tmp_path / "run")]
    command += ["--protocol.env-steps", "1000000", "--protocol.records", "10000"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics = tmp_path / "run" / "arms" / "spiking-dqn" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.stat().st_size > 1000):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(2)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "spikeloop resume" in error and "Traceback" not in error
    assert (tmp_path / "run" / "arms" / "spiking-dqn" / "checkpoint.safetensors").exists()


def test_a_component_can_be_replaced_and_then_set():
    words = ["--learner.policy.network.neuron", "LeakyIntegrateAndFire", "--learner.policy.network.neuron.tau", "3.5"]
    changed = override(small_experiment(), words, "test")
    assert fields(changed)["learner.policy.network.neuron"] == LeakyIntegrateAndFire(tau=3.5)
    assert fields(small_experiment())["learner.policy.network.neuron"] == IntegrateAndFire()


def test_every_field_can_be_given_on_the_command_line():
    experiment = small_experiment()
    numbers = {name: value for name, value in fields(experiment).items() if type(value) in (int, float)}
    assert len(numbers) > 40
    words = [word for name, value in numbers.items() for word in (f"--{name}", repr(value))]
    assert override(experiment, words, "test") == experiment


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda word: word not in ("-h", "--help")), max_size=4))
def test_no_command_line_is_answered_with_a_traceback(words):
    try:
        override(small_experiment(), words, "test")
    except InvalidInput as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (3600, "60 min"), (5500, "1 h 32 min"), (11100, "3 h 05 min")],
)
def test_the_time_that_is_left_is_said_as_one_would(seconds, said):
    assert progress._duration(seconds) == said

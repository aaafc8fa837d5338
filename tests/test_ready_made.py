"""Ready-made policies: small, whole, of the experiments that they are named after, and as good as they say."""

import jax
import numpy as np
import pytest

from spikeloop import load
from spikeloop.catalogue import ENTRIES
from spikeloop.cli import main
from spikeloop.environments import Discrete
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.loading import evaluate_policies, load_policies
from spikeloop.ready_made import is_ready_made, locate, reached, ready_made
from spikeloop.run import Run
from spikeloop.storage import read_json

NAMES = list(ready_made())


def test_there_are_some_and_the_command_line_lists_them(capsys):
    assert {"cartpole", "evolution/mountain-car", "zhang2022/pendulum"} <= set(NAMES)
    assert main(["list", "ready-made"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in NAMES) and "mean return" in printed


def test_every_experiment_has_one():
    assert set(NAMES) == {name for name, entry in ENTRIES.items() if isinstance(entry.make(), Experiment)}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_small_finished_run_of_its_experiment(name):
    path = ready_made()[name]
    files = [file for file in path.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 100_000
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    assert name in ENTRIES and is_ready_made(path)
    run = Run.open(path)
    assert run.name == name and run.finished
    assert read_json(path / "provenance.json")["commit"] and reached(path).startswith(run.arm())
    for arm in run.experiment.arms:
        policies = load_policies(run, arm)
        assert list(policies.seeds) == (run.final(arm) or {})["seeds"]
        actor = policies.of_seed(0)
        assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(actor.params))
        obs = np.zeros(policies.spec.observation_shape, np.float32)
        _, act = jax.eval_shape(actor, actor.init_state(), obs, jax.random.key(0))
        space = policies.spec.actions
        assert act.action.shape == (() if isinstance(space, Discrete) else (space.output_size,))


def test_it_is_as_good_as_it_says():
    run = Run.open(locate("cartpole"))
    arm = run.arm()
    (said,) = (run.final(arm) or {})["returns"]
    played = evaluate_policies(load_policies(run, arm), run.experiment.environment, 10, seed=5)
    assert np.mean(said) > 475 and np.mean(played.returns) == pytest.approx(np.mean(said), rel=0.05)


def test_its_name_stands_for_its_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert locate("cartpole") == ready_made()["cartpole"]
    assert load("cartpole")(np.zeros(4)) in (0, 1)
    (tmp_path / "cartpole").mkdir()
    assert str(locate("cartpole")) == "cartpole"
    with pytest.raises(InvalidInput, match=r"no such directory.*ready-made"):
        locate("cartpol")


def test_nothing_is_written_into_the_library(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["play", "cartpole", "--max-decisions", "2"]) == 0
    assert (tmp_path / "cartpole-play.gif").exists() and "cartpole-play.gif" in capsys.readouterr().out

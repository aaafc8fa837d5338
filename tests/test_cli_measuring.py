"""`spikeloop measure` and `spikeloop compare --pareto`, as a newcomer would use them."""

import json
import shutil
from pathlib import Path

import jax
import pytest

from spikeloop.cli import main
from spikeloop.component import describe
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment
from spikeloop.interaction import Greedy
from spikeloop.learners import RandomActions, RandomSearch
from spikeloop.networks import FeedForward
from spikeloop.policies import BlindPolicy, DeepPolicy, SpikingPolicy
from spikeloop.run import Run
from spikeloop.storage import save_arrays, write_json

POLICIES = {
    "spiking": SpikingPolicy(network=FeedForward((4,)), ticks=2),
    "ann-twin": DeepPolicy((4,)),
    "random-actions": BlindPolicy(),
}


@pytest.fixture(scope="module")
def run_path(tmp_path_factory) -> Path:
    """A finished run of two seeds whose policies were never trained, which takes no time."""
    path = tmp_path_factory.mktemp("measuring") / "untrained"
    world = Gymnax("CartPole-v1", max_steps=6)
    learners = {name: RandomSearch(policy=policy) for name, policy in POLICIES.items() if name != "random-actions"}
    experiment = Experiment(
        environment=world,
        learner=learners["spiking"],
        label="spiking",
        controls={"ann-twin": learners["ann-twin"], "random-actions": RandomActions()},
        seeds=2,
    )
    run = Run.create(path, experiment)
    for arm, policy in POLICIES.items():
        header = {"policy": policy, "selection": Greedy(), "spec": world.spec}
        keys = jax.random.split(jax.random.key(0), 2)
        params = jax.vmap(lambda key, policy=policy: policy.init(4, 2, key))(keys)
        run.arm_path(arm).mkdir(parents=True)
        header = {**{name: describe(value) for name, value in header.items()}, "seeds": [0, 1]}
        save_arrays(run.arm_path(arm) / "policy.safetensors", params, header)
        final = {"returns": [[6.0], [6.0]], "env_steps": [1, 1], "wall_seconds": 0.0, "spikes_per_decision": [0.0, 0.0]}
        write_json(run.arm_path(arm) / "final.json", {**final, "firing_rates": []})
    return path


def fails(capsys, *arguments: str) -> str:
    """The one line that a mistake is answered with."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("spikeloop: ") and captured.err.count("\n") == 1 and not captured.out
    return captured.err


def test_measure_prints_every_learner_and_what_is_assumed(run_path, capsys):
    assert main(["measure", str(run_path), "--episodes", "3"]) == 0
    output = capsys.readouterr().out
    said = ("spiking", "input product once a decision", "ann-twin", "footprint", "dense", "45 nm CMOS", "Loihi", "≥")
    for word in (
        *said,
        "Horowitz 2014",
        "Davies et al. 2018",
        "Memory traffic",
        "no synapses to count: random-actions",
    ):
        assert word in output


def test_measure_as_json(run_path, tmp_path, capsys):
    energies = tmp_path / "mine.json"
    energies.write_text(json.dumps({"name": "mine", "mac": 10, "ac": 0, "membrane_update": 0, "byte": 0}))
    words = ["--episodes", "3", "--json", "--energies", str(energies), "--policy-seed", "1", "--arm", "ann-twin"]
    assert main(["measure", str(run_path), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["arms"]) == ["ann-twin"] and found["energy_tables"][0]["mac"] == [10.0, 10.0]
    twin = found["arms"]["ann-twin"]
    decision = twin["every_tick"]["decision"]
    assert len(twin["returns"]) == 1 and len(twin["returns"][0]) == 3
    assert decision["dense"]["iqm"] == 24 and 16 <= decision["effective_macs"]["iqm"] <= 24
    assert decision["energy_pj"]["mine"]["low"]["iqm"] == pytest.approx(10 * decision["effective_macs"]["iqm"])


def test_pareto_writes_a_figure_and_its_numbers(run_path, tmp_path, capsys):
    shutil.copytree(run_path, tmp_path / "other")
    figure = tmp_path / "front.png"
    words = ["--pareto", "--episodes", "2", "--out", str(figure)]
    assert main(["compare", str(run_path), str(tmp_path / "other"), *words]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG") and str(figure) in capsys.readouterr().out
    learners = json.loads(figure.with_suffix(".json").read_text())["learners"]
    assert set(learners) == {f"{run}/{arm}" for run in ("untrained", "other") for arm in ("spiking", "ann-twin")}
    assert learners["other/ann-twin"]["parameters"]["at"] == 4 * 4 + 4 + 4 * 2 + 2
    assert learners["other/spiking"] == learners["untrained/spiking"]


def test_mistakes_are_answered_in_one_line(run_path, tmp_path, capsys):
    run, bad = str(run_path), tmp_path / "bad.json"
    bad.write_text('{"name": "x", "ac": -1}')
    assert "no such directory" in fails(capsys, "measure", str(tmp_path / "none"))
    assert "no arm 'ann'" in fails(capsys, "measure", run, "--arm", "ann")
    assert "it has 0, 1" in fails(capsys, "measure", run, "--policy-seed", "7")
    assert "--episodes must be at least 1" in fails(capsys, "measure", run, "--episodes", "0")
    assert "a number of at least 0" in fails(capsys, "measure", run, "--energies", str(bad))
    assert "does not exist" in fails(capsys, "measure", run, "--energies", str(tmp_path / "none.json"))
    assert "random-actions has no synapses" in fails(capsys, "measure", run, "--arm", "random-actions")
    assert "must end in .png" in fails(capsys, "compare", run, "--pareto", "--out", str(tmp_path / "x.pdf"))
    assert "there is no directory" in fails(capsys, "compare", run, "--pareto", "--out", str(tmp_path / "no" / "x.png"))
    assert "--energies is for --pareto" in fails(capsys, "compare", run, "--energies", str(bad))
    assert not list(tmp_path.glob("x*"))


def test_an_unfinished_run_says_how_to_go_on(run_path, tmp_path, capsys):
    unfinished = tmp_path / "unfinished"
    shutil.copytree(run_path, unfinished)
    (unfinished / "arms" / "spiking" / "final.json").unlink()
    assert "has not finished; `spikeloop resume" in fails(capsys, "measure", str(unfinished))

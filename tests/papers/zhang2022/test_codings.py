"""The table of codings: finished runs by their final policies, others by the last evaluation that all have reached."""

import json

import numpy as np
import pytest

from spikeloop.encoders import PopulationCode
from spikeloop.environments import Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.neurons import CurrentLeakyIntegrateAndFire, DynamicNeuron
from spikeloop.papers.zhang2022 import report_codings, side_by_side
from spikeloop.papers.zhang2022.codings import difference
from spikeloop.papers.zhang2022.setting import spiking_actor
from spikeloop.run import Run

ARMS = {"population": 1.0, "population-lif": 3.0, "random-actions": -5.0}


@pytest.fixture
def run(tmp_path):
    """A run of one coding with both neurons, of which nothing has been carried out."""
    neurons = {"population": DynamicNeuron(), "population-lif": CurrentLeakyIntegrateAndFire()}
    actors = {name: spiking_actor(PopulationCode(), neuron) for name, neuron in neurons.items()}
    return Run.create(tmp_path / "run", side_by_side(Gymnax("Pendulum-v1"), 3000, actors, 10).with_fields(seeds=4))


def evaluate(run, arm, file, *scores):
    """One line for each score: that of every seed and episode."""
    run.arm_path(arm).mkdir(parents=True, exist_ok=True)
    lines = [{"env_steps": [100 * (n + 1)] * 4, "returns": [[score] * 2] * 4} for n, score in enumerate(scores)]
    (run.arm_path(arm) / file).write_text("\n".join(map(json.dumps, lines)))


def test_a_finished_run_is_told_by_its_final_policies(run):
    for arm, score in ARMS.items():
        evaluate(run, arm, "final.json", score)
        evaluate(run, arm, "evaluations.jsonl", 77.0)
    assert [path.name for path in report_codings(run)] == ["table.json", "codings.png"]
    table = json.loads((run.path / "table.json").read_text())
    row = table["codings"]["population"]
    assert table["env_steps"] == 3000 and table["random_actions"]["iqm"] == -5.0
    assert (row["dynamic neuron"]["iqm"], row["LIF"]["iqm"], row["difference"]["iqm"]) == (1.0, 3.0, -2.0)


def test_an_unfinished_run_is_told_by_the_last_evaluation_of_all(run):
    for arm, score in ARMS.items():
        evaluate(run, arm, "evaluations.jsonl", 0.0, score, *([99.0] if arm == "population" else []))
    report_codings(run)
    table = json.loads((run.path / "table.json").read_text())
    assert table["env_steps"] == 200 and table["codings"]["population"]["difference"]["iqm"] == -2.0


def test_a_coding_alone_has_nothing_to_be_compared_with(run):
    made = run.experiment.with_fields(controls={})
    alone = Run.create(run.path.with_name("alone"), made)
    evaluate(alone, "population", "final.json", 1.0)
    assert report_codings(alone) == []


def test_nothing_to_report(run):
    with pytest.raises(InvalidInput, match="no evaluations"):
        report_codings(run)


def test_a_difference_has_its_interval_around_the_truth():
    generator = np.random.default_rng(0)
    one, other = generator.normal(3.0, 1.0, 200), generator.normal(1.0, 1.0, 200)
    found = difference(one, other)
    low, high = found["interval_95"]
    assert low < 2.0 < high and high - low < 1.0
    assert difference(one, one)["iqm"] == 0.0

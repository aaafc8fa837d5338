"""The page says what was computed, holds everything, and trusts no name."""

import html
import json
import re

import numpy as np
import pytest
from tests.inspection.conftest import HOSTILE, POLICY
from tests.inspection.runs import untrained_run

from spikeloop.environments import Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.inspection import gather
from spikeloop.inspection.gathering import initial_actor
from spikeloop.inspection.page import MODULES, bundle, script_json, source
from spikeloop.learners import RandomSearch
from spikeloop.policies import DeepPolicy
from spikeloop.run import Run
from spikeloop.training import Trainer


def test_names_are_text_and_never_markup(page):
    text = page.read_text()
    assert html.escape(HOSTILE) in text
    assert "<script>alert" not in text and "<img src=x" not in text
    assert text.count("</script>") == text.count("<script") == 4


def test_json_cannot_end_its_script():
    value = {"name": HOSTILE, "odd": "\u2028&<!--", "nan": float("nan"), "deep": [(float("inf"), 1)]}
    text = script_json(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == {**value, "nan": None, "deep": [[None, 1]]}


def test_the_page_asks_no_network_for_anything(page):
    text = page.read_text().replace(source("vendor/uPlot.iife.min.js"), "")
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//|@import|url\(", text)
    assert set(re.findall(r"https?://[^\s\"')]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert page.stat().st_size < 1_000_000


def test_every_module_is_in_the_page_once_and_every_import_before_its_user():
    for place, name in enumerate(MODULES):
        for needed in re.findall(r'^import .* from "\./(.*)";$', source(name), re.M):
            assert needed in MODULES[:place], f"{name} needs {needed}"
    made = bundle()
    assert not re.search(r"^(import|export) ", made, re.M)
    names = re.findall(r"^(?:async )?(?:class|function|const|let) (\w+)", made, re.M)
    assert len(names) == len(set(names)) > 40


def test_without_scripts_the_tables_say_it_all(page, inspection):
    text = re.sub(r"<script.*?</script>", "", page.read_text(), flags=re.S)
    assert "<noscript>" in text
    study = inspection.lesions
    assert study is not None and len(study.lesions) >= 5
    for name in ("hidden 1", "hidden 2", "position", "angular velocity", "left", "right", "hidden 1 \u2192 hidden 2"):
        assert name in text
    rows = re.search(r"lesions as a table</summary>(.*?)</table>", text, re.S)
    assert rows is not None and rows[1].count("<tr>") == len(study.lesions) + 1
    mean = float(study.intact.mean())
    assert f"intact {mean:.0f}" in text or f"intact {mean:.3g}" in text


def test_every_neuron_that_fired_has_its_lesion(inspection):
    study = inspection.lesions
    fired = sum(counts.shape[2] for counts in inspection.recording.spikes) - sum(inspection.never_fired)
    assert len(study.lesions) == fired and all(len(lesion.neurons) == 1 for lesion in study.lesions)
    assert inspection.intact.changed == 0 and inspection.intact.output_change == 0
    for change in inspection.changes:
        assert sum(change.frequencies) == pytest.approx(1)
        assert change.changed == 0 or change.output_change > 0
    assert any(change.output_change > 0 for change in inspection.changes)


def test_weights_begin_where_the_trainer_begins(tmp_path):
    experiment = Experiment(environment=Gymnax("CartPole-v1"), learner=RandomSearch(POLICY), seeds=2, first_seed=5)
    run = Run.create(tmp_path / "run", experiment)
    trainer = Trainer(experiment.environment, experiment.learner, experiment.protocol, experiment.seed_range)
    params = trainer.actors().params
    mine = initial_actor(run, run.arm(), 6).params
    np.testing.assert_array_equal(mine.network[0].weight, params.network[0].weight[1])


def test_a_policy_without_spikes_and_a_run_without_end_are_refused(tmp_path):
    deep = Experiment(environment=Gymnax("CartPole-v1"), learner=RandomSearch(DeepPolicy((4,))))
    run = untrained_run(tmp_path / "deep", deep)
    with pytest.raises(InvalidInput, match=r"has no spikes \(DeepPolicy\); inspect needs a spiking policy"):
        gather(run)
    with pytest.raises(InvalidInput, match="has not finished"):
        gather(Run.create(tmp_path / "begun", deep))
    with pytest.raises(InvalidInput, match="no seed 9; it has 0"):
        gather(run, policy_seed=9)
    with pytest.raises(InvalidInput, match="at least 0, got -1"):
        gather(run, episodes=-1)

"""The table of spiking over deep actors: its measures by hand, seeds put together, and what it refuses."""

import re
from pathlib import Path

import numpy as np
import pytest

from spikeloop.component import describe
from spikeloop.errors import InvalidInput
from spikeloop.papers.zhang2022 import mujoco_experiments, table_1
from spikeloop.papers.zhang2022.table_1 import ratio
from spikeloop.storage import write_json

CURVE = np.asarray([[1.0, 5.0, 3.0], [7.0, 2.0, 6.0]])  # [evaluations, seeds]


def kept(folder: Path, name: str, scores, curve=CURVE, first_seed=0) -> Path:
    """What is kept of a run."""
    folder.mkdir()
    made = mujoco_experiments()[name]().with_fields(seeds=len(scores), first_seed=first_seed)
    write_json(folder / "run.json", {"experiment": describe(made)})
    arm = {"scores": scores, "env_steps": 1000.0, "spikes_per_decision": 9.0}
    arm["curve"] = {"env_steps": [500, 1000], "scores": np.asarray(curve).tolist()}
    write_json(folder / "summary.json", {"arms": {made.label: arm}})
    return folder


def test_the_measures_by_hand(tmp_path):
    runs = [
        kept(tmp_path / "a", "hopper/mdc-san", [4.0, 2.0, 6.0]),
        kept(tmp_path / "b", "hopper/dan", [2.0, 2.0, 2.0]),
    ]
    found = table_1(runs)
    row = found["tasks"]["hopper"]["mdc-san"]
    assert row["largest_of_average"] == 5.0  # (7 + 2 + 6) / 3, which is more than (1 + 5 + 3) / 3
    assert row["average_of_largest"] == 6.0  # (7 + 5 + 6) / 3
    assert row["largest_deviation"] == pytest.approx(np.std([7.0, 5.0, 6.0]), abs=0.05)
    assert row["final"] == pytest.approx(4.0)
    assert row["ratio"]["estimate"] == pytest.approx(2.0)
    assert row["ratio"]["interval_95"] == [pytest.approx(value / 2.0) for value in row["final_interval_95"]]
    lines = found["markdown"].splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| hopper, mdc-san", "| hopper, dan"]
    assert "1.07" in lines[2] and "1.01" in lines[2]  # 3636 / 3396 and 3446 / 3410


def test_runs_of_other_seeds_go_together(tmp_path):
    scores, curve = [4.0, 2.0, 6.0, 1.0, 9.0], np.random.default_rng(0).normal(size=(2, 5))
    whole = table_1([kept(tmp_path / "all", "ant/mdc-san", scores, curve)])
    parts = [
        kept(tmp_path / "first", "ant/mdc-san", scores[:2], curve[:, :2]),
        kept(tmp_path / "rest", "ant/mdc-san", scores[2:], curve[:, 2:], first_seed=2),
    ]
    assert table_1(parts) == whole


def test_a_ratio_of_seeds_that_are_all_alike_is_certain_and_one_to_a_failing_twin_says_nothing():
    assert ratio([3.0, 3.0], [2.0, 2.0]) == {"estimate": 1.5, "interval_95": [1.5, 1.5]}
    assert ratio([3.0, 3.0], [2.0, -0.1]) is None


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda at: [kept(at / "a", "ant/dan", [1.0]), kept(at / "b", "ant/dan", [1.0])], "actor, task and seed"),
        (lambda at: [kept(at / "a", "ant/dan", [1.0]), kept(at / "b", "ant/popsan", [1.0], CURVE[:1])], "same budget"),
        (lambda at: [at], "is no run of an actor of Zhang 2022"),
        (lambda at: [_unfinished(at / "a")], "has not finished"),
    ],
)
def test_bad_input_is_one_line(tmp_path, made, says):
    with pytest.raises(InvalidInput, match=re.escape(says)) as caught:
        table_1(made(tmp_path))
    assert "\n" not in str(caught.value)


def _unfinished(folder):
    (kept(folder, "ant/dan", [1.0]) / "summary.json").unlink()
    return folder

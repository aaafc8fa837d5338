"""The linear toy as a study: its files, and that a table learned by it is one that the library reads."""

import json

import pytest

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import StaticTable, static_table
from spikeloop.papers.bhargava2022 import LinearToy, adaptive, static


def test_its_files(tmp_path):
    LinearToy(dimensions=(2,), iterations=2000, seeds=3).carry_out(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"values.json", "values.txt", "table.json", "losses.png"}
    table = json.loads((tmp_path / "table.json").read_text())
    assert set(table["final_loss"]) == set(table["percent_lost"]) == {"adaptive, 2 weights", "static, 2 weights"}
    # A step of 0.01 in every iteration: 20 in all, where a target is at most 10 away.
    assert table["percent_lost"]["adaptive, 2 weights"][1] > 20.0
    assert isinstance(static_table(json.loads((tmp_path / "values.json").read_text())), StaticTable)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"iterations": 500}, "iterations must be a multiple of 200"),
        ({"dimensions": ()}, "dimensions must be a non-empty tuple"),
        ({"rule": static()}, "rule.value must be a Table, which is learned"),
        ({"teaching": adaptive().with_fields(value=static().value)}, "teaching.value must be a Table"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=message):
        LinearToy(**fields)

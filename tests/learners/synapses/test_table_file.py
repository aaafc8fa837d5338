"""Tables as files and as text."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conformance.test_build import as_users_have_it

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import StaticTable, SynapseState, Weight, readable, static_table, table_json
from spikeloop.learners.synapses.value import cell

M1 = SynapseState()


def drawn(cells, seed=0):
    return np.random.default_rng(seed).normal(size=(cells, 3)).astype(np.float32)


def test_a_table_comes_back_from_json():
    values = drawn(81)
    data = json.loads(json.dumps(table_json(M1.names, 3, values), allow_nan=False))
    assert data["state"] == ["a[t-1]", "a[t-2]", "r[t-1]", "r[t-2]"]
    table = static_table(data)
    assert table.bins == 3
    np.testing.assert_allclose(np.asarray(table.values), values, atol=1e-6)
    assert static_table(table_json(M1.names, 3, np.asarray(table.values))) == table


@pytest.mark.parametrize("seed", range(4))
def test_m1_reads_as_nine_by_nine(seed):
    """The symbol in the row of the last two actions and the column of the last two rewards is the best action there."""
    values = drawn(81, seed)
    lines = readable(M1.names, static_table(table_json(M1.names, 3, values))).splitlines()
    assert lines[0] == "rows: a[t-1], a[t-2]; columns: r[t-1], r[t-2]"
    columns, rows = lines[1].split(), {line.split()[0]: line.split()[1:] for line in lines[2:]}
    assert columns == list(rows) == [one + two for one in "-0+" for two in "-0+"]
    number = {"-": -1.0, "0": 0.0, "+": 1.0}
    for row, symbols in rows.items():
        for column, symbol in zip(columns, symbols, strict=True):
            state = jnp.asarray([number[mark] for mark in row + column])
            assert number[symbol] == values[int(cell(state, 3))].argmax() - 1


def test_symbols_stand_under_their_columns():
    lines = readable(M1.names, static_table(table_json(M1.names, 3, drawn(81)))).splitlines()[1:]
    ends = [place for place, mark in enumerate(lines[0] + " ") if mark == " " and lines[0][place - 1 : place].strip()]
    for line in lines[1:]:
        assert [place + 1 for place in range(3, len(line)) if line[place] != " "] == ends


def test_equal_values_are_marked():
    values = ((1.0, 1.0, 0.0), (0.0, 2.0, 1.0), (0.0, 0.0, 0.0))
    text = readable(Weight().names, StaticTable(3, values))
    assert [line.split() for line in text.splitlines()[2:]] == [["-", "?"], ["0", "0"], ["+", "?"]]


def test_other_bins_count_from_the_lowest():
    lines = readable(("w",), StaticTable(12, tuple((0.0, 0.0, 1.0) for _ in range(12)))).splitlines()
    assert [line.split() for line in lines[2:]] == [[mark, "+"] for mark in "0123456789ab"]


def test_what_cannot_be_written_as_text_is_refused_in_one_line():
    with pytest.raises(InvalidInput, match="more than 36 bins"):
        readable(("w",), StaticTable(37, ((0.0, 0.0, 1.0),) * 37))
    with pytest.raises(InvalidInput, match=r"2 numbers .* needs 3\^2$"):
        readable(("w", "x"), StaticTable(3, ((0.0, 0.0, 1.0),) * 3))


scalars = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=3)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
rows = st.lists(anything | st.lists(st.floats(-9, 9), min_size=3, max_size=3), max_size=3)
tables = st.fixed_dictionaries(
    {"state": anything | st.just(["w"]), "bins": anything | st.just(3), "values": anything | rows}
)


@given(tables | anything)
@example({"state": ["w"], "bins": 3, "values": [[0, 0, 1]] * 3})
@example({"state": ["w"], "bins": 3, "values": [[0, 0, 1]] * 2})
@example({"state": ["w"] * 5000, "bins": 10**400, "values": [[0, 0, 1]]})
@example({"state": ["w"], "bins": 3, "values": [[0, 0, 10**400]] * 3})
@example({"state": ["w"], "bins": float("inf"), "values": [[0, 0, 1]]})
@example({"state": ["w"], "bins": 1, "values": [[0, 0, float("nan")]]})
@example({"state": 5, "bins": 1, "values": [[0, 0, 1]]})
@example({"bins": 1, "values": [[0, 0, 1]]})
def test_whatever_the_file_holds_it_is_a_table_or_refused_in_one_line(data):
    with as_users_have_it():
        try:
            table = static_table(data)
        except InvalidInput as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert len(table.values) == table.bins ** len(data["state"])
            assert np.isfinite(np.asarray(table.values, np.float32)).all()

"""Energy: arithmetic by hand, ranges, unknown figures, and tables that are none."""

import json

import numpy as np
import pytest

from spikeloop.analysis.measurement import EnergyTable, Work, default_tables, estimate, load_tables
from spikeloop.errors import InvalidInput

WORK = Work(macs=np.asarray([10]), acs=np.asarray([100]), updates=np.asarray([7]), idle=np.asarray([3]))


def table(**figures) -> EnergyTable:
    """A table with these figures alone."""
    return EnergyTable.of({"name": "mine", **figures}, "mine.json")


def test_energy_by_hand():
    found = estimate(table(mac=2, ac=0.5, membrane_update=[1, 3], membrane_idle=0.1, byte=0.01), WORK)
    traffic = 0.01 * (4 * 110 + 8 * 7)
    assert found.low == pytest.approx(20 + 50 + 7 + 0.3 + traffic)
    assert found.high == pytest.approx(20 + 50 + 21 + 0.3 + traffic)
    assert found.without == ()


def test_what_has_no_figure_is_left_out_and_said():
    found = estimate(table(ac=0.5, byte=None), WORK)
    assert found.low == found.high == pytest.approx(50)
    assert found.without == ("MACs", "membrane updates", "membranes at rest")
    none = Work(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1))
    assert estimate(table(ac=0.5), none).without == ()


def test_the_tables_of_the_library():
    cmos, loihi = default_tables()
    assert (cmos.mac, cmos.ac) == ((4.6, 4.6), (0.9, 0.9))  # a multiplication of 3.7 pJ and an addition of 0.9 pJ
    assert loihi.mac is None and loihi.ac == (23.6, 23.6) and loihi.membrane_update == (81.0, 81.0)
    for one in (cmos, loihi):
        assert EnergyTable.of(one.as_json(), "again") == one
        line = one.line()
        assert one.source in line and "\n" not in line and "unknown" in line


def test_a_file_holds_one_table_or_several(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"name": "mine", "ac": 1.5}))
    assert [one.ac for one in load_tables(path)] == [(1.5, 1.5)]
    path.write_text(json.dumps([{"name": "a", "ac": 1}, {"name": "b", "mac": [1, 2]}]))
    assert [one.name for one in load_tables(path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "at least one energy table"),
        ("3", "an energy table is an object"),
        ("{", "not valid JSON"),
        ('{"ac": 1}', "needs a 'name'"),
        ('{"name": "x"}', "needs 'mac' or 'ac'"),
        ('{"name": "x", "add": 1}', "unknown entry 'add'"),
        ('{"name": "x", "ac": -1}', "'ac' must be a number of at least 0"),
        ('{"name": "x", "ac": true}', "'ac' must be a number"),
        ('{"name": "x", "ac": "1"}', "'ac' must be a number"),
        ('{"name": "x", "ac": NaN}', "'ac' must be a number"),
        ('{"name": "x", "ac": [1, 2, 3]}', r"or \[low, high\]"),
        ('{"name": "x", "ac": [2, 1]}', "begin with the lower"),
        ('{"name": "x", "ac": 1, "source": 5}', "'source' must be text"),
        ('[{"name": "x", "ac": 1}, {"name": "x", "ac": 2}]', "a name of its own"),
    ],
)
def test_a_bad_table_is_answered_with_one_line(tmp_path, content, said):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=said) as caught:
        load_tables(path)
    assert "\n" not in str(caught.value) and "bad.json" in str(caught.value)


def test_a_missing_table_is_said_to_be_missing(tmp_path):
    with pytest.raises(InvalidInput, match="does not exist"):
        load_tables(tmp_path / "none.json")

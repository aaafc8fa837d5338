"""Energy as an estimate from counts, with the assumptions in a table that anybody can replace.

    E = mac * MACs + ac * ACs + membrane_update * updates + membrane_idle * (membranes * ticks - updates) + byte * bytes
    bytes = 4 (MACs + ACs) + 8 updates             a weight is read for each operation; a potential is read and written

Every figure is in picojoules, a number or a range [low, high]; so the estimate is a range. A figure that is null, or left out,
is unknown: what it would price is left out of the estimate, which then is a lower bound, and is said so. `byte` is unknown in both
tables that come with the library, for it depends on where weights lie (from 1.25 pJ in a cache of 8 KB to some 300 pJ in DRAM
by Horowitz's figures), and it can be most of the energy.
"""

import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

from spikeloop.errors import InvalidInput
from spikeloop.storage import read_json

FIGURES = ("mac", "ac", "membrane_update", "membrane_idle", "byte")
NOTES = ("name", "source", "note")
TABLES = ("horowitz2014", "davies2018")
UNITS = {"mac": "MACs", "ac": "ACs", "membrane_update": "membrane updates", "membrane_idle": "membranes at rest"}

Price = tuple[float, float]  # lowest and highest, pJ


class EnergyTable(eqx.Module):
    """What each operation costs on some hardware, pJ; None where nobody knows."""

    name: str
    source: str
    note: str
    mac: Price | None
    ac: Price | None
    membrane_update: Price | None
    membrane_idle: Price | None  # of a membrane in a tick in which it does not change
    byte: Price | None  # of memory traffic

    @classmethod
    def of(cls, data: Any, place: str) -> "EnergyTable":
        """The table in a value read from JSON. Raises InvalidInput, with the place, where it is not one."""
        if not isinstance(data, dict):
            raise InvalidInput(f"{place}: an energy table is an object with {', '.join((*NOTES, *FIGURES))}")
        unknown = [key for key in data if key not in (*NOTES, *FIGURES)]
        if unknown:
            raise InvalidInput(f"{place}: unknown entry {unknown[0]!r}; there are {', '.join((*NOTES, *FIGURES))}")
        for key in NOTES:
            if not isinstance(data.get(key, ""), str):
                raise InvalidInput(f"{place}: {key!r} must be text")
        if not data.get("name"):
            raise InvalidInput(f"{place}: an energy table needs a 'name'")
        prices = {key: _price(data.get(key), f"{place}: {key!r}") for key in FIGURES}
        if prices["mac"] is None and prices["ac"] is None:
            raise InvalidInput(f"{place}: an energy table needs 'mac' or 'ac', in pJ")
        return cls(data["name"], data.get("source", "no source given"), data.get("note", ""), **prices)

    def as_json(self) -> dict[str, Any]:
        """The table as it may stand in a file."""
        prices = {key: getattr(self, key) for key in FIGURES}
        return {
            **{key: getattr(self, key) for key in NOTES},
            **{key: None if price is None else list(price) for key, price in prices.items()},
        }

    def line(self) -> str:
        """The table in one line, as the command line prints it under its estimates."""
        names = dict(zip(FIGURES, ("MAC", "AC", "membrane update", "membrane at rest", "byte"), strict=True))
        said = ", ".join(f"{names[key]} {_shown(getattr(self, key))}" for key in FIGURES)
        return f"{self.name}: {said} ({self.source}{'; ' if self.note else ''}{self.note})"


class Work(eqx.Module):
    """What is to be priced; arrays of one shape."""

    macs: np.ndarray
    acs: np.ndarray
    updates: np.ndarray
    idle: np.ndarray  # membranes that did not change, tick by tick


class EnergyEstimate(eqx.Module):
    """Lowest and highest energy in pJ, in the shape of the work, and what has no price and is left out."""

    low: np.ndarray
    high: np.ndarray
    without: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing at all had a price."""
        return not np.any(self.high)


def estimate(table: EnergyTable, work: Work) -> EnergyEstimate:
    """The energy of this work, by this table."""
    amounts = {
        "mac": work.macs,
        "ac": work.acs,
        "membrane_update": work.updates,
        "membrane_idle": work.idle,
        "byte": 4 * (work.macs + work.acs) + 8 * work.updates,
    }
    low, high, without = np.zeros(np.shape(work.macs)), np.zeros(np.shape(work.macs)), []
    for key, amount in amounts.items():
        price = getattr(table, key)
        if price is not None:
            low, high = low + price[0] * amount, high + price[1] * amount
        elif key in UNITS and np.any(amount):
            without.append(UNITS[key])
    return EnergyEstimate(low, high, tuple(without))


def default_tables() -> tuple[EnergyTable, ...]:
    """The tables that come with the library: 45 nm CMOS (Horowitz 2014) and Loihi (Davies et al. 2018)."""
    folder = resources.files("spikeloop.analysis.measurement") / "energies"
    return tuple(EnergyTable.of(json.loads((folder / f"{name}.json").read_text("utf-8")), name) for name in TABLES)


def load_tables(path: Path) -> tuple[EnergyTable, ...]:
    """The table, or the list of tables, in a JSON file. Raises InvalidInput if it holds none."""
    data = read_json(path)
    if not isinstance(data, list):
        return (EnergyTable.of(data, str(path)),)
    if not data:
        raise InvalidInput(f"{path} holds an empty list, and should hold at least one energy table")
    tables = tuple(EnergyTable.of(one, f"{path}, table {place}") for place, one in enumerate(data, 1))
    if len({table.name for table in tables}) < len(tables):
        raise InvalidInput(f"{path}: each energy table needs a name of its own")
    return tables


def _price(value, place):
    if value is None:
        return None
    pair = value if isinstance(value, list) else [value, value]
    numbers = [n for n in pair if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(pair) != 2 or len(numbers) != 2 or not all(0 <= n < 1e12 and math.isfinite(n) for n in pair):
        raise InvalidInput(f"{place} must be a number of at least 0 in pJ, or [low, high], or null")
    if pair[0] > pair[1]:
        raise InvalidInput(f"{place} must begin with the lower of its two numbers")
    return float(pair[0]), float(pair[1])


def _shown(price):
    if price is None:
        return "unknown"
    return f"{price[0]:g} pJ" if price[0] == price[1] else f"{price[0]:g} to {price[1]:g} pJ"

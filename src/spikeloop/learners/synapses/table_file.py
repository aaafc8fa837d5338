"""Tables of values as files and as text: what synapses learned, to keep, to use elsewhere, and to read."""

import itertools
import json
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses.value import ACTIONS, StaticTable

SYMBOLS = {-1: "-", 0: "0", 1: "+"}
MARKS = "0123456789abcdefghijklmnopqrstuvwxyz"


def table_json(names: tuple[str, ...], bins: int, values: Float[np.ndarray, "cells 3"]) -> dict[str, Any]:
    """A table as data: what the state says, the bins of each of its numbers, and the values of every cell."""
    return {"state": list(names), "bins": bins, "values": np.round(np.asarray(values, float), 6).tolist()}


def static_table(data: Any) -> StaticTable:
    """The table that `table_json` wrote. Raises InvalidInput if it is none."""
    try:
        values: Any = tuple(tuple(float(value) for value in row) for row in data["values"])
        table, width = StaticTable(int(data["bins"]), values), len(data["state"])
    except (TypeError, KeyError, ValueError, OverflowError):
        raise InvalidInput('not a table of values: it needs "state", "bins" and "values"') from None
    table.require_width(width)
    return table


def readable(names: tuple[str, ...], table: StaticTable) -> str:
    """The table as a policy that a person can read: the best action in every cell (? where two are equal).

    Rows are the values of the first numbers of the state, columns those of the others. Raises InvalidInput if the table is
    not one of a state with these names, or has more bins than there are marks for them.
    """
    table.require_width(len(names))
    best = greedy_symbols(table)
    split = (len(names) + 1) // 2
    rows, columns = names[:split], names[split:]
    marks = bin_marks(table.bins)
    column_labels = ["".join(combination) for combination in itertools.product(marks, repeat=len(columns))]
    row_labels = ["".join(combination) for combination in itertools.product(marks, repeat=len(rows))]
    grid = np.asarray(best).reshape(len(row_labels), len(column_labels))
    head = f"rows: {', '.join(rows)}" + (f"; columns: {', '.join(columns)}" if columns else "")
    if table.bins != 3:
        head += f"; {marks[0]} is the lowest of {table.bins} equal parts of [-1, 1], {marks[-1]} the highest"
    wide = max(map(len, column_labels)) if columns else 1
    lines = [head, " " * (max(map(len, row_labels)) + 1) + " ".join(label.rjust(wide) for label in column_labels)]
    for label, cells in zip(row_labels, grid, strict=True):
        lines.append(label.ljust(len(row_labels[0]) + 1) + " ".join(symbol.rjust(wide) for symbol in cells))
    return "\n".join(line.rstrip() for line in lines)


def greedy_symbols(table: StaticTable) -> list[str]:
    """The best action of every cell: -, 0 or +; ? where two are equally good."""
    values = np.asarray(table.values)
    tied = (values == values.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return ["?" if tie else SYMBOLS[ACTIONS[best]] for tie, best in zip(tied, values.argmax(axis=1), strict=True)]


def bin_marks(bins: int) -> list[str]:
    """One character for each interval: -, 0, + for three, else digits and letters from the lowest up."""
    if bins > len(MARKS):
        raise InvalidInput(f"a table with more than {len(MARKS)} bins cannot be written as text; this one has {bins}")
    return list("-0+" if bins == 3 else MARKS[:bins])


def packaged_table(name: str) -> StaticTable:
    """A table that comes with the library: "credit" (learned across runs of `AntitheticSynapseAgents`) or "linear"."""
    text = resources.files("spikeloop.learners.synapses").joinpath("tables", f"{name}.json").read_text(encoding="utf-8")
    return static_table(json.loads(text))

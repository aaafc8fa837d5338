"""Tables of results as Markdown, with quartiles over seeds."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def quartiles(values: Float[np.ndarray, " seeds"], digits: int = 1) -> list[float]:
    """25 %, median and 75 % over seeds."""
    return np.percentile(values, [25, 50, 75]).round(digits).tolist()


def cell(values: Sequence[float]) -> str:
    """Quartiles as a table shows them: median (lower to upper)."""
    low, middle, high = values
    return f"{middle:g} ({low:g} to {high:g})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|--:" * (len(header) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])

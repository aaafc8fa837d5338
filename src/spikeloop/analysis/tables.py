"""Tables of results as Markdown, with quartiles over seeds."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def quartiles(values: Float[np.ndarray, " seeds"], digits: int = 1) -> list[float]:
    """25 %, median and 75 % over seeds."""
    return np.percentile(values, [25, 50, 75]).round(digits).tolist()


def ordered_quartiles(values: Float[np.ndarray, " seeds"]) -> list[float | None]:
    """25 %, median and 75 % as values that occur (the lower of two); infinity is never, and None in what is returned."""
    ordered = np.sort(values)
    places = [int(np.ceil(fraction * len(ordered))) - 1 for fraction in (0.25, 0.5, 0.75)]
    return [None if np.isinf(ordered[place]) else float(ordered[place]) for place in places]


def cell(values: Sequence[float | None]) -> str:
    """Quartiles as a table shows them: median (lower to upper)."""
    low, middle, high = ("never" if value is None else f"{value:,g}" for value in values)
    return f"{middle} ({low} to {high})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|--:" * (len(header) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])

"""Tables in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from spikeloop.comparison import ArmResult


def print_results(console: Console, title: str, results: Sequence[tuple[str, ArmResult]], wall: bool = True) -> None:
    """One row per learner: interquartile mean with interval, median, environment steps, wall time, spikes per decision."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("learner")
    for column in (
        "IQM return",
        "95 % interval",
        "median",
        "seeds",
        "env steps",
        *(("wall s",) if wall else ()),
        "spikes/decision",
    ):
        table.add_column(column, justify="right")
    for name, result in results:
        interval = result.interval
        table.add_row(
            name,
            f"{interval.estimate:.1f}",
            f"{interval.low:.1f} to {interval.high:.1f}",
            f"{result.median:.1f}",
            str(len(result.scores)),
            f"{result.env_steps:,.0f}",
            *((f"{result.wall_seconds:.1f}",) if wall else ()),
            f"{result.spikes_per_decision:.1f}" if result.firing_rates else "-",
        )
    console.print(table)

"""`spikeloop measure` and `spikeloop compare --pareto`: what trained policies cost, beside what they reach."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import jax
from rich.console import Console
from rich.table import Table

from spikeloop.analysis.measurement import (
    EnergyRange,
    EnergyTable,
    Measurement,
    Report,
    as_json,
    default_tables,
    has_synapses,
    load_tables,
    measure,
    over_episodes,
    returns,
)
from spikeloop.analysis.statistics import Interval, interquartile_interval
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor
from spikeloop.loading import Policies, load_policies
from spikeloop.provenance import provenance
from spikeloop.run import Run

ONCE = "  input product once a decision"  # the row beneath a policy whose input is the same at every tick


def measure_run(opened: Run, options: argparse.Namespace, console: Console) -> int:
    """Print what the policies of a run cost."""
    tables = _tables(options)
    _require_episodes(options)
    arms = [opened.arm(options.arm)] if options.arm else list(opened.experiment.arms)
    found, without = _measured(opened, arms, options, console)
    spec = opened.experiment.environment.spec
    if options.json:
        about = {"environment": spec.name, "episodes": options.episodes, "seed": options.seed}
        shown = {arm: as_json(one, tables) for arm, one in found}
        energies = [table.as_json() for table in tables]
        print(json.dumps({**about, "energy_tables": energies, "provenance": provenance(), "arms": shown}))
        return 0
    title = f"{options.run}: {options.episodes} fresh episodes per seed in {spec.name}"
    _print_holdings(console, title, found)
    _print_operations(console, options.per, found, tables)
    if without:
        _say(console, f"no synapses to count: {', '.join(without)}")
    return 0


def pareto(runs: Sequence[Run], options: argparse.Namespace, console: Console) -> int:
    """Draw return against cost for every learner of several runs."""
    from spikeloop.analysis.measurement.pareto import Candidate, draw, front_json
    from spikeloop.comparison import compare
    from spikeloop.storage import write_atomically, write_json

    figure = Path(options.out or "pareto.png")
    if figure.suffix != ".png":
        raise InvalidInput(f"--out must end in .png, got {figure}")
    if not figure.parent.is_dir():
        raise InvalidInput(f"cannot write {figure}: there is no directory {figure.parent}")
    tables = _tables(options)
    _require_episodes(options)
    found, short = [], len({opened.path.name for opened in runs}) == len(runs)
    for opened, results in compare(runs):
        prefix = "" if len(runs) == 1 else f"{opened.path.name if short else opened.path}/"
        measured, _ = _measured(opened, [result.name for result in results], options, console)
        found += [Candidate.of(prefix + arm, one, tables[0]) for arm, one in measured]
    name = runs[0].experiment.environment.spec.name
    data = {
        "environment": name,
        "episodes": options.episodes,
        "seed": options.seed,
        "energy_table": tables[0].as_json(),
        "provenance": provenance(),
        **front_json(found),
    }
    write_atomically(figure, draw(found, name, tables[0].name))
    write_json(figure.with_suffix(".json"), data)
    if options.json:
        print(json.dumps(data))
        return 0
    print(f"figure: {figure}\ndata: {figure.with_suffix('.json')}")
    return 0


def _tables(options: argparse.Namespace) -> tuple[EnergyTable, ...]:
    return load_tables(Path(options.energies)) if options.energies else default_tables()


def _require_episodes(options: argparse.Namespace) -> None:
    if options.episodes < 1:
        raise InvalidInput(f"--episodes must be at least 1, got {options.episodes}")


def _measured(
    opened: Run, arms: Sequence[str], options: argparse.Namespace, console: Console
) -> tuple[list[tuple[str, Measurement]], list[str]]:
    """The measurements of the arms that have synapses, and the names of the others."""
    found, without = [], []
    environment = opened.experiment.environment
    for arm in arms:
        policies = load_policies(opened, arm)
        seed = getattr(options, "policy_seed", None)
        actors = policies.actors if seed is None else _of_seed(policies, seed)
        if not has_synapses(environment, actors):
            without.append(arm)
            continue
        with console.status(f"measuring {arm}"):
            found.append((arm, measure(environment, actors, options.episodes, options.seed)))
    if not found:
        raise InvalidInput(f"{opened.path}: {', '.join(without)} has no synapses that could be counted")
    return found, without


def _of_seed(policies: Policies, seed: int) -> Actor:
    place = policies.place(seed)
    actors = policies.actors
    params = jax.tree.map(lambda leaf: leaf[place : place + 1], actors.params)
    return Actor(actors.policy, params, actors.actions, actors.selection)


def _print_holdings(console: Console, title: str, found: Sequence[tuple[str, Measurement]]) -> None:
    table = _table(title)
    for column in ("IQM return", "95 % interval", "seeds", "parameters", "footprint", "zero weights", "zero outputs"):
        table.add_column(column, justify="right")
    for arm, one in found:
        reached = returns(one)
        table.add_row(
            arm,
            f"{reached.estimate:.1f}",
            f"{reached.low:.1f} to {reached.high:.1f}",
            str(len(one.returns)),
            f"{one.memory.parameters:,}",
            _bytes(one.memory.footprint),
            _percent(interquartile_interval(one.connection_sparsity)),
            _percent(over_episodes(one.activation_sparsity)) if one.layers else "-",
        )
    console.print(table)


def _print_operations(
    console: Console, scope: str, found: Sequence[tuple[str, Measurement]], tables: Sequence[EnergyTable]
) -> None:
    table = _table(f"\nper {scope}: effective operations, [95 % interval], and an estimate of their energy")
    for column in ("MACs", "ACs", "dense", "membrane updates", *(table.name for table in tables)):
        table.add_column(column, justify="right")
    bounds = False
    for arm, one in found:
        for once in (False, True) if one.folds else (False,):
            report = Report.of(one, tables, scope, once)
            bounds = bounds or any(energy.without and not energy.unknown for energy in report.energies)
            table.add_row(
                ONCE if once else arm,
                *(_count(interval) for interval in (report.macs, report.acs)),
                f"{report.dense.estimate:,.0f}",
                _count(report.updates),
                *(_energy(energy) for energy in report.energies),
            )
    console.print(table)
    _say(console, "\nThe energy is an estimate. It assumes, for each operation:")
    for one in tables:
        _say(console, f"  {one.line()}")
    if bounds:
        _say(console, "≥: a lower bound, for the table has no figure for some of what is done (such as MACs)")
    if any(one.byte is None for one in tables):
        _say(
            console, "Memory traffic costs more than arithmetic on most machines; give a figure per byte in --energies."
        )


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("learner")
    return table


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False)


def _count(interval: Interval) -> str:
    if interval.low == interval.high:
        return _number(interval.estimate)
    return f"{_number(interval.estimate)} [{_number(interval.low)}, {_number(interval.high)}]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


def _percent(interval: Interval) -> str:
    return f"{100.0 * interval.estimate:.1f} %"


def _bytes(count: int) -> str:
    return f"{count / 1000.0:,.1f} kB" if count >= 1000 else f"{count} B"


def _energy(energy: EnergyRange) -> str:
    if energy.unknown:
        return "-"
    low, high = energy.low.estimate, energy.high.estimate
    unit, factor = next(((u, f) for u, f in (("mJ", 1e9), ("µJ", 1e6), ("nJ", 1e3)) if high >= f), ("pJ", 1.0))
    shown = f"{low / factor:.3g}"
    if f"{high / factor:.3g}" != shown:
        shown += f" to {high / factor:.3g}"
    return f"{'≥ ' if energy.without else ''}{shown} {unit}"

"""What is reported of a measurement: every figure with its interval over seeds, and the energy by each table."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np

from spikeloop.analysis.measurement.energy import EnergyTable, estimate
from spikeloop.analysis.measurement.measure import SCOPES, Measurement, over_episodes
from spikeloop.analysis.statistics import Interval, interquartile_interval


class EnergyRange(eqx.Module):
    """The energy by one table, pJ: from the lowest prices to the highest, and what has no price."""

    table: str
    low: Interval
    high: Interval
    without: tuple[str, ...]

    @property
    def unknown(self) -> bool:
        """Whether nothing that was done has a price."""
        return bool(self.without) and self.high.estimate == 0.0


class Report(eqx.Module):
    """Operations and energy of a tick, a decision or an episode, over all seeds."""

    macs: Interval
    acs: Interval
    dense: Interval
    updates: Interval
    energies: tuple[EnergyRange, ...]

    @classmethod
    def of(
        cls, measured: Measurement, tables: Sequence[EnergyTable], scope: str = "decision", once: bool = False
    ) -> "Report":
        """The report of a scope, "tick", "decision" or "episode"; `once` as in `Measurement.work`."""

        def interval(totals: np.ndarray) -> Interval:
            return over_episodes(measured.per(scope, totals))

        work = measured.work(once)
        energies = []
        for table in tables:
            found = estimate(table, work)
            energies.append(EnergyRange(table.name, interval(found.low), interval(found.high), found.without))
        return cls(
            macs=interval(work.macs),
            acs=interval(work.acs),
            dense=interval(measured.dense(once)),
            updates=interval(work.updates),
            energies=tuple(energies),
        )

    def as_json(self) -> dict[str, Any]:
        """The report as lists and numbers."""
        return {
            "effective_macs": _interval(self.macs),
            "effective_acs": _interval(self.acs),
            "dense": _interval(self.dense),
            "membrane_updates": _interval(self.updates),
            "energy_pj": {
                one.table: {"low": _interval(one.low), "high": _interval(one.high), "without": list(one.without)}
                for one in self.energies
            },
        }


def returns(measured: Measurement) -> Interval:
    """Interquartile mean over seeds of the mean return of the episodes, as `evaluate` reports it."""
    return interquartile_interval(measured.returns.mean(axis=1))


def as_json(measured: Measurement, tables: Sequence[EnergyTable]) -> dict[str, Any]:
    """Everything that was measured, as lists and numbers."""

    def scopes(once: bool) -> dict[str, Any]:
        return {scope: Report.of(measured, tables, scope, once).as_json() for scope in SCOPES}

    memory = measured.memory
    return {
        "return": _interval(returns(measured)),
        "returns": measured.returns.tolist(),
        "decisions": measured.decisions.tolist(),
        "ticks_per_decision": measured.ticks,
        "parameters": memory.parameters,
        "footprint_bytes": {
            "parameters": memory.parameter_bytes,
            "fixed": memory.fixed_bytes,
            "state": memory.state_bytes,
            "total": memory.footprint,
        },
        "connection_sparsity": _interval(interquartile_interval(measured.connection_sparsity)),
        "activation_sparsity": _interval(over_episodes(measured.activation_sparsity)),
        "every_tick": scopes(False),
        **({"constant_input_once": scopes(True)} if measured.folds else {}),
        "connections": [
            {
                "name": one.name,
                "size": one.size,
                "synapses": one.present.tolist(),
                "times_a_decision": one.calls,
                "constant_input": one.constant,
                "macs_per_decision": _interval(over_episodes(measured.per("decision", one.macs))),
                "acs_per_decision": _interval(over_episodes(measured.per("decision", one.acs))),
            }
            for one in measured.connections
        ],
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {"iqm": interval.estimate, "interval_95": [interval.low, interval.high]}

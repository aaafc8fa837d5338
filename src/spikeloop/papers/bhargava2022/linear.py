"""The linear toy of Bhargava et al. 2022 (AppliedMath 2(2):185-195): a perceptron whose every weight is an agent.

200 points x ~ U(+-20)^d with targets y = w* x, w* ~ U(+-10)^d; the loss is the mean squared error, the score minus the
loss. A synapse sees its last two actions and the last two rewards, in a table of 81 cells that all share; a reward is 1
if the loss fell, else -1. *Adaptive*: the table is learned while the perceptron is. *Static*: it was learned before.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.analysis.tables import cell, markdown, quartiles
from spikeloop.component import require, require_count, require_counts
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant
from spikeloop.learners.synapses import (
    Additive,
    Rates,
    SynapticRule,
    Table,
    packaged_table,
    places,
    readable,
    static_table,
    table_json,
)
from spikeloop.storage import write_atomically, write_json
from spikeloop.study import AbstractStudy

POINTS, TARGET, DATA = 200, 10.0, 20.0
LAST = 200  # iterations whose mean loss is reported


def adaptive() -> SynapticRule:
    """The rule with a table that learns: alpha_s 0.01, alpha_q 0.1, gamma 0.9; epsilon 0.1 as in the authors' final runs."""
    return SynapticRule(value=Table(3, 0.1), change=Additive(0.01), exploration=Constant(0.1), discount=0.9)


def teacher() -> SynapticRule:
    """The rule that the static table is learned with: it learns slower and explores more, or the last values are chance."""
    return adaptive().with_fields(value=Table(3, 0.01), exploration=Constant(0.3))


def static() -> SynapticRule:
    """The rule with the table that comes with the library, which `teacher` learned on three weights."""
    return adaptive().with_fields(value=packaged_table("linear"))


class Outcome(eqx.Module):
    """What became of a perceptron: the loss after every iteration, and the synapses' table at the end."""

    losses: Float[Array, " iterations"]
    table: Float[Array, "cells 3"]


def linear_toy(rule: SynapticRule, dimension: int, iterations: int, key: PRNGKeyArray) -> Outcome:
    """Train a perceptron of so many weights, from 0, on a target and data of its own."""
    target_key, data_key, rule_key, key = jax.random.split(key, 4)
    target = jax.random.uniform(target_key, (dimension,), minval=-TARGET, maxval=TARGET)
    points = jax.random.uniform(data_key, (POINTS, dimension), minval=-DATA, maxval=DATA)
    weights = jnp.zeros(dimension)
    where, rates = places(weights), Rates(jnp.zeros(dimension), jnp.zeros(dimension))

    def iterate(carry, key):
        synapses, weights = carry
        act_key, hear_key = jax.random.split(key)
        synapses, weights = rule.act(where, synapses, weights, act_key)
        loss = jnp.mean((points @ (weights - target)) ** 2)
        synapses, _ = rule.hear(where, synapses, weights, -loss, rates, hear_key)
        return (synapses, weights), loss

    start = (rule.init(where, rule_key), weights)
    (synapses, _), losses = jax.lax.scan(iterate, start, jax.random.split(key, iterations))
    return Outcome(losses, jnp.asarray(synapses.value))


class Outcomes(NamedTuple):
    """Of several seeds, fetched from the device."""

    losses: Float[np.ndarray, "seeds iterations"]
    table: Float[np.ndarray, "seeds cells 3"]


class LinearToy(AbstractStudy):
    """Bhargava et al. 2022: the linear toy, a perceptron whose every weight is an agent, with both kinds of table."""

    dimensions: tuple[int, ...] = (2, 3, 10)  # weights of the perceptrons
    iterations: int = 20_000  # of training
    seeds: int = 20  # perceptrons of each kind, each with a target and data of its own
    rule: SynapticRule = adaptive()  # the rule of the adaptive table; the static one keeps everything but the table
    teaching: SynapticRule = teacher()  # the rule that the static table is learned with, on three weights

    def __check_init__(self):
        require_counts(self, "dimensions")
        require_count(self, "iterations", least=2 * LAST)
        require(self, "iterations", lambda n: n % LAST == 0, f"a multiple of {LAST}")
        require_count(self, "seeds")
        for field, rule in (("rule", self.rule), ("teaching", self.teaching)):
            if not isinstance(rule.value, Table):
                raise InvalidInput(f"LinearToy.{field}.value must be a Table, which is learned, got {rule.value}")

    def carry_out(self, folder):
        assert isinstance(self.teaching.value, Table)
        learned = self.outcomes(self.teaching, 3, first_seed=1000).table.mean(axis=0)
        names = self.teaching.state.names
        table = table_json(names, self.teaching.value.bins, learned)
        frozen = self.rule.with_fields(value=static_table(table))
        found = {
            f"{kind}, {dimension} weights": self.outcomes(rule, dimension)
            for dimension in self.dimensions
            for kind, rule in (("adaptive", self.rule), ("static", frozen))
        }
        half = self.iterations // 2
        final = {name: quartiles(outcome.losses[:, -LAST:].mean(axis=1), 3) for name, outcome in found.items()}
        lost = {
            name: quartiles(100 * (1 - outcome.losses[:, half - LAST : half].mean(1) / outcome.losses[:, 0]), 1)
            for name, outcome in found.items()
        }
        rows = [[name, cell(final[name]), cell(lost[name])] for name in found]
        header = [
            "table, perceptron",
            f"loss, mean of the last {LAST} iterations",
            f"lost within {half:,} iterations, %",
        ]
        write_json(folder / "values.json", table)
        write_atomically(folder / "values.txt", (readable(names, static_table(table)) + "\n").encode())
        write_atomically(folder / "losses.png", draw({name: outcome.losses for name, outcome in found.items()}))
        title = f"Median (quartiles) over {self.seeds} seeds, {self.iterations:,} iterations."
        summary = {"title": title, "markdown": markdown(header, rows), "final_loss": final, "percent_lost": lost}
        write_json(folder / "table.json", summary)

    def outcomes(self, rule: SynapticRule, dimension: int, first_seed: int = 0) -> Outcomes:
        """What became of the perceptrons of all seeds."""
        keys = jax.vmap(jax.random.key)(jnp.arange(first_seed, first_seed + self.seeds))
        found = jax.jit(jax.vmap(lambda key: linear_toy(rule, dimension, self.iterations, key)))(keys)
        return Outcomes(np.asarray(found.losses), np.asarray(found.table))


def draw(losses: dict[str, Float[np.ndarray, "seeds iterations"]]) -> bytes:
    """Median and quartiles of the loss over the iterations."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import apply_style, colour_of, new_figure

    with apply_style():
        figure = new_figure(6.4, 3.6)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for place, (name, values) in enumerate(losses.items()):
            means = values.reshape(len(values), -1, 100).mean(axis=2)
            low, middle, high = np.percentile(means, [25, 50, 75], axis=0)
            iterations = np.arange(means.shape[1]) * 100 + 50
            axes.fill_between(iterations, low, high, color=colour_of(place), alpha=0.18, lw=0)
            axes.plot(iterations, middle, color=colour_of(place), label=name)
        axes.set_yscale("log")
        axes.set_xlabel("iteration")
        axes.set_ylabel("mean squared error")
        figure.legend(loc="outside right upper")
        return png(figure)

"""Toys that the synapses must solve: a linear target in few weights, as in Bhargava et al. 2022, and one weight alone.

The weights are the whole policy. Loss: the mean squared error over 200 points from U(-20, 20), of targets from U(-10, 10);
weights begin at zero and move by 0.01. In 10,000 iterations a random walk loses nothing; see the first test.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.interaction import Constant
from spikeloop.learners.synapses import (
    Additive,
    PreviousActions,
    PreviousRewards,
    Rates,
    StaticTable,
    SynapseState,
    SynapticRule,
    Table,
    places,
    readable,
    static_table,
    table_json,
)
from spikeloop.learners.synapses.table_file import greedy_symbols

ITERATIONS, SEEDS = 10_000, 10
# Greedy actions of the table that Bhargava et al. released: rows r[t-1] r[t-2], columns a[t-1] a[t-2].
RELEASED = {
    "columns": "-- -0 -+ 0- 00 0+ +- +0 ++",
    "--": "+ + + 0 + - 0 + 0",
    "-+": "+ + 0 - - - - - 0",
    "+-": "+ - 0 + + 0 + + -",
    "++": "+ 0 - - + + 0 + -",
}


def train(rule, loss, weights, key, iterations=ITERATIONS):
    """Weights and value after so many acts, each followed by its score."""
    where = places(weights)
    no_rates = Rates(jnp.zeros_like(weights), jnp.zeros_like(weights))

    def iterate(carry, key):
        synapses, weights = carry
        act_key, hear_key = jax.random.split(key)
        synapses, weights = rule.act(where, synapses, weights, act_key)
        synapses, _ = rule.hear(where, synapses, weights, -loss(weights), no_rates, hear_key)
        return (synapses, weights), None

    init_key, key = jax.random.split(key)
    carry = (rule.init(where, init_key), weights)
    (synapses, weights), _ = jax.lax.scan(iterate, carry, jax.random.split(key, iterations))
    return weights, synapses.value


@functools.cache
def toy(rule, d, first_seed=0):
    """Loss at the start and at the end, and what was learned, of every seed; each has a target and data of its own."""

    def one(key):
        target_key, data_key, train_key = jax.random.split(key, 3)
        target = jax.random.uniform(target_key, (d,), minval=-10.0, maxval=10.0)
        data = jax.random.uniform(data_key, (200, d), minval=-20.0, maxval=20.0)

        def loss(weights):
            return jnp.mean((data @ (weights - target)) ** 2)

        weights, value = train(rule, loss, jnp.zeros(d), train_key)
        return loss(jnp.zeros(d)), loss(weights), value

    before, after, value = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(first_seed), SEEDS))
    return np.asarray(before), np.asarray(after), np.asarray(value)


def adaptive(epsilon=0.1, rate=0.1):
    return SynapticRule(value=Table(rate=rate), exploration=Constant(epsilon), discount=0.9)


def lost(rule, d, first_seed=0):
    """The share of the loss that is left, of every seed."""
    before, after, _ = toy(rule, d, first_seed)
    return after / before


def test_without_learning_nothing_is_lost():
    assert (lost(adaptive(rate=0.0), 2) > 0.5).all()


@pytest.mark.parametrize("epsilon", [0.1, 0.5])
def test_two_weights_lose_more_than_nine_tenths_of_their_loss(epsilon):
    """The acceptance check of Zheng et al. 2026, Strategy A: for every seed."""
    assert (lost(adaptive(epsilon), 2) < 0.1).all()


def test_three_weights_end_below_a_loss_of_a_tenth():
    """Bhargava et al. report 0.026 for theirs; ours is 0.05 in the median."""
    assert (lost(adaptive(), 3) < 0.1).all()
    assert np.median(toy(adaptive(), 3)[1]) < 0.1


@functools.cache
def golden():
    """A table that three weights learned, as it comes back from a file."""
    rule = adaptive(epsilon=0.3, rate=0.01)
    return static_table(table_json(rule.state.names, 3, toy(rule, 3)[2][0]))


def test_a_table_learned_on_three_weights_serves_five_as_it_is():
    rule = SynapticRule(value=golden(), exploration=Constant(0.1))
    assert (lost(rule, 5, first_seed=1000) < 0.1).all()
    assert np.ptp(toy(rule, 5, first_seed=1000)[2], axis=0).max() == 0.0  # it did not change


@functools.cache
def released():
    """The released table: 1 for the greedy action, 0 for the others, and where it says nothing."""
    columns, values = RELEASED["columns"].split(), np.zeros((3, 3, 3, 3, 3))
    place = {"-": 0, "0": 1, "+": 2}
    for rewards, row in RELEASED.items():
        if rewards != "columns":
            for actions, symbol in zip(columns, row.split(), strict=True):
                values[tuple(place[mark] for mark in actions + rewards)][place[symbol]] = 1.0
    return static_table(table_json(SynapseState().names, 3, values.reshape(81, 3)))


def test_the_released_table_works_here():
    """Somebody else's table: its state must be read as they wrote it, and it must need no learning of ours."""
    rule = SynapticRule(value=released(), exploration=Constant(0.1))
    assert readable(rule.state.names, released()).splitlines()[2].split() == ["--", *"+?+???+?+"]
    assert (lost(rule, 2) < 0.1).all()


def alone(far, iterations, **fields):
    """Starts, final weights and tables of a single synapse whose loss is w^2: 20 seeds on either side of the optimum."""
    rule = SynapticRule(SynapseState((PreviousActions(1), PreviousRewards(1))), change=Additive(0.05), **fields)
    starts = np.repeat([-far, far], 20)
    run = jax.jit(jax.vmap(lambda start, key: train(rule, lambda w: w[0] ** 2, start[None], key, iterations)))
    weights, tables = run(jnp.asarray(starts, jnp.float32), jax.random.split(jax.random.key(3), 40))
    return starts, np.asarray(weights)[:, 0], np.asarray(tables)


def test_one_synapse_learns_to_go_on_after_a_success_and_to_turn_after_a_failure():
    """Far from the optimum, with nothing after the next reward: the sign of the gradient, from either side."""
    starts, weights, tables = alone(50.0, 400, discount=0.0, exploration=Constant(0.3))
    assert (np.sign(starts) * (starts - weights) > 0.05 * 400 * 0.5).all()
    for start, table in zip(starts, tables, strict=True):
        symbols = np.reshape(greedy_symbols(StaticTable(3, tuple(map(tuple, table.tolist())))), (3, 3))
        down, towards, away = ("-", 0, 2) if start > 0 else ("+", 2, 0)
        assert symbols[towards, 2] == down  # it went down and was rewarded: go on
        assert symbols[away, 0] == down  # it went up and was punished: turn


def test_one_synapse_finds_the_optimum_from_either_side_and_stays():
    weights = alone(3.0, 1500, exploration=Constant(0.1), discount=0.9)[1]
    assert (np.abs(weights) < 0.5).all()
    idle = alone(3.0, 1500, exploration=Constant(0.1), value=Table(rate=0.0))[1]
    assert np.abs(idle).mean() > 1.0

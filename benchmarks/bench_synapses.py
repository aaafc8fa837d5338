"""Speed of synapse agents, measured in one run: `make bench-synapses` writes results/benchmarks/synapses.json and .png.

1. The whole grid of Zheng 2026 Table 2 (5 states x 4 widths, 20 seeds, 200 iterations, with its nulls and figures), as a user
   runs it, nothing compiled before: wall seconds.
2. How the cost of one iteration grows with the number of synapses, from 23 to 100,000: of the rule alone (every synapse sees,
   acts, hears and learns), and of a whole iteration of both learners, episodes and all, per environment step.
"""

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from spikeloop.analysis.figures import png
from spikeloop.analysis.style import apply_style, new_figure
from spikeloop.environments import Gymnax
from spikeloop.gallery.q_learning import CARTPOLE_GAIN, spiking
from spikeloop.interaction import Replay
from spikeloop.learners import AntitheticSynapseAgents, SynapseAgents
from spikeloop.learners.synapses import QNetwork, Rates, SynapticRule, Table, places
from spikeloop.papers.zheng2026.strategy_a import MODELS, rule
from spikeloop.provenance import provenance
from spikeloop.storage import write_atomically, write_json

OUT = Path(__file__).parents[1] / "results" / "benchmarks"
WIDTHS = (3, 14, 142, 1428, 14285)  # 7 H + 2 synapses on CartPole: 23 to 99,997
REPEATS = 5


def grid_seconds() -> float:
    """Wall time of the Table 2 grid from the command line, with an empty compilation cache."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SPIKELOOP_CACHE": f"{folder}/cache"}
        command = [sys.executable, "-m", "spikeloop", "run", "zheng2026/table-2", "--out", f"{folder}/run"]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return time.perf_counter() - started


def seconds_per_call(function: Callable[[], object]) -> float:
    """Median time of a call, after one that compiles."""
    jax.block_until_ready(function())
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def rule_seconds(chosen: SynapticRule, width: int, iterations: int = 20) -> float:
    """Seconds of one iteration of the rule alone: act and hear, with a score that costs nothing."""
    params = spiking(CARTPOLE_GAIN, (width,)).init(4, 2, jax.random.key(0))
    where, weights = places(params), ravel_pytree(params)[0]
    rates = Rates(jnp.zeros(where.count), jnp.zeros(where.count))

    def iterate(carry, key):
        synapses, weights = carry
        act_key, hear_key = jax.random.split(key)
        synapses, weights = chosen.act(where, synapses, weights, act_key)
        synapses, _ = chosen.hear(where, synapses, weights, jnp.sum(weights), rates, hear_key)
        return (synapses, weights), None

    @jax.jit
    def run(weights, key):
        keys = jax.random.split(key, iterations)
        return jax.lax.scan(iterate, (chosen.init(where, key), weights), keys)[0]

    return seconds_per_call(lambda: run(weights, jax.random.key(1))) / iterations


def learner_seconds(learner: SynapseAgents | AntitheticSynapseAgents, iterations: int = 3) -> float:
    """Seconds of a whole iteration for every environment step that it takes."""
    environment = Gymnax("CartPole-v1")

    @jax.jit
    def run(key):
        keys = jax.random.split(key, iterations)
        state = learner.init(environment, key)
        return jax.lax.scan(lambda state, key: learner.step(environment, state, key), state, keys)[1].env_steps

    steps = int(run(jax.random.key(1)).sum())
    return seconds_per_call(lambda: run(jax.random.key(1))) / steps


def costs() -> dict[str, dict[str, float]]:
    """Microseconds by number of synapses."""
    found: dict[str, dict[str, float]] = {}
    for width in WIDTHS:
        net = spiking(CARTPOLE_GAIN, (width,), 4)
        count = 7 * width + 2
        capacity = max(10_000, count)
        table, network = SynapticRule(value=Table()), rule(4).with_fields(value=QNetwork(replay=Replay(capacity)))
        measured = {
            "rule with a table (M1), an iteration": rule_seconds(table, width),
            f"rule with a network ({len(MODELS[4].names)} numbers, M4), an iteration": rule_seconds(network, width),
            "SynapseAgents with a table, an environment step": learner_seconds(SynapseAgents(net, table)),
            "AntitheticSynapseAgents, an environment step": learner_seconds(AntitheticSynapseAgents(net)),
        }
        for name, seconds in measured.items():
            found.setdefault(name, {})[str(count)] = round(seconds * 1e6, 2)
    return found


def growth(cost: dict[str, float]) -> float:
    """The exponent with which the cost grows over the last two decades of synapses: 1 is linear."""
    counts = sorted(map(int, cost))
    low, high = counts[-3], counts[-1]
    return round(math.log(cost[str(high)] / cost[str(low)]) / math.log(high / low), 2)


def draw(found: dict[str, dict[str, float]]) -> bytes:
    """Cost against synapses, both logarithmic, with a line of slope 1."""
    with apply_style():
        figure = new_figure(6.4, 3.8)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for name, cost in found.items():
            counts = [int(count) for count in cost]
            axes.loglog(counts, list(cost.values()), "o-", label=name)
        ends = [20.0, 100_000.0]
        axes.loglog(ends, [0.5, 0.5 * ends[1] / ends[0]], ":", color="0.5", label="linear")
        axes.set_xlabel("synapses")
        axes.set_ylabel("microseconds")
        figure.legend(loc="outside upper center", ncols=1)
        return png(figure)


def main() -> None:
    """Measure, print, keep."""
    found = costs()
    exponents = {name: growth(cost) for name, cost in found.items()}
    seconds = round(grid_seconds(), 1)
    OUT.mkdir(parents=True, exist_ok=True)
    written = {
        "provenance": provenance(),
        "table_2_grid_wall_seconds": seconds,
        "microseconds": found,
        "growth": exponents,
    }
    write_json(OUT / "synapses.json", written)
    write_atomically(OUT / "synapses.png", draw(found))
    for name, cost in found.items():
        print(f"{name}: {cost}; grows with the power {exponents[name]}")
    print(f"Table 2 grid: {seconds} s")


if __name__ == "__main__":
    main()

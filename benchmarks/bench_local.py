"""Local learning against SpikingJelly's MSTDPETLearner, in one run on the CPU: `make bench-local`.

1. The same network size and simulated time: place cells onto leaky neurons, reward-modulated STDP with pair traces and eligibility
   in every synapse, a decision of 4 ticks and a reward after each. Ours does it as in training (an encoder, a choice of an
   action, a step of an environment in which nothing happens, and a scan over decisions); the peer
   (`peer_spikingjelly_mstdpet.py`) does only network and rule. Ours once for one network and once for 20 at once, as seeds are
   trained. The peer has no such form: its learner sums what a batch says into one set of weights.
2. A training run: 20 seeds of `local/cartpole`'s learner, 50,000 steps each, compile time in it.
3. How the cost of a scan of decisions grows with synapses and with steps: seconds, and the power that fits them (1 is linear).

Writes results/benchmarks/local.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from spikeloop.decoders import MotorGroups
from spikeloop.encoders import RegularPlaceCells
from spikeloop.environments import AbstractEnvironment, Discrete, Gymnax, Spec, Step
from spikeloop.gallery import local_cartpole
from spikeloop.learners import Reward, RewardModulatedPlasticity
from spikeloop.networks import FeedForward, SpikingInputs
from spikeloop.neurons import LeakyIntegrateAndFire
from spikeloop.plasticity import ExponentialEligibility, NoBounds, SpikePairs, ThreeFactor
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy
from spikeloop.provenance import provenance
from spikeloop.storage import write_json
from spikeloop.training import Protocol, Trainer

HERE = Path(__file__).parent
PEER = Path(os.environ.get("BENCH_VENV", HERE.parent / ".bench-venv")) / "bin" / "python"
OUT = HERE.parent / "results" / "benchmarks" / "local.json"
TICKS, SEEDS, REPEATS, ROUNDS = 4, 20, 5, 3
SIZES = ((15, 2), (32, 100))  # cells along each of two variables, and output neurons: 225 x 2 and 1024 x 100 synapses


GROWING_CELLS, GROWING_STEPS, GROWING_OUTPUTS = (8, 16, 32, 64, 128), (500, 1000, 2000, 4000, 8000), 25


class Nowhere(AbstractEnvironment):
    """Two variables to see and nothing to do: every step brings a reward of 1."""

    outputs: int = 2  # actions

    @property
    def spec(self):
        return Spec("Nowhere", (2,), Discrete(self.outputs), 1_000_000)

    def reset(self, key):
        return jnp.zeros(2), jnp.zeros(2)

    def step(self, state, action, key):
        state = jnp.sin(3.0 * state + 1.0)  # wanders, so that different cells fire
        no = jnp.zeros((), bool)
        return state, Step(state, jnp.ones(()), no, no)


def ticks_per_second(cells: int, outputs: int, seeds: int, decisions: int) -> float:
    """Ticks of each of so many networks, all together, in a second: the median of repeated scans."""
    network = SpikingInputs(cells**2, FeedForward((), LeakyIntegrateAndFire(threshold=0.1)))
    policy = SpikingPolicy(RegularPlaceCells(cells=cells), network, MotorGroups(), TICKS, KeepBetweenDecisions())
    rule = ThreeFactor(1e-3, SpikePairs(), ExponentialEligibility(35.0), NoBounds())
    learner = RewardModulatedPlasticity(policy, rule, Reward(), dendritic_delay=1, steps_per_iteration=decisions)
    world = Nowhere(outputs)
    states = jax.jit(jax.vmap(lambda key: learner.init(world, key)))(jax.random.split(jax.random.key(0), seeds))
    go = jax.jit(jax.vmap(lambda state, key: learner.step(world, state, key)[0]))
    times = []
    for repeat in range(REPEATS + 1):
        keys = jax.random.split(jax.random.key(repeat), seeds)
        started = time.perf_counter()
        states = jax.block_until_ready(go(states, keys))
        times.append(time.perf_counter() - started)
    return seeds * decisions * TICKS / statistics.median(times[1:])


def growth(share: int) -> dict:
    """Seconds by number of synapses (2000 decisions) and by number of decisions (6400 synapses), and the fitted powers."""
    by_synapses = {
        cells**2 * GROWING_OUTPUTS: 2000 // share * TICKS / ticks_per_second(cells, GROWING_OUTPUTS, 1, 2000 // share)
        for cells in GROWING_CELLS
    }
    by_decisions = {
        steps // share: steps // share * TICKS / ticks_per_second(16, GROWING_OUTPUTS, 1, steps // share)
        for steps in GROWING_STEPS
    }
    found = {}
    for name, seconds in (("synapses", by_synapses), ("decisions", by_decisions)):
        power = float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])
        found[name] = {"seconds": {str(n): round(value, 4) for n, value in seconds.items()}, "power": round(power, 2)}
    return found


def peer(inputs: int, outputs: int, decisions: int) -> dict:
    """What the peer reports, from a process of its own; the better of one thread and two."""
    found = []
    for threads in (1, 2):
        sizes = ("--inputs", inputs, "--outputs", outputs, "--ticks", TICKS, "--decisions", decisions)
        command = [PEER, HERE / "peer_spikingjelly_mstdpet.py", *sizes, "--threads", threads]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]) | {"threads": threads})
    return max(found, key=lambda one: one["ticks_per_second"])


def training_seconds(env_steps: int) -> float:
    """How long all seeds of the CartPole experiment take, everything but their evaluation in it."""
    experiment = local_cartpole()
    started = time.perf_counter()
    trainer = Trainer(Gymnax(), experiment.learner, Protocol(env_steps=env_steps), experiment.seed_range)
    while not trainer.done:
        trainer.advance()
    return time.perf_counter() - started


def main() -> None:
    """Measure all, print it, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, and nothing is written")
    asked = parser.parse_args()
    share = 10 if asked.quick else 1
    rows = []
    for cells, outputs in SIZES:
        # All in turn, for a machine that others share is not the same for long.
        rounds = [
            (
                peer(cells**2, outputs, 2000 // share),
                ticks_per_second(cells, outputs, 1, 2000 // share),
                ticks_per_second(cells, outputs, SEEDS, 500 // share),
            )
            for _ in range(ROUNDS)
        ]
        theirs, one, many = ([row[place] for row in rounds] for place in range(3))
        rates = [found["ticks_per_second"] for found in theirs]
        times = [[ours / rate for ours, rate in zip(column, rates, strict=True)] for column in (one, many)]
        rows.append(
            {
                "synapses": cells**2 * outputs,
                "ours_one_network_ticks_per_second": round(statistics.median(one)),
                f"ours_{SEEDS}_networks_ticks_per_second": round(statistics.median(many)),
                "peer_ticks_per_second": round(statistics.median(rates)),
                "times_one_network": round(statistics.median(times[0]), 1),
                "times_one_network_range": [round(min(times[0]), 1), round(max(times[0]), 1)],
                f"times_{SEEDS}_networks": round(statistics.median(times[1]), 1),
                f"times_{SEEDS}_networks_range": [round(min(times[1]), 1), round(max(times[1]), 1)],
                "peer": theirs[0],
            }
        )
        print(json.dumps(rows[-1]))
    steps = 50_000 // share
    seconds = training_seconds(steps)
    print(f"{SEEDS} seeds of local/cartpole, {steps} steps each: {seconds:.1f} s")
    grows = growth(share)
    print(json.dumps(grows))
    if not asked.quick:
        training = {"seeds": SEEDS, "env_steps": steps, "seconds": round(seconds, 1)}
        write_json(OUT, {"sizes": rows, "training": training, "growth": grows, "provenance": provenance()})


if __name__ == "__main__":
    main()

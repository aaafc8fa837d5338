"""Generations per second and memory of evolution, by size of the population and number of CPU devices: `make bench-populations`.

The genetic algorithm, one seed, the spiking controller of `evolution/cartpole` (114 parameters) on CartPole-v1, an episode an
individual. Each pair is a process of its own: a first chunk of generations that is not timed (it compiles), then so many that are.
Both numbers of devices play the same generations. Writes results/benchmarks/populations.json.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from spikeloop.environments import Gymnax
from spikeloop.gallery.q_learning import CARTPOLE_GAIN
from spikeloop.gallery.synapses import controller
from spikeloop.learners import Evolution
from spikeloop.learners.strategies import Genetic
from spikeloop.provenance import provenance
from spikeloop.storage import write_json
from spikeloop.training import Protocol, Trainer

OUT = Path(__file__).parents[1] / "results" / "benchmarks"
CHUNKS = {32: 20, 256: 10, 2048: 2, 8192: 1}  # population: chunks of 8 generations that are timed
DEVICES = (1, 2)


def measure(population: int) -> dict[str, float]:
    """In this process, with the devices that it has."""
    learner = Evolution(controller(CARTPOLE_GAIN), Genetic(population=population, sigma=0.5))
    trainer = Trainer(Gymnax("CartPole-v1"), learner, Protocol(env_steps=2**31 - 1, records=1), range(1))
    trainer.advance()
    steps, generations = int(trainer.env_steps[0]), int(trainer.states.iterations[0])
    started = time.perf_counter()
    for _ in range(CHUNKS[population]):
        trainer.advance()
    seconds = time.perf_counter() - started
    return {
        "generations_per_second": round((int(trainer.states.iterations[0]) - generations) / seconds, 3),
        "env_steps_per_second": round((int(trainer.env_steps[0]) - steps) / seconds),
        "peak_mebibytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10),
    }


def main() -> None:
    """Measure, print, keep."""
    found = []
    for population in CHUNKS:
        for devices in DEVICES:
            command = [sys.executable, __file__, str(population)]
            environment = {**os.environ, "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": str(devices)}
            out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
            found.append({"population": population, "devices": devices, **json.loads(out)})
            print(found[-1], flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    write_json(OUT / "populations.json", {"provenance": provenance(), "measured": found})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()

"""How much longer ten seeds take than one, or a hundred: `make bench-seeds`. On a GPU, where there is one.

TD3 with the spiking actor of MDC-SAN on Pendulum-v1, the whole iteration of training (action, environment, replay, update), after
the random actions. Each number of seeds is one compiled program. A first chunk of steps is not timed (it compiles); then
chunks are timed until SECONDS have passed, and the median chunk counts. Writes results/benchmarks/seeds-PLATFORM.json.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import jax

from spikeloop.environments import Gymnax
from spikeloop.papers.zhang2022.setting import MDC_SAN, td3
from spikeloop.provenance import provenance
from spikeloop.storage import write_json
from spikeloop.training import Protocol, Trainer

OUT = Path(__file__).parents[1] / "results" / "benchmarks"
ENV_STEPS, CHUNK, RANDOM_STEPS, SECONDS = 1_000_000, 500, 200, 6.0


def measure(seeds: int) -> dict[str, float]:
    """Seconds for a thousand environment steps of every seed."""
    protocol = Protocol(env_steps=ENV_STEPS, records=ENV_STEPS // CHUNK)
    learner = td3(MDC_SAN, 30_000, RANDOM_STEPS)
    trainer = Trainer(Gymnax("Pendulum-v1"), learner, protocol, range(seeds))
    started = time.perf_counter()
    trainer.advance()
    compiling, taken = time.perf_counter() - started, []
    while sum(taken) < SECONDS or len(taken) < 3:
        started = time.perf_counter()
        trainer.advance()
        taken.append(time.perf_counter() - started)
    thousand = 1000 / CHUNK * statistics.median(taken)
    return {
        "seeds": seeds,
        "chunks": len(taken),
        "seconds_for_1000_steps": round(thousand, 4),
        "env_steps_per_second": round(1000 * seeds / thousand),
        "first_chunk_seconds": round(compiling, 1),
    }


def main() -> None:
    """Measure, print, keep."""
    found = []
    for seeds in [int(word) for word in sys.argv[1:]] or [1, 10, 100]:
        found.append(measure(seeds))
        found[-1]["times_the_first"] = round(
            found[-1]["seconds_for_1000_steps"] / found[0]["seconds_for_1000_steps"], 3
        )
        print(json.dumps(found[-1]), flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    write_json(OUT / f"seeds-{jax.default_backend()}.json", {"provenance": provenance(), "measured": found})


if __name__ == "__main__":
    main()

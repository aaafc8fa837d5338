"""Time of a step of MuJoCo's tasks, through the adapter and in plain Gymnasium, in one run: `make bench-mujoco`.

The adapter runs as in training: a jitted scan over steps with restarts, a batch of 1, 3 and 10 states side by side. Plain
Gymnasium takes the same number of steps in a Python loop, with resets where episodes end. Both take uniform random actions.
The two take turns, and each number is the median over the turns, in microseconds for one step of one state. Compiling is
not timed. Writes results/benchmarks/mujoco.json.
"""

import statistics
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.environments import MuJoCo
from spikeloop.environments._registered import make
from spikeloop.provenance import provenance
from spikeloop.storage import write_json

OUT = Path(__file__).parents[1] / "results" / "benchmarks"
TASKS = ("HalfCheetah-v5", "Hopper-v5", "Ant-v5")
BATCHES = (1, 3, 10)
STEPS, TURNS = 1000, 9  # steps of each state in a turn


def plain(world: Any, actions: np.ndarray) -> float:
    """Seconds of Gymnasium's own loop."""
    world.reset(seed=0)
    started = time.perf_counter()
    for action in actions:
        if world.step(action)[2]:
            world.reset(seed=0)
    return time.perf_counter() - started


def adapted(name: str, batch: int):
    """The jitted loop, from actions [steps, batch, n] to the sum of all rewards."""
    environment = MuJoCo(name)
    over = (lambda function: function) if batch == 1 else jax.vmap

    @jax.jit
    def run(actions: Float[Array, "steps batch n"]) -> Float[Array, ""]:
        keys = jax.random.split(jax.random.key(0), batch)
        keys = keys[0] if batch == 1 else keys

        def go_on(carry, action):
            state, step = over(environment.step)(carry[0], action, keys)
            return over(environment.restart)(state, step.obs, step.terminated | step.truncated, keys), step.reward

        actions = actions[:, 0] if batch == 1 else actions
        return jax.lax.scan(go_on, over(environment.reset)(keys), actions)[1].sum()

    return run


def measure(name: str, batch: int) -> dict[str, float | int | str]:
    """Medians over the turns."""
    world = make(name).unwrapped
    box = world.action_space
    drawn = np.random.default_rng(0).uniform(box.low, box.high, (STEPS, batch, *box.shape)).astype(np.float32)
    run, actions = adapted(name, batch), jnp.asarray(drawn)
    run(actions).block_until_ready()
    times: dict[str, list[float]] = {"gymnasium": [], "spikeloop": []}
    for _ in range(TURNS):
        times["gymnasium"].append(plain(world, drawn.reshape(-1, *box.shape)))
        started = time.perf_counter()
        run(actions).block_until_ready()
        times["spikeloop"].append(time.perf_counter() - started)
    ratios = [ours / theirs for ours, theirs in zip(times["spikeloop"], times["gymnasium"], strict=True)]
    medians = {
        f"{who}_us": round(1e6 * statistics.median(seconds) / (STEPS * batch), 1) for who, seconds in times.items()
    }
    return {"task": name, "batch": batch, **medians, "ratio": round(statistics.median(ratios), 2)}


def main() -> None:
    """Measure, print, keep."""
    found = []
    for name in TASKS:
        for batch in BATCHES:
            found.append(measure(name, batch))
            print(found[-1], flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    write_json(OUT / "mujoco.json", {"provenance": provenance(), "measured": found})


if __name__ == "__main__":
    main()

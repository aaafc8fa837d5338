"""Speed of evolving NEST's neurons, measured in one run: `make bench-nest` writes results/benchmarks/nest.json.

1. The network of Learning to Learn (68 neurons, 0.2 ms a step, windows of 20 ms), a population of 32 with random genes and
   109 random windows each, an episode's worth: ours, one process with a device for each core, in turn with NEST 3.10 in one
   process with one and with two threads, and in as many processes as there are cores. The spikes of every population of every
   individual must be equal, or nothing is written.
2. What the cores could do at most (the operations of the network over the rate of a large matrix product), and where the rest
   goes: the parts of a window, each timed by itself.
3. The genetic algorithm of `labady2023/mountain-car-109`, 32 individuals and 400 generations, environment and all: seconds.
"""

import functools
import json
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
import numpy as np
from jax.sharding import PartitionSpec

from spikeloop.environments import Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.networks import DelayedFeedForward
from spikeloop.neurons import AlphaInput
from spikeloop.papers.labady2023 import mountain_car_109
from spikeloop.papers.labady2023.setting import MOUNTAIN_CAR
from spikeloop.provenance import provenance
from spikeloop.storage import write_json
from spikeloop.training import Protocol, Trainer

CORES = os.cpu_count() or 1
jax.config.update("jax_num_cpu_devices", CORES)  # before JAX first asks for its devices

OUT = Path(__file__).parents[1] / "results" / "benchmarks"
PEER = Path(__file__).with_name("peer_nest.py")
INDIVIDUALS, WINDOWS, BINS, ROUNDS = 32, 109, 30, 5


def task() -> dict[str, np.ndarray]:
    """Random genes and random windows."""
    rng = np.random.default_rng(0)
    driven = rng.integers(0, BINS, (INDIVIDUALS, WINDOWS, 2)) + np.array([0, BINS])
    genes = {
        name: rng.uniform(-20, 20, (INDIVIDUALS, *shape)) for name, shape in (("hidden", (60, 5)), ("output", (5, 3)))
    }
    return {**{name: values.astype(np.float32) for name, values in genes.items()}, "driven": driven}


def ours(played: dict[str, np.ndarray]) -> Callable[[], tuple[jax.Array, ...]]:
    """A call that plays the task; it returns the spikes of each population [individual, neuron]."""
    low, high = np.asarray(MOUNTAIN_CAR.encoder.low), np.asarray(MOUNTAIN_CAR.encoder.high)
    obs = low + (played["driven"] - np.array([0, BINS]) + 0.5) / BINS * (high - low)

    def play(hidden, output, obs):
        params = MOUNTAIN_CAR.init(2, 3, jax.random.key(0))
        params = jax.tree.unflatten(jax.tree.structure(params), [hidden, output])

        def window(state, obs):
            state, decision = MOUNTAIN_CAR(params, state, obs, None)
            return state, decision.spikes

        return jax.tree.map(
            lambda counts: counts.sum(axis=0), jax.lax.scan(window, MOUNTAIN_CAR.init_state(params), obs)[1]
        )

    mesh = jax.sharding.Mesh(np.asarray(jax.devices()), ("individuals",))
    spec = PartitionSpec("individuals")
    spread = jax.jit(
        jax.shard_map(jax.vmap(play), mesh=mesh, in_specs=(spec, spec, spec), out_specs=spec, check_vma=False)
    )
    arrays = [jnp.asarray(array, jnp.float32) for array in (played["hidden"], played["output"], obs)]
    return lambda: spread(*arrays)


def seconds(call: Callable[[], object]) -> float:
    """Of one call."""
    started = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - started


def nest(path: Path, threads: int, processes: int) -> list[dict]:
    """The reports of so many processes at once, each of which plays the whole task."""
    command = [sys.executable, str(PEER), str(path), "--threads", str(threads)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    outputs = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise InvalidInput("the peer failed; is NEST installed? make bench-nest installs it")
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def against_nest() -> dict[str, object]:
    """Windows per second of ours and of NEST in its forms, in turns; equal spikes, or InvalidInput."""
    played = task()
    call = ours(played)
    counts = np.stack([np.asarray(population).sum(axis=1) for population in call()], axis=1)
    forms = {"1 thread": (1, 1), f"{CORES} threads": (CORES, 1), f"{CORES} processes": (1, CORES)}
    found: dict[str, list[float]] = {name: [] for name in ("spikeloop", *forms)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.npz"
        np.savez(path, **played)
        for _ in range(ROUNDS):
            found["spikeloop"].append(INDIVIDUALS * WINDOWS / statistics.median(seconds(call) for _ in range(5)))
            for name, (threads, processes) in forms.items():
                reports = nest(path, threads, processes)
                found[name].append(sum(report["windows_per_second"] for report in reports))
                differ = sum((np.asarray(report["spikes"]) != counts).any(axis=1).sum() for report in reports)
                if differ:
                    raise InvalidInput(f"{differ} of {INDIVIDUALS * processes} individuals have other spikes in NEST")
    best = max(("1 thread", f"{CORES} threads"), key=lambda name: statistics.median(found[name]))
    ratios = {name: [a / b for a, b in zip(found["spikeloop"], found[name], strict=True)] for name in forms}
    return {
        "setting": f"{INDIVIDUALS} individuals, {WINDOWS} windows each, 68 neurons, 100 steps of 0.2 ms a window, equal spikes",
        "spikes": dict(zip(("input", "hidden", "output"), counts.sum(axis=0).astype(int).tolist(), strict=True)),
        "windows_per_second": {name: [round(value, 1) for value in values] for name, values in found.items()},
        "best_form_of_one_process": best,
        "ratio_median": {name: round(statistics.median(values), 1) for name, values in ratios.items()},
        "ratio_lowest": {name: round(min(values), 1) for name, values in ratios.items()},
        "devices": len(jax.devices()),
    }


def parts() -> dict[str, float]:
    """Microseconds of one window of the whole population on one device: each part by itself, as often as a window does it."""
    network = MOUNTAIN_CAR.network
    assert isinstance(network, DelayedFeedForward)
    key, ticks = jax.random.key(0), 25
    blocks = MOUNTAIN_CAR.ticks // ticks
    params = jax.vmap(lambda k: network.init(60, 3, k))(jax.random.split(key, INDIVIDUALS))
    state = jax.vmap(network.init_state)(params)

    def spikes(n):
        return jnp.asarray(jax.random.bernoulli(key, 0.05, (INDIVIDUALS, ticks, n)), jnp.float32)

    run, send = jax.vmap(network.neuron.run), jax.vmap(network._send)
    direct = AlphaInput(jnp.full((INDIVIDUALS, ticks, 60), 300.0))
    calls = {
        "potentials of 60 inputs": (run, state.neurons[0], direct),
        "weights sent by 60 inputs": (send, params[0], spikes(60)),
        "currents and potentials of 5 hidden": (run, state.neurons[1], AlphaInput(None, spikes(5), -spikes(5))),
        "weights sent by 5 hidden": (send, params[1], spikes(5)),
        "currents and potentials of 3 outputs": (run, state.neurons[2], AlphaInput(None, spikes(3), -spikes(3))),
    }

    def typical(call):
        seconds(call)
        return statistics.median(seconds(call) for _ in range(200))

    empty = typical(
        functools.partial(jax.jit(lambda x: x + 1.0), jnp.zeros(()))
    )  # a call costs as much whatever it does
    found = {}
    for name, (function, *arguments) in calls.items():
        found[name] = round((typical(functools.partial(jax.jit(function), *arguments)) - empty) * blocks * 1e6, 1)
    return found


def arithmetic_limit() -> dict[str, float]:
    """What one core could do at most."""
    neurons, ticks = {"input": 60, "hidden": 5, "output": 3}, MOUNTAIN_CAR.ticks
    # A potential takes 8 operations a tick (leak, drive, hold, threshold, reset, refractory); a channel 8; a weight 2.
    operations = ticks * (8 * sum(neurons.values()) + 2 * 8 * (5 + 3) + 2 * (60 * 5 + 5 * 3))
    matrix = jax.random.normal(jax.random.key(0), (2048, 2048))
    product = jax.jit(lambda a: a @ a)
    seconds(lambda: product(matrix))
    rate = 2 * 2048**3 / min(seconds(lambda: product(matrix)) for _ in range(10))
    return {
        "operations_per_window": operations,
        "operations_per_second_of_a_matrix_product": round(rate),
        "limit_windows_per_second": round(rate / operations),
    }


def generations() -> dict[str, float]:
    """Seconds of 400 generations of 32, compiling apart."""
    learner = mountain_car_109().learner
    protocol = Protocol(env_steps=2**31 - 1, iterations=408, records=1)
    trainer = Trainer(Gymnax("MountainCar-v0", WINDOWS), learner, protocol, range(1))
    started = time.perf_counter()
    trainer.advance()
    compiled, steps = time.perf_counter(), int(trainer.env_steps[0])
    while not trainer.done:
        trainer.advance()
    taken = time.perf_counter() - compiled
    return {
        "seconds_400_generations": round(taken, 1),
        "seconds_of_the_first_8_with_compiling": round(compiled - started, 1),
        "env_steps_per_second": round((int(trainer.env_steps[0]) - steps) / taken),
    }


def main() -> None:
    """Measure, print, keep."""
    found = {
        "peer": against_nest(),
        "limit": arithmetic_limit(),
        "microseconds_of_a_window_of_32_on_one_device": parts(),
        "evolution": generations(),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    write_json(OUT / "nest.json", {"provenance": provenance(), **found})
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    try:
        main()
    except InvalidInput as error:
        sys.exit(f"spikeloop: {error}")

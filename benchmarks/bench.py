"""Speed, measured in one run on one machine: `make bench` writes results/benchmarks/bench.json and scaling.png.

1. The DQSN of Zheng et al. 2026 (64 IF neurons, 16 ticks, batch 128, one update per environment step, one seed) against the same
   training in SpikingJelly on PyTorch (`peer_spikingjelly_dqsn.py`), in turn, both on the CPU: environment steps per second.
2. The arithmetic limit: floating-point operations of one iteration as XLA counts them, over the rate that a large matrix product
   reaches on the same cores.
3. Time from `spikeloop run cartpole` to its first progress line, without and with the compilation cache; memory of the demo.
4. How cost grows with seeds, hidden width and ticks.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax

from spikeloop.analysis.figures import png
from spikeloop.analysis.style import COLOURS, apply_style, new_figure
from spikeloop.environments import Gymnax
from spikeloop.neurons import IntegrateAndFire
from spikeloop.papers.zheng2026.strategy_b import dqn, policy
from spikeloop.provenance import provenance
from spikeloop.storage import write_atomically, write_json
from spikeloop.training import Protocol, Trainer

HERE = Path(__file__).parent
PEER = HERE.parent / ".bench-venv" / "bin" / "python"
OUT = HERE.parent / "results" / "benchmarks"
ENVIRONMENT = Gymnax("CartPole-v1", max_steps=10_000)
SEEDS, WIDTHS, TICKS = (1, 8, 64), (16, 64, 256, 1024), (4, 8, 16, 32, 64)


def trainer(width: int = 64, ticks: int = 16, seeds: int = 1, chunk: int = 500) -> Trainer:
    """A trainer of the DQSN, with its replay filled and its program compiled."""
    learner = dqn(policy(IntegrateAndFire(), width, ticks))
    protocol = Protocol(env_steps=chunk * 1000, records=1000)
    made = Trainer(ENVIRONMENT, learner, protocol, range(seeds))
    made.advance()
    return made


def steps_per_second(made: Trainer, seconds: float = 4.0) -> float:
    """Environment steps per second, all seeds together."""
    before, started = int(made.env_steps.sum()), time.perf_counter()
    while time.perf_counter() - started < seconds:
        made.advance()
    return (int(made.env_steps.sum()) - before) / (time.perf_counter() - started)


def peer_steps_per_second(mode: str, threads: int, steps: int) -> float:
    """The same for SpikingJelly, in a process of its own."""
    command = [str(PEER), str(HERE / "peer_spikingjelly_dqsn.py"), "--mode", mode, "--threads", str(threads)]
    command += ["--steps", str(steps)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])["env_steps_per_second"]


def against_peer(rounds: int, steps: int) -> dict[str, object]:
    """Ours and the peer's in turn; the peer in its fastest form, and once in the form of its own example (single-step)."""
    forms = {
        f"{mode}, {threads} threads": peer_steps_per_second(mode, threads, steps // 2)
        for mode in ("single", "multi")
        for threads in (1, 2)
    }
    fastest = max(forms, key=lambda form: forms[form])
    mode, threads = fastest.split(", ")[0], int(fastest.split(", ")[1].split()[0])
    made = trainer()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(steps_per_second(made))
        theirs.append(peer_steps_per_second(mode, threads, steps))
    example = max(rate for form, rate in forms.items() if form.startswith("single"))
    return {
        "setting": "DQSN, 64 IF neurons, 16 ticks, batch 128, one update per environment step, one seed",
        "spikeloop_env_steps_per_second": [round(value, 1) for value in ours],
        "spikingjelly_env_steps_per_second": [round(value, 1) for value in theirs],
        "spikingjelly_fastest_form": fastest,
        "spikingjelly_forms": {form: round(value, 1) for form, value in forms.items()},
        "ratio_median": round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 1),
        "ratio_to_the_example_form": round(statistics.median(ours) / example, 1),
    }


def arithmetic_limit() -> dict[str, float]:
    """What the cores could do at most: operations of one iteration over the rate of a large matrix product."""
    made = trainer()
    learner, state = made.learner, jax.tree.map(lambda leaf: leaf[0], made.states.learner)
    step = jax.jit(lambda state, key: learner.step(ENVIRONMENT, state, key))
    cost = step.lower(state, jax.random.key(0)).compile().cost_analysis()
    matrix = jax.random.normal(jax.random.key(0), (2048, 2048))
    product = jax.jit(lambda a: a @ a)
    product(matrix).block_until_ready()
    times = []
    for _ in range(10):
        started = time.perf_counter()
        product(matrix).block_until_ready()
        times.append(time.perf_counter() - started)
    rate = 2 * 2048**3 / min(times)
    flops = float(cost["flops"]) + float(cost.get("transcendentals", 0.0))
    return {
        "operations_per_iteration": flops,
        "operations_per_second_of_a_matrix_product": rate,
        "limit_env_steps_per_second": round(rate / flops, 1),
    }


def start_up() -> dict[str, float]:
    """Seconds from the command to its first progress line, cold and warm; peak memory of the demo in MiB."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SPIKELOOP_CACHE": str(Path(folder) / "cache")}
        for name in ("cold", "warm"):
            command = [sys.executable, "-m", "spikeloop", "run", "cartpole", "--out", str(Path(folder) / name)]
            started = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
            assert process.stdout is not None
            process.stdout.readline()
            found[f"first_progress_line_{name}_seconds"] = round(time.perf_counter() - started, 2)
            if name == "cold":
                process.terminate()
            process.stdout.read()
            _, _, usage = os.wait4(process.pid, 0)
            if name == "warm":
                found["demo_seconds_after_install"] = round(time.perf_counter() - started, 1)
                found["demo_peak_memory_mib"] = round(usage.ru_maxrss / 1024, 1)
    return found


def scaling() -> dict[str, dict[str, float]]:
    """Environment steps per second, all seeds together, along each axis from the base of 1 seed, 64 neurons, 16 ticks."""
    return {
        "seeds": {str(n): round(steps_per_second(trainer(seeds=n, chunk=200)), 1) for n in SEEDS},
        "width": {str(n): round(steps_per_second(trainer(width=n, chunk=200)), 1) for n in WIDTHS},
        "ticks": {str(n): round(steps_per_second(trainer(ticks=n, chunk=200)), 1) for n in TICKS},
    }


def draw(found: dict[str, dict[str, float]]) -> bytes:
    """Microseconds per environment step of one seed, along each axis."""
    with apply_style():
        figure = new_figure(9.0, 3.0)
        figure.set_layout_engine("constrained")
        for axes, (name, row) in zip(figure.subplots(1, 3), found.items(), strict=True):
            x = [int(value) for value in row]
            microseconds = [1e6 / value for value in row.values()]
            axes.loglog(x, microseconds, "o-", color=COLOURS[0])
            axes.set_xticks(x, [str(value) for value in x])
            axes.set_yticks(microseconds, [f"{value:.0f}" for value in microseconds])
            axes.minorticks_off()
            axes.set_xlabel({"seeds": "seeds", "width": "hidden neurons", "ticks": "ticks per decision"}[name])
            axes.set_ylabel("microseconds per step and seed" if name == "seeds" else "microseconds per step")
        return png(figure)


def main() -> None:
    """Measure everything and write it down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often ours and the peer take turns")
    parser.add_argument("--peer-steps", type=int, default=400, help="environment steps of the peer per turn")
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    found = {
        "peer": against_peer(options.rounds, options.peer_steps),
        "limit": arithmetic_limit(),
        "start_up": start_up(),
        "scaling_env_steps_per_second": scaling(),
    }
    found |= {"provenance": provenance(), "wall_seconds": round(time.perf_counter() - started, 1)}
    write_json(OUT / "bench.json", found)
    write_atomically(OUT / "scaling.png", draw(found["scaling_env_steps_per_second"]))
    for name in ("peer", "limit", "start_up", "scaling_env_steps_per_second"):
        print(name)
        for key, value in found[name].items():
            print(f"  {key}: {value}")


if __name__ == "__main__":
    main()

"""Do other simulators play what we export? `make bench-replay` trains, exports, replays, and writes results/benchmarks/replay.json.

Four spiking Q-networks are trained on CartPole-v1 with the settings of `cartpole` and a smaller budget: integrate-and-fire with a
hard reset, leaky integrate-and-fire, PopSAN's neuron with a decaying current, and the library's own recipe, whose soft reset NIR
cannot express; each with two budgets, so that there is one whose episodes end early. The policy of median score is exported for
snnTorch, Norse and SpikingJelly, which read the graph with their own importers (see peer_replay.py). Two things are compared:

1. Spikes. The same inputs, observations that our policy met in its own episodes: every spike of every neuron at every tick.
2. Returns. The same episodes of Gymnasium's CartPole-v1, from the same seeds, played by our policy, by its NumPy player, and
   through each simulator: mean with a 95 % bootstrap interval.

The soft reset is exported with --discretise, as a reset to 0: what that costs stands in the last rows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import jax
import numpy as np

import spikeloop
from spikeloop.analysis.tables import markdown
from spikeloop.errors import InvalidInput
from spikeloop.export import convention, export, sidecar, write_graph, write_player
from spikeloop.export.policy_player import load as load_player
from spikeloop.loading import load
from spikeloop.neurons import (
    CurrentLeakyIntegrateAndFire,
    HardReset,
    IntegrateAndFire,
    LeakyIntegrateAndFire,
    SoftReset,
)
from spikeloop.provenance import provenance
from spikeloop.run import Run
from spikeloop.storage import write_json

HERE = Path(__file__).parent
OUT = HERE.parent / "results" / "benchmarks" / "replay.json"
PEER = HERE / "peer_replay.py"
PYTHON = HERE.parent / ".bench-venv" / "bin" / "python"
SIMULATORS = ("snntorch", "norse", "spikingjelly")
NEURONS = {
    "if-hard-reset": IntegrateAndFire(reset=HardReset()),
    "lif": LeakyIntegrateAndFire(),
    "current-lif": CurrentLeakyIntegrateAndFire(),
    "if-soft-reset": IntegrateAndFire(reset=SoftReset()),
}
FIRST_EPISODE = 1000


def trained(name: str, folder: Path, env_steps: int) -> spikeloop.Policy:
    """The policy of median score of a small run with these neurons."""
    experiment = spikeloop.built_in("cartpole")
    policy = experiment.learner.policy
    learner = experiment.learner.with_fields(
        policy=policy.with_fields(network=policy.network.with_fields(neuron=NEURONS[name]))
    )
    protocol = experiment.protocol.with_fields(env_steps=env_steps)
    run = Run.create(folder / name, experiment.with_fields(learner=learner, controls={}, protocol=protocol, seeds=3))
    run.carry_out()
    return load(run.path)


def play(act: Any, episodes: int) -> dict[str, Any]:
    """Returns of episodes played all at once, and every observation met while an episode lasted."""
    worlds = [gymnasium.make("CartPole-v1") for _ in range(episodes)]
    seen = np.stack([world.reset(seed=FIRST_EPISODE + place)[0] for place, world in enumerate(worlds)])
    returns, alive, met = np.zeros(episodes), np.ones(episodes, bool), []
    while alive.any():
        met.append(seen[alive].copy())
        actions = act(seen)
        for place in np.flatnonzero(alive):
            seen[place], reward, terminated, truncated, _ = worlds[place].step(int(actions[place]))
            returns[place] += float(reward)
            alive[place] = not (terminated or truncated)
    return {"returns": returns.tolist(), "observations": np.concatenate(met)}


def our_spikes(policy: spikeloop.Policy, observations: np.ndarray) -> list[np.ndarray]:
    """Of each population: [decision, tick, neuron]."""
    actor = policy.actor

    def decide(obs):
        return actor.policy.trace(actor.params, actor.init_state(), obs, None)[1].trace.spikes

    return [np.asarray(spikes) > 0.5 for spikes in jax.jit(jax.vmap(decide))(observations)]


def interval(returns: list[float]) -> str:
    """Mean over episodes with a 95 % percentile bootstrap interval."""
    values, generator = np.asarray(returns), np.random.default_rng(0)
    means = values[generator.integers(0, len(values), (10_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.1f} [{low:.1f}, {high:.1f}]"


def replay(folder: Path, name: str, simulator: str, episodes: int) -> dict[str, Any]:
    """The peer's report, and its spikes."""
    command = [str(PYTHON), str(PEER), str(folder), simulator, name]
    command += ["--episodes", str(episodes), "--seed", str(FIRST_EPISODE)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InvalidInput(f"{simulator} failed: {last}; is it installed? make bench-replay sets it up")
    report = json.loads(done.stdout.splitlines()[-1])
    with np.load(folder / f"{name}-{simulator}-spikes.npz") as held:
        count = len(held.files) - 1
        return {**report, "spikes": [held[f"population_{place}"] for place in range(count)]}


def compared(name: str, folder: Path, env_steps: int, options: argparse.Namespace) -> dict[str, Any]:
    """One policy: ours, the player, and every simulator."""
    policy = trained(name, folder, env_steps)
    ours = play(policy, options.episodes)
    write_player(folder / f"{name}.npz", policy.actor, policy.spec)
    player = play(load_player(str(folder / f"{name}.npz")), options.episodes)
    generator = np.random.default_rng(0)
    chosen = generator.permutation(len(ours["observations"]))[: options.decisions]
    observations = ours["observations"][chosen]
    np.savez(folder / "task.npz", **{name: observations})
    mine = our_spikes(policy, observations)
    rows: dict[str, Any] = {
        "spikeloop": {"returns": ours["returns"]},
        "numpy player": {"returns": player["returns"], "other_returns": _differ(player["returns"], ours["returns"])},
    }
    for simulator in SIMULATORS:
        made = export(policy.actor, policy.spec, convention(simulator), discretise=name == "if-soft-reset")
        path = folder / f"{name}-{simulator}.nir"
        write_graph(path, made)
        write_json(path.with_name(path.name + ".json"), sidecar(made))
        report = replay(folder, name, simulator, options.episodes)
        theirs = report.pop("spikes")
        differ = sum(int((a != b).sum()) for a, b in zip(mine, theirs, strict=True))
        decisions = np.any([(a != b).any(axis=(1, 2)) for a, b in zip(mine, theirs, strict=True)], axis=0)
        rows[simulator] = {
            **report,
            "other_returns": _differ(report["returns"], ours["returns"]),
            "spikes": sum(int(spikes.sum()) for spikes in mine),
            "chances": sum(spikes.size for spikes in mine),
            "differing_spikes": differ,
            "differing_decisions": int(decisions.sum()),
            "decisions": len(observations),
        }
    return rows


def _differ(one: list[float], other: list[float]) -> int:
    return int((np.asarray(one) != np.asarray(other)).sum())


def main() -> None:
    """Train, export, replay, print a table, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--env-steps",
        type=int,
        nargs="+",
        default=[8_000, 20_000],
        help="of training: a policy that still fails, and one that does not",
    )
    parser.add_argument("--episodes", type=int, default=200, help="played by each")
    parser.add_argument("--decisions", type=int, default=5_000, help="whose spikes are compared")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if not PYTHON.exists():
        raise InvalidInput("the simulators are not installed: make bench-replay sets them up")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in NEURONS:
            for env_steps in options.env_steps:
                made = compared(name, Path(folder) / f"{name}-{env_steps}", env_steps, options)
                found[f"{name}, {env_steps:,} steps"] = made
    table = []
    for name, rows in found.items():
        for player, row in rows.items():
            spikes = "" if "spikes" not in row else f"{row['differing_spikes']:,} of {row['spikes']:,}"
            other = "" if "other_returns" not in row else f"{row['other_returns']} of {len(row['returns'])}"
            table.append([name, player, spikes, interval(row["returns"]), other])
    head = ["policy", "played by", "differing spikes", "return, mean [95 %]", "episodes with another return"]
    print(markdown(head, table))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, {"table": [head, *table], "policies": found, "provenance": provenance()})


if __name__ == "__main__":
    try:
        main()
    except InvalidInput as error:
        sys.exit(f"spikeloop: {error}")

"""Three policies that come with the library, measured, exported and played elsewhere: `python results/deployed.py`.

Of each and of its deep twin: what a decision costs, what the exported files weigh, and the same episodes of Gymnasium, from the
same seeds, played by the policy and by its NumPy player. Writes results/deployed; what other simulators make of the graphs is
measured by `make bench-replay`, and how the pictures were taken stands in the page's note.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from spikeloop import InvalidInput, load
from spikeloop.analysis.tables import markdown
from spikeloop.export import convention, export, sidecar, write_graph, write_player
from spikeloop.provenance import provenance
from spikeloop.ready_made import locate
from spikeloop.run import Run
from spikeloop.storage import write_json

OUT = Path(__file__).parent / "deployed"
NAMES = ("cartpole", "cartpole-ablation", "evolution/mountain-car", "zhang2022/pendulum")
EPISODES, FIRST = 100, 5000


def play(act: Callable[[np.ndarray], np.ndarray], world: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns of episodes played all at once, and all actions of the episodes that went on."""
    worlds = [gymnasium.make(world) for _ in range(EPISODES)]
    seen = np.stack([one.reset(seed=FIRST + place)[0] for place, one in enumerate(worlds)])
    returns, alive, taken = np.zeros(EPISODES), np.ones(EPISODES, bool), []
    while alive.any():
        actions = act(seen)
        taken.append(np.where(alive.reshape(-1, *[1] * (actions.ndim - 1)), actions, 0))
        for place in np.flatnonzero(alive):
            action = actions[place] if actions.ndim > 1 else int(actions[place])
            seen[place], reward, terminated, truncated, _ = worlds[place].step(action)
            returns[place] += float(reward)
            alive[place] = not (terminated or truncated)
    return returns, taken


def deployed(name: str, arm: str, cost: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One policy: its cost, the sizes of its exports, and its returns here and in the player."""
    policy = load(name, arm)
    player_file = folder / "policy.npz"
    script = write_player(player_file, policy.actor, policy.spec)
    graph: Any = folder / "policy.nir"
    try:
        made = export(policy.actor, policy.spec, convention())
        write_graph(graph, made)
        write_json(folder / "policy.nir.json", sidecar(made))
        graph = graph.stat().st_size
    except InvalidInput as error:
        graph = str(error).split(";")[0]
    spec = importlib.util.spec_from_file_location("policy_player", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    world = policy.spec.name
    ours, our_actions = play(policy, world)
    theirs, their_actions = play(module.load(str(player_file)), world)
    same_length = len(our_actions) == len(their_actions)
    return {
        "arm": arm,
        "environment": world,
        "returns": ours.tolist(),
        "player_returns": theirs.tolist(),
        "episodes_that_differ": int((ours != theirs).sum()),
        "largest_difference_of_actions": max(
            float(np.abs(np.subtract(a, b, dtype=float)).max()) for a, b in zip(our_actions, their_actions, strict=True)
        )
        if same_length
        else None,
        "npz_bytes": player_file.stat().st_size,
        "graph": graph,
        "cost": cost,
    }


def main() -> None:
    """Measure, print, keep."""
    found: dict[str, dict[str, Any]] = {}
    for name in NAMES:
        command = [sys.executable, "-m", "spikeloop", "measure", name, "--episodes", "50", "--json"]
        costs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for arm in Run.open(locate(name)).experiment.arms:
            with tempfile.TemporaryDirectory() as folder:
                found[f"{name}, {arm}"] = deployed(name, arm, costs["arms"][arm], Path(folder))
            print(name, arm, flush=True)
    header = [
        "policy",
        "return of 100 episodes",
        "in the NumPy player",
        "MACs",
        "ACs",
        "energy, nJ (45 nm)",
        "parameters",
    ]
    header += [".npz, kB", ".nir"]
    table = {"markdown": markdown(header, [_row(name, one) for name, one in found.items()]), "policies": found}
    title = f"{EPISODES} episodes of Gymnasium from the same seeds: mean [95 % interval over episodes]; costs are per decision."
    OUT.mkdir(exist_ok=True)
    write_json(OUT / "table.json", {"title": title, **table})
    write_json(OUT / "provenance.json", provenance())
    print(table["markdown"])


def _row(name: str, one: dict[str, Any]) -> list[str]:
    cost = one["cost"].get("constant_input_once") or one["cost"]["every_tick"]
    decision = cost["decision"]
    energy = decision["energy_pj"]["45 nm CMOS"]
    low, high = energy["low"]["iqm"] / 1000.0, energy["high"]["iqm"] / 1000.0
    apart = float(np.abs(np.subtract(one["returns"], one["player_returns"])).max())
    return [
        name,
        _mean(one["returns"]),
        "the same in every episode" if not apart else f"{_mean(one['player_returns'])}, at most {apart:.2g} apart",
        *(f"{decision[kind]['iqm']:,.0f}" for kind in ("effective_macs", "effective_acs")),
        f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}",
        f"{one['cost']['parameters']:,}",
        f"{one['npz_bytes'] / 1000:.0f}",
        f"{one['graph'] / 1000:.0f} kB" if isinstance(one["graph"], int) else one["graph"],
    ]


def _mean(returns: list[float]) -> str:
    values, generator = np.asarray(returns), np.random.default_rng(0)
    means = values[generator.integers(0, len(values), (10_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.1f} [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    main()

"""The options of `spikeloop export` and `spikeloop import`."""

import argparse
from collections.abc import Callable


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> list[argparse.ArgumentParser]:
    """Add both commands; returns them."""
    export = command("export", "write a trained policy for other simulators (.nir) or for NumPy alone (.npz)")
    export.add_argument("run", help="directory of the run")
    export.add_argument(
        "out", metavar="FILE", help="FILE.nir: a NIR graph with its sidecar; FILE.npz: arrays and a player"
    )
    export.add_argument("--arm", help="which learner of the run (default: the experiment's own)")
    export.add_argument("--policy-seed", type=int, help="which trained seed (default: the one of median score)")
    export.add_argument(
        "--convention", help="who will read the graph: nir, exact, snntorch, norse, spikingjelly (default: nir)"
    )
    export.add_argument("--dt", type=float, help="length of a tick in the graph, s (default: the convention's)")
    export.add_argument(
        "--discretise", action="store_true", help="write a soft reset, which NIR cannot express, as a reset to 0"
    )

    load = command("import", "make a run of a NIR graph, to evaluate, to play and to train further")
    load.add_argument("graph", metavar="FILE.nir", help="the graph")
    load.add_argument("--environment", help="what it plays, CartPole-v1 for example (default: what its sidecar says)")
    load.add_argument("--out", help="directory of the run (default: runs/FILE, or the first free runs/FILE-2, ...)")
    load.add_argument("--sidecar", help="the sidecar of the graph (default: FILE.nir.json, if there is one)")
    load.add_argument("--no-sidecar", action="store_true", help="take no notice of a sidecar")
    load.add_argument(
        "--ticks", type=int, default=16, help="ticks of a decision, where no sidecar says it (default: 16)"
    )
    load.add_argument("--dt", type=float, default=1e-4, help="length of a tick in s, likewise (default: 0.0001)")
    load.add_argument(
        "--keep-state", action="store_true", help="potentials live on from one decision to the next, likewise"
    )
    load.add_argument("--episodes", type=int, default=100, help="episodes to evaluate it over (default: 100)")
    load.add_argument("--seed", type=int, default=0, help="seed of the episodes (default: 0)")
    return [export, load]

"""`spikeloop export` and `spikeloop import`: policies on their way out of the library, and into it."""

import argparse
from pathlib import Path

from spikeloop.cli.opening import free_path, open_run
from spikeloop.environments import AbstractEnvironment
from spikeloop.errors import InvalidInput
from spikeloop.export import (
    Reading,
    Sidecar,
    convention,
    export,
    imported,
    read_graph,
    read_sidecar,
    sidecar,
    write_graph,
    write_player,
)
from spikeloop.export.sidecar import MOST_TICKS
from spikeloop.importing import environment_named, import_run
from spikeloop.loading import chosen_place, load_policies
from spikeloop.policies import StandardisedPolicy
from spikeloop.storage import write_json


def export_policy(options: argparse.Namespace, rest: list[str]) -> int:
    """Write a trained policy as a NIR graph with its sidecar, or as arrays with a player for NumPy."""
    opened = open_run(options.run, options)
    path = Path(options.out)
    if path.suffix not in (".nir", ".npz"):
        raise InvalidInput(f"FILE must end in .nir or .npz, got {path}")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path.parent} is not a directory")
    arm = opened.arm(options.arm)
    policies = load_policies(opened, arm)
    place = chosen_place(opened, arm, policies, options.policy_seed)
    actor, who = policies.of_seed(place), f"{arm}, seed {policies.seeds[place]}"
    if path.suffix == ".npz":
        for option in ("convention", "dt", "discretise"):
            if getattr(options, option):
                raise InvalidInput(f"--{option} is for .nir files; a player does what the policy did, exactly")
        player = write_player(path, actor, policies.spec)
        print(f"{who}: {path}, played by {player} with Python and NumPy alone")
        return 0
    made = export(actor, policies.spec, convention(options.convention or "nir", options.dt), options.discretise)
    beside = _beside(path)
    write_graph(path, made)
    write_json(beside, {"graph": path.name, **sidecar(made)})
    print(f"{who}: {path} ({len(made.nodes)} nodes, for {made.convention.reader}) and {beside}")
    for remark in made.approximated:
        print(f"approximated: {remark}")
    return 0


def import_graph(options: argparse.Namespace, rest: list[str]) -> int:
    """Make a run of a NIR graph that was exported by this library or made elsewhere."""
    path = Path(options.graph)
    nodes = read_graph(path)
    beside = _sidecar(path, options)
    environment = _environment(options.environment, beside)
    if options.episodes < 1:
        raise InvalidInput(f"--episodes must be at least 1, got {options.episodes}")
    if not 1 <= options.ticks <= MOST_TICKS:
        raise InvalidInput(f"--ticks must be between 1 and {MOST_TICKS}, got {options.ticks}")
    if not 0.0 < options.dt < float("inf"):
        raise InvalidInput(f"--dt must be a positive finite number of seconds, got {options.dt}")
    reading = Reading(options.ticks, options.dt, options.keep_state)
    actor = imported(nodes, environment.spec, reading, beside)
    out = Path(options.out) if options.out else free_path(Path("runs") / path.stem)
    made = import_run(out, actor, environment, options.episodes, options.seed)
    returns = (made.final("imported") or {})["returns"][0]
    mean = sum(returns) / len(returns)
    policy = actor.policy.policy if isinstance(actor.policy, StandardisedPolicy) else actor.policy
    if beside is not None and policy != beside.policy:
        print(
            "the graph is not the one that its sidecar was written for: its network is taken, and the sidecar's encoder and readout"
        )
    print(f"{out}: return {mean:.1f} over {len(returns)} episodes of {environment.spec.name}")
    print(f"next: `spikeloop play {out}`, or `spikeloop run {out}` to train it further")
    return 0


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _sidecar(path: Path, options: argparse.Namespace) -> Sidecar | None:
    if options.no_sidecar:
        return None
    if options.sidecar:
        return read_sidecar(Path(options.sidecar))
    return read_sidecar(_beside(path)) if _beside(path).exists() else None


def _environment(name: str | None, beside: Sidecar | None) -> AbstractEnvironment:
    if name is not None:
        return environment_named(name)
    if beside is None:
        raise InvalidInput("a graph does not say what it plays: --environment CartPole-v1, for example")
    found = environment_named(beside.spec.name)
    if found.spec.max_steps != beside.spec.max_steps and hasattr(found, "max_steps"):
        found = found.with_fields(max_steps=beside.spec.max_steps)
    return found

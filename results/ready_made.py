"""Makes a ready-made policy of a finished run: `python results/ready_made.py RUN [NAME]`, NAME being that of its experiment.

Of the learner (or `--arm`) and of `--twin` the policy of the seed of median score is kept, each its own, with its final evaluation,
what was asked, and where it ran. Refuses what is larger than 100 kB.

`--bits B` rounds every array of at least 1024 numbers to 2^B - 1 levels, evenly spaced around 0 up to its largest, and plays the
final episodes again: the return that is kept is that of the rounded policy.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import jax
import numpy as np

from spikeloop.component import describe
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor
from spikeloop.loading import Policies, evaluate_policies, load_policies, median_seed
from spikeloop.provenance import commit
from spikeloop.ready_made import TRAINED, reached
from spikeloop.run import Run
from spikeloop.storage import read_header, read_json, save_arrays, write_atomically, write_json
from spikeloop.training import evaluation_json

LARGEST = 100_000  # bytes
ROUNDED = 1024  # numbers of an array from which on it is rounded


def ready(run: Run, name: str, arm: str, twin: str | None, bits: int | None) -> Path:
    """Write the directory of the ready-made policy of that name; the one that was there goes."""
    arms = [arm, *([twin] if twin else [])]
    if missing := [name for name in arms if run.final(run.arm(name)) is None]:
        raise InvalidInput(f"{run.path}: {', '.join(missing)} has not finished")
    places = {name: median_seed(run.final(name) or {}) for name in arms}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "made"
        folder.mkdir()
        controls = {twin: run.experiment.arms[twin]} if twin else {}
        made = run.experiment.with_fields(learner=run.experiment.arms[arm], label=arm, controls=controls)
        described = {"format": 1, "name": name, "experiment": describe(made)}
        write_atomically(folder / "run.json", json.dumps(described, separators=(",", ":")).encode())
        whole = {"policies": f"of {run.experiment.seeds} seeds the one of median score", "kept_by": commit()}
        if bits:
            whole["weights"] = f"rounded to {bits} bits; the return is that of the rounded policy"
        write_json(folder / "provenance.json", {**read_json(run.path / "provenance.json"), **whole})
        for name_of_arm, place in places.items():
            policies, target = _chosen(load_policies(run, name_of_arm), place, bits), folder / "arms" / name_of_arm
            final = _of_seed(run.final(name_of_arm) or {}, place)
            if bits:
                episodes, environment = run.experiment.protocol.final_episodes, run.experiment.environment
                final |= evaluation_json(evaluate_policies(policies, environment, episodes, seed=0))
            target.mkdir(parents=True)
            header = {**read_header(run.arm_path(name_of_arm) / "policy.safetensors"), "seeds": list(policies.seeds)}
            save_arrays(target / "policy.safetensors", policies.actors.params, header, packed=True)
            write_json(target / "final.json", final)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if size > LARGEST:
            raise InvalidInput(f"{name} takes {size:,} bytes, and a ready-made policy at most {LARGEST:,}")
        Run.open(folder)
        out = TRAINED / name
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder, out)
    print(f"{name}: {size:,} bytes, {reached(out)}")
    return out


def _chosen(policies: Policies, place: int, bits: int | None) -> Policies:
    """The policy of one seed alone, rounded to so many bits if any."""

    def leaf(values):
        one = np.asarray(values[place : place + 1])
        if bits is None or one.size < ROUNDED:
            return one
        step = np.abs(one).max() / (2 ** (bits - 1) - 1)
        return (np.round(one / step) * step).astype(one.dtype) if step > 0 else one

    actors = policies.actors
    actor = Actor(actors.policy, jax.tree.map(leaf, actors.params), actors.actions, actors.selection)
    return Policies(actor, policies.spec, (policies.seeds[place],))


def _of_seed(final, place):
    """An arm's final evaluation with one seed of several."""
    kept = {**final, "diverged_seeds": [seed for seed in final["diverged_seeds"] if seed == final["seeds"][place]]}
    for name in ("env_steps", "episodes", "seeds", "returns", "lengths", "spikes_per_decision"):
        kept[name] = [final[name][place]]
    for name in ("firing_rates", "silent_neurons"):
        kept[name] = [[of_population[place]] for of_population in final[name]]
    return kept


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--arm")
    parser.add_argument("--twin")
    parser.add_argument("--bits", type=int, choices=range(2, 13))
    options = parser.parse_args()
    opened = Run.open(options.run)
    ready(opened, options.name or opened.name, opened.arm(options.arm), options.twin, options.bits)

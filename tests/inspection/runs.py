"""Runs that have finished without training: the policies that training begins with, filed as if it had ended there."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from spikeloop.component import describe
from spikeloop.experiment import Experiment
from spikeloop.inspection.gathering import initial_actor
from spikeloop.run import Run
from spikeloop.storage import save_arrays, write_json
from spikeloop.training import Protocol


def untrained_run(path: Path, experiment: Experiment, name: str | None = None, scale: float = 1.0) -> Run:
    """A run of one seed, its controls left out; `scale` multiplies all parameters, so that neurons fire."""
    world = experiment.environment
    if hasattr(world, "max_steps"):
        world = world.with_fields(max_steps=12)
    fields: dict[str, Any] = {"environment": world, "controls": {}, "seeds": 1, "protocol": Protocol()}
    run = Run.create(path, experiment.with_fields(**fields), name)
    arm = run.arm()
    actor = initial_actor(run, arm, experiment.first_seed)
    stacked = jax.tree.map(lambda leaf: jnp.asarray(scale, leaf.dtype) * leaf[None], actor.params)
    run.arm_path(arm).mkdir(parents=True)
    header = {
        "policy": describe(actor.policy),
        "selection": describe(actor.selection),
        "spec": describe(world.spec),
        "seeds": list(run.experiment.seed_range),
    }
    save_arrays(run.arm_path(arm) / "policy.safetensors", jax.device_get(stacked), header)
    write_json(run.arm_path(arm) / "final.json", {"returns": [[0.0, 1.0]], "seeds": header["seeds"]})
    return run

"""Seeds spread over several devices learn what they learn on one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
CODE = """
import json, sys
import jax
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
from spikeloop.training import Trainer
from tests.small import small_experiment
experiment = small_experiment()
learner = experiment.arms[sys.argv[2]]
trainer = Trainer(experiment.environment, learner, experiment.protocol, range(4))
while not trainer.done:
    trainer.advance()
leaves = jax.tree.leaves(jax.device_get(trainer.actors().params))
print(json.dumps({
    "devices": len(trainer.states.env_steps.sharding.device_set),
    "params": [leaf.ravel().tolist() for leaf in leaves],
    "episodes": trainer.states.episodes.tolist(),
    "env_steps": trainer.env_steps.tolist(),
}))
"""


def train(devices: int, arm: str) -> dict:
    """What four seeds learn in a process with so many CPU devices."""
    command = [sys.executable, "-c", CODE, str(devices), arm]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("arm", ["spiking-dqn", "random-weights"])
def test_spread_seeds_equal_seeds_on_one_device(arm):
    together, spread = train(1, arm), train(2, arm)
    assert (together.pop("devices"), spread.pop("devices")) == (1, 2)
    for one, other in zip(together.pop("params"), spread.pop("params"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert together == spread

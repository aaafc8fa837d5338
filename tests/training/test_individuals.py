"""Individuals spread over several devices are, to the bit, individuals on one: states, records and evaluations."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.interaction import over_individuals

ROOT = Path(__file__).parent.parent.parent
# Seeds, individuals, and the devices of each seed and in all, of four: 9 individuals leave one device without work.
CASES = {(2, 32): (2, 4), (1, 9): (3, 3)}
CODE = """
import dataclasses, json, os, sys
import jax
import numpy as np
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
jax.config.update("jax_compilation_cache_dir", os.environ["SPIKELOOP_CACHE"])
from spikeloop.learners import Evolution
from spikeloop.learners.strategies import CrossEntropy
from spikeloop.networks import FeedForward
from spikeloop.policies import SpikingPolicy
from spikeloop.training import Protocol, Trainer
from tests.worlds import Corridor

def numbers(leaf):
    return np.asarray(jax.random.key_data(leaf) if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)

def train(seeds, population):
    policy = SpikingPolicy(network=FeedForward((4,)), ticks=2)
    learner = Evolution(policy, CrossEntropy(population=population), episodes=2)
    protocol = Protocol(env_steps=1500, records=3, evaluation_episodes=4)
    trainer = Trainer(Corridor(), learner, protocol, range(seeds))
    records = []
    while not trainer.done:
        records += [dataclasses.asdict(record) for record in trainer.advance()]
    sharding = trainer.states.env_steps.sharding
    return {
        "each": sharding.mesh.shape["individuals"] if hasattr(sharding, "mesh") else 1,
        "devices": len(sharding.device_set),
        "states": [numbers(leaf).tobytes().hex() for leaf in jax.tree.leaves(trainer.states)],
        "records": records,
        "returns": trainer.evaluate(8, 1).returns.tolist(),
    }

print(json.dumps([train(*case) for case in json.loads(sys.argv[2])]))
"""


@functools.cache
def trained(devices: int) -> dict[tuple[int, int], dict]:
    """What every case ends with in a process with so many CPU devices."""
    command = [sys.executable, "-c", CODE, str(devices), json.dumps(list(CASES))]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return dict(zip(CASES, json.loads(out), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} seeds of {case[1]}")
def test_spread_individuals_equal_individuals_on_one_device(case):
    together, spread = dict(trained(1)[case]), dict(trained(4)[case])
    assert (together.pop("each"), together.pop("devices")) == (1, 1)
    assert (spread.pop("each"), spread.pop("devices")) == CASES[case]
    assert len(together["records"]) > 2 * case[0]
    assert together == spread


def test_without_devices_of_its_own_it_is_vmap():
    x = jnp.arange(6.0).reshape(3, 2)
    found = over_individuals(lambda row, scale: {"sum": scale * row.sum()}, x, jnp.asarray([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(np.asarray(found["sum"]), [1.0, 10.0, 27.0])

"""A call to the host gives the same however it is made, and once for a whole batch."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.interpreters import mlir

from spikeloop.environments._host import on_host, one_call, reset_on_host


class Host:
    """Doubles words and adds a number of its own; counts how often it is called, and the size of each batch."""

    def __init__(self):
        self.batches = []

    def double(self, words):
        assert isinstance(words, np.ndarray)
        self.batches.append(len(words))
        return 2 * words + np.uint32(1)


def doubled(host):
    return lambda words: one_call(lambda batch: on_host(host.double, 3, batch))(words)


WORDS = jnp.arange(24, dtype=jnp.uint32).reshape(2, 4, 3)


def test_a_vmap_is_one_call():
    host = Host()
    found = jax.jit(jax.vmap(jax.vmap(doubled(host))))(WORDS)
    np.testing.assert_array_equal(found, 2 * WORDS + jnp.uint32(1))
    assert host.batches == [8]


def test_a_loop_calls_once_a_round():
    host = Host()
    found, _ = jax.jit(lambda words: jax.lax.scan(lambda w, _: (doubled(host)(w), None), words, length=5))(WORDS[0, 0])
    np.testing.assert_array_equal(found, 32 * WORDS[0, 0] + jnp.uint32(31))
    assert host.batches == [1] * 5


def test_without_the_cheap_call_it_is_the_public_one(monkeypatch):
    monkeypatch.delattr(mlir, "emit_python_callback")
    host = Host()
    np.testing.assert_array_equal(jax.jit(jax.vmap(doubled(host)))(WORDS[0]), 2 * WORDS[0] + jnp.uint32(1))
    assert host.batches == [4]


def test_outside_any_jit():
    with jax.disable_jit():
        np.testing.assert_array_equal(doubled(Host())(WORDS[0, 0]), 2 * WORDS[0, 0] + jnp.uint32(1))


def test_none_is_made_where_nothing_is_wanted():
    host = Host()
    reset = jax.jit(jax.vmap(lambda wanted, seed: reset_on_host(host.double, 2, wanted, seed)))
    seeds = jnp.arange(3, dtype=jnp.uint32)
    assert not reset(jnp.zeros(3, bool), seeds).any()
    assert host.batches == []
    np.testing.assert_array_equal(reset(jnp.array([True, False, True]), seeds)[:, 1], [1, 3, 5])
    assert host.batches == [3]


def test_an_error_of_the_host_is_said():
    class Broken(Host):
        def double(self, words):
            raise RuntimeError("the simulator fell over")

    with pytest.raises(Exception, match="the simulator fell over"):
        jax.block_until_ready(jax.jit(doubled(Broken()))(WORDS[0, 0]))


DEVICES = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P
from tests.environments.test_host import Host, doubled
assert len(jax.devices()) == 2
words = jnp.arange(12, dtype=jnp.uint32).reshape(4, 3)
mesh = jax.make_mesh((2,), ("seeds",), axis_types=(AxisType.Auto,))
host = Host()
each = jax.vmap(doubled(host))
for placed, run in (
    (words, jax.shard_map(each, mesh=mesh, in_specs=P("seeds"), out_specs=P("seeds"), check_vma=False)),
    (jax.device_put(words, NamedSharding(mesh, P("seeds"))), each),
):
    np.testing.assert_array_equal(jax.jit(run)(placed), 2 * words + 1)
print(host.batches)
"""


def test_each_device_calls_for_its_own_part_and_one_where_they_share():
    environment = {**os.environ, "JAX_NUM_CPU_DEVICES": "2", "XLA_FLAGS": ""}
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    ran = subprocess.run([sys.executable, "-c", DEVICES], env=environment, cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[2, 2, 4]"

"""Figure for figure against NeuroBench on a PyTorch twin of the same network.

Runs only where the environment of the peers is (`make test-neurobench` makes it); NeuroBench is another program, and none of its
code is here. Weights and inputs are multiples of 1/16, so that both sides compute without rounding and the spikes are the same.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.analysis.measurement import Measurement, measure
from spikeloop.analysis.measurement.counting import count, observe
from spikeloop.decoders import LastMembrane, SpikeRate
from spikeloop.encoders import OneHotBins
from spikeloop.environments import Gymnax
from spikeloop.interaction import Actor
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire, LeakyIntegrateAndFire, LeakyIntegrator
from spikeloop.policies import DeepPolicy, SpikingPolicy

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("BENCH_VENV", ROOT / ".bench-venv")) / "bin" / "python"
WORLD = Gymnax("CartPole-v1", max_steps=3)
SAMPLES = 40

IF = {"beta": 1.0, "gain": 1.0, "threshold": 1.0}
LIF = {"beta": 0.5, "gain": 1.0, "threshold": 1.0}
READOUT = {"beta": 0.5, "gain": 0.5, "threshold": None}

DQSN = SpikingPolicy(
    network=FeedForward((16, 12), IntegrateAndFire()), decoder=LastMembrane(LeakyIntegrator(2.0)), ticks=8
)
SPIKES_ONLY = SpikingPolicy(
    encoder=OneHotBins(bins=5, low=-2.0, high=2.0, amplitude=1.0),
    network=FeedForward((16,), LeakyIntegrateAndFire(tau=2.0)),
    decoder=SpikeRate(),
    ticks=6,
)
MLP = DeepPolicy((16, 12))
CASES = {
    "dqsn": (DQSN, [IF, IF, READOUT]),
    "spikes-only": (SPIKES_ONLY, [LIF, LIF]),
    "mlp": (MLP, ["relu", "relu", None]),
}


class Ours(eqx.Module):
    """A case as this library counts it, and as a job for the peer."""

    measured: Measurement
    counts: Any
    job: dict[str, Any]


@pytest.fixture(scope="module")
def figures() -> dict[str, tuple[Ours, dict[str, Any]]]:
    """Of each case ours and theirs; one process for all, since importing PyTorch takes most of the time."""
    if not PYTHON.exists():
        pytest.skip("needs NeuroBench in .bench-venv: `make test-neurobench`")
    ours = {name: count_ours(*case) for name, case in CASES.items()}
    jobs = json.dumps([one.job for one in ours.values()])
    script = ROOT / "benchmarks" / "peer_neurobench.py"
    done = subprocess.run([PYTHON, script], input=jobs, capture_output=True, text=True, timeout=300)
    if done.returncode and "No module named" in done.stderr:
        pytest.skip(f"{done.stderr.strip().splitlines()[-1]} in .bench-venv: `make test-neurobench`")
    assert done.returncode == 0, done.stderr
    return dict(zip(ours, zip(ours.values(), json.loads(done.stdout), strict=True), strict=True))


def exact(params: Any, seed: int) -> Any:
    """The same parameters with multiples of 1/16, a fifth of the weights zero."""
    rng = np.random.default_rng(seed)

    def draw(leaf):
        values = rng.integers(-16, 17, leaf.shape) / 16.0
        return jnp.asarray(np.where(rng.random(leaf.shape) < 0.2, 0.0, values), leaf.dtype)

    return jax.tree.map(draw, params)


def connections(policy: Any, params: Any) -> list[Any]:
    """Weights and biases of every full connection."""
    if isinstance(policy, DeepPolicy):
        return list(params)
    return [*params.network, *(() if params.decoder is None else (params.decoder,))]


def count_ours(policy: Any, neurons: list[Any]) -> Ours:
    """The counts of decisions on random observations, and the measurement of an episode."""
    params = exact(policy.init(4, 2, jax.random.key(0)), 1)
    rng = np.random.default_rng(2)
    observations = rng.integers(-16, 17, (SAMPLES, 4)) / 8.0 * (rng.random((SAMPLES, 4)) < 0.8)
    actor = Actor(policy, params, WORLD.spec.actions)
    activity = jax.jit(jax.vmap(lambda obs: observe(actor, obs)))(jnp.asarray(observations, jnp.float32))
    all_seeds = Actor(policy, jax.tree.map(lambda leaf: leaf[None], params), actor.actions)
    layers = [{"weight": layer.weight.tolist(), "bias": layer.bias.tolist()} for layer in connections(policy, params)]
    job = {"inputs": np.asarray(activity.traffic[0].inputs).tolist(), "layers": layers, "neurons": neurons}
    return Ours(measure(WORLD, all_seeds, episodes=1), jax.jit(jax.vmap(count))(activity), job)


@pytest.mark.parametrize("name", CASES)
def test_figure_for_figure(figures, name):
    ours, theirs = figures[name]
    measured, counts, operations = ours.measured, ours.counts, theirs["SynapticOperations"]
    assert mean(counts.macs) == operations["Effective_MACs"]
    assert mean(counts.acs) == operations["Effective_ACs"]
    assert (mean(counts.macs) > 0, mean(counts.acs) > 0) == (name != "spikes-only", name != "mlp")
    assert sum(one.size * one.calls for one in measured.connections) == operations["Dense"]
    sparsity = float(measured.connection_sparsity[0])
    assert sparsity > 0.1 and theirs["ConnectionSparsity"] == round(sparsity, 4)
    assert measured.memory.parameters == theirs["ParameterCount"]
    # snnTorch keeps what describes a neuron (beta, threshold, ...) as arrays; here these are fields, and no arrays.
    assert measured.memory.footprint == theirs["Footprint"] - theirs["Constants"]
    compare_layers(measured, counts, theirs, readout=2 if name == "dqsn" else 0)


def compare_layers(measured: Measurement, counts: Any, theirs: dict[str, Any], readout: int) -> None:
    """Activation sparsity of each layer and of all, and membrane updates."""
    by_layer = theirs["ActivationSparsityByLayer"]
    active = [int(np.asarray(one).sum()) for one in counts.active]
    outputs = [SAMPLES * layer.size * layer.calls for layer in measured.layers]
    for place, (fired, possible) in enumerate(zip(active, outputs, strict=True)):
        assert 0 < fired < possible
        assert by_layer[str(place)] == pytest.approx(1.0 - fired / possible, abs=1e-12)
    # A readout that never fires is a neuron to NeuroBench, whose outputs are all zero; to us it is none.
    possible = sum(outputs) + SAMPLES * readout * measured.ticks
    assert theirs["ActivationSparsity"] == pytest.approx(1.0 - sum(active) / possible, abs=1e-12)
    updates = mean(counts.updates)
    assert updates == theirs.get("MembraneUpdates", 0.0)
    assert updates < sum(layer.size * layer.calls for layer in measured.membranes) or not measured.membranes


def mean(counts: Any) -> float:
    """Of a decision."""
    return sum(int(np.asarray(one).sum()) for one in counts) / SAMPLES

"""The peer: what NeuroBench 2.3.0 counts of a network that is given to it as numbers, built of PyTorch and snnTorch modules.

Reads a list of JSON objects from standard input and prints a list of what was found of each:

    inputs    [samples][ticks][features]; one tick for a network of rectified units
    layers    for each full connection: weight [inputs][outputs], bias [outputs]
    neurons   after each connection: {"beta", "gain", "threshold"} of a leaky neuron, v <- beta v + gain I, reset to zero at its
              spike, no spikes where the threshold is null; "relu"; or null after the last connection of a rectified network

tests/analysis/measurement/test_against_neurobench.py runs it. Runs in the environment that benchmarks/setup_peer.sh makes.
"""

import json
import math
import sys

import snntorch
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
from neurobench.metrics.workload import (
    ActivationSparsity,
    ActivationSparsityByLayer,
    MembraneUpdates,
    SynapticOperations,
)
from neurobench.models import SNNTorchModel, TorchModel
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Twin(nn.Module):
    """Connections and neurons, one after the other."""

    def __init__(self, layers, neurons):
        super().__init__()
        self.connections, self.neurons = nn.ModuleList(), nn.ModuleList()
        self.gains = [neuron["gain"] if isinstance(neuron, dict) else 1.0 for neuron in neurons]
        for layer, neuron in zip(layers, neurons, strict=True):
            self.connections.append(_connection(layer))
            self.neurons.append(_neuron(neuron))

    def forward(self, x):
        for connection, neuron, gain in zip(self.connections, self.neurons, self.gains, strict=True):
            x = neuron(gain * connection(x))
        return x, None


class Plain(Twin):
    """The same for a network without time."""

    def forward(self, x):
        return super().forward(x)[0]


def _connection(layer):
    weight = torch.tensor(layer["weight"]).T.contiguous()
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(weight)
        linear.bias.copy_(torch.tensor(layer["bias"]))
    return linear


def _neuron(neuron):
    if neuron is None:
        return nn.Identity()
    if neuron == "relu":
        return nn.ReLU()
    spiking = neuron["threshold"] is not None
    return snntorch.Leaky(
        beta=neuron["beta"],
        # snnTorch fires above the threshold, spikeloop at it: a little below, between two values that can occur.
        threshold=neuron["threshold"] - 1e-6 if spiking else math.inf,
        reset_mechanism="zero" if spiking else "none",
        reset_delay=False,
        init_hidden=True,
    )


def measure(job):
    """Build the twin, run the benchmark, return what it says."""
    inputs = torch.tensor(job["inputs"])
    timeless = not any(isinstance(neuron, dict) for neuron in job["neurons"])
    twin = (Plain if timeless else Twin)(job["layers"], job["neurons"])
    model = TorchModel(twin) if timeless else SNNTorchModel(twin)
    data = inputs[:, 0] if timeless else inputs
    targets = torch.zeros(len(data))
    loader = DataLoader(TensorDataset(data, targets), batch_size=len(data))
    workload = [ActivationSparsity, ActivationSparsityByLayer, SynapticOperations]
    workload += [] if timeless else [MembraneUpdates]
    benchmark = Benchmark(model, loader, [], [], [[ParameterCount, ConnectionSparsity], workload])
    found = benchmark.run(quiet=True)
    # Membranes are empty before the first sample and hold a whole batch after it: the footprint of one sample at a time.
    model(data[:1])
    constants = [b for name, b in twin.named_buffers() if not name.endswith(".mem")]
    found["Footprint"] = Footprint()(model)
    found["Constants"] = sum(b.numel() * b.element_size() for b in constants)
    return found


if __name__ == "__main__":
    with torch.no_grad():
        print(json.dumps([measure(job) for job in json.load(sys.stdin)]))

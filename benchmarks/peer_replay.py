"""Plays exported policies in other simulators: snnTorch, Norse and SpikingJelly, each by its own import of NIR graphs.

Reads a folder that benchmarks/replay_nir.py wrote: `task.npz` with the inputs of a number of decisions, and for every policy and
simulator a graph with its sidecar. Prints one line of JSON: the spikes of every population at every tick for those inputs (as a
file, for they are many), and the returns of episodes of Gymnasium's CartPole-v1 played through the simulator.

What the simulator computes are the spikes. The encoder (a gain) and the readout (a leaky integrator on the spikes of the last
population), which these importers do not know, are computed here from the sidecar, with NumPy.

Nothing is patched or set after an import; what each importer needs is in the convention that the graph was exported for:

    snntorch      import_from_nir takes dt = 1e-4 s. An IF becomes a Leaky with beta = 0.9 and reset by subtraction, whatever the
                  graph says, so the convention writes an LIF whose leak is below rounding
    norse         from_nir takes r = 1 and v_reset = 0 of IF and LIF, whatever the graph says, and dt = 1e-3 s
    spikingjelly  import_from_nir fires at v = v_threshold itself, NIR above it
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import logging
import time
from pathlib import Path

import gymnasium
import nir
import numpy as np
import torch


class Network:
    """A graph in a simulator: a tick at a time, batched; the spikes of every population."""

    def __init__(self, simulator, path):
        graph = nir.read(path)
        with contextlib.redirect_stdout(io.StringIO()):
            self.module = getattr(self, f"_{simulator}")(graph)
        self.simulator, self.fired = simulator, {}
        # Names of populations in the order of the chain: affine_1, lif_2, affine_3, lif_4, ...
        self.names = [name for name, node in graph.nodes.items() if isinstance(node, (nir.IF, nir.LIF, nir.CubaLIF))]
        for name, module in self.module.named_modules():
            if name in self.names:
                module.register_forward_hook(self._heard(name))

    @staticmethod
    def _snntorch(graph):
        from snntorch.import_nir import import_from_nir

        return import_from_nir(graph)

    @staticmethod
    def _norse(graph):
        import norse.torch

        return norse.torch.from_nir(graph, ignore_warnings=True)

    @staticmethod
    def _spikingjelly(graph):
        from spikingjelly.activation_based.nir_exchange import import_from_nir

        return import_from_nir(graph)

    def _heard(self, name):
        def hook(module, inputs, output):
            self.fired[name] = output[0] if isinstance(output, tuple) else output

        return hook

    def decide(self, inputs, ticks):
        """Spikes of so many ticks from rest: [tick] of a list of [batch, neuron] for each population."""
        state, kept = None, []
        if self.simulator == "snntorch":
            for module in self.module.modules():
                if hasattr(module, "reset_mem"):
                    module.reset_mem()
        for _ in range(ticks):
            _, state = self.module(inputs, state)
            kept.append([self.fired[name].numpy().astype(np.float32) for name in self.names])
        return kept


class Readout:
    """The leaky integrator of the sidecar: v <- v (1 - 1/tau) + (o W + b)/tau, read after the last tick."""

    def __init__(self, beside):
        assert beside["output"]["type"] == "LastMembrane" and beside["between_decisions"] == "reset"
        self.tau = beside["output"]["neuron"]["tau"]
        held = beside["parameters"]
        self.weight, self.bias = (
            np.asarray(held[f".decoder.{name}"]["values"], np.float32).reshape(held[f".decoder.{name}"]["shape"])
            for name in ("weight", "bias")
        )

    def __call__(self, kept):
        v = np.zeros((len(kept[0][-1]), len(self.bias)), np.float32)
        for spikes in kept:
            v = v * np.float32(1 - 1 / self.tau) + (spikes[-1] @ self.weight + self.bias) * np.float32(1 / self.tau)
        return v


def play(network, readout, gain, ticks, episodes, seed):
    """Returns of episodes of CartPole-v1 played through the simulator, all at once."""
    worlds = [gymnasium.make("CartPole-v1") for _ in range(episodes)]
    observations = np.stack([world.reset(seed=seed + place)[0] for place, world in enumerate(worlds)])
    returns, alive = np.zeros(episodes), np.ones(episodes, bool)
    while alive.any():
        places = np.flatnonzero(alive)
        inputs = torch.from_numpy(observations[places].astype(np.float32) * gain)
        actions = readout(network.decide(inputs, ticks)).argmax(axis=1)
        for place, action in zip(places, actions, strict=True):
            observations[place], reward, terminated, truncated, _ = worlds[place].step(int(action))
            returns[place] += reward
            alive[place] = not (terminated or truncated)
    return returns.tolist()


def main():
    parser = argparse.ArgumentParser(description="Replay exported policies in another simulator.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("simulator", choices=["snntorch", "norse", "spikingjelly"])
    parser.add_argument("policy")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1000)
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    path = args.folder / f"{args.policy}-{args.simulator}.nir"
    beside = json.loads(path.with_name(path.name + ".json").read_text())
    gain, ticks = np.asarray(beside["input"]["gain"], np.float32), beside["ticks"]
    observations = np.load(args.folder / "task.npz")[args.policy]
    network, readout = Network(args.simulator, path), Readout(beside)
    started = time.perf_counter()
    with torch.no_grad():
        kept = network.decide(torch.from_numpy(observations * gain), ticks)
        spikes = [np.stack([tick[place] for tick in kept], axis=1) for place in range(len(network.names))]
        outputs = readout(kept)
        returns = play(network, readout, gain, ticks, args.episodes, args.seed)
    out = args.folder / f"{args.policy}-{args.simulator}-spikes.npz"
    np.savez(out, outputs=outputs, **{f"population_{place}": fired > 0.5 for place, fired in enumerate(spikes)})
    versions = {name: importlib.metadata.version(name) for name in (args.simulator, "nir", "nirtorch", "torch")}
    print(json.dumps({"returns": returns, "seconds": time.perf_counter() - started, "versions": versions}))


if __name__ == "__main__":
    main()

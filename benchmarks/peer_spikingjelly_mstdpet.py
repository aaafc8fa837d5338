"""The peer: SpikingJelly's reward-modulated STDP with eligibility traces (MSTDPETLearner) on PyTorch (CPU), timed in ticks.

Network   Linear(inputs, outputs) without bias - LIF (tau 2, raw input, threshold 1, hard reset to 0), one tick at a time
Rule      MSTDPETLearner: pair traces of 20 ticks, eligibility of 35 ticks, no dependence on the weight. The reward comes after each
          decision of T ticks and is 0 in the ticks before, as its interface has it; SGD takes the step after each decision.
Inputs    Spikes drawn beforehand, `rate` of them in a tick; no encoder, no environment, no choice of an action: less than the
          library's side of the comparison does.
Timing    `--warmup` decisions untimed, then `--decisions` of them.

Prints one line of JSON. Runs in the environment that benchmarks/setup_peer.sh makes.
"""

import argparse
import importlib.metadata
import json
import time

import torch
from spikingjelly.activation_based import functional, learning, neuron

TAU_PAIRS, TAU_ELIGIBILITY, RATE = 20.0, 35.0, 1e-3


def main() -> None:
    """Time it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, required=True)
    parser.add_argument("--outputs", type=int, required=True)
    parser.add_argument("--ticks", type=int, required=True)
    parser.add_argument("--rate", type=float, default=4.0, help="input spikes in a tick")
    parser.add_argument("--warmup", type=int, default=50)
    parser.add_argument("--decisions", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)

    synapses = torch.nn.Linear(asked.inputs, asked.outputs, bias=False)
    neurons = neuron.LIFNode(tau=2.0, decay_input=False, v_threshold=1.0, v_reset=0.0, step_mode="s")
    learner = learning.MSTDPETLearner(
        step_mode="s",
        synapse=synapses,
        sn=neurons,
        tau_pre=TAU_PAIRS,
        tau_post=TAU_PAIRS,
        tau_trace=TAU_ELIGIBILITY,
        f_pre=lambda weight: 1.0,
        f_post=lambda weight: 1.0,
    )
    optimizer = torch.optim.SGD(synapses.parameters(), lr=RATE)
    spikes = (torch.rand(asked.ticks * 64, 1, asked.inputs) < asked.rate / asked.inputs).float()
    fired = 0.0

    def decide(place: int) -> float:
        counts = 0.0
        with torch.no_grad():
            for tick in range(asked.ticks):
                out = neurons(synapses(spikes[(place * asked.ticks + tick) % len(spikes)]))
                counts += float(out.sum())
                optimizer.zero_grad()
                learner.step(reward=1.0 if tick == asked.ticks - 1 else 0.0, on_grad=True)
            optimizer.step()
        return counts

    for place in range(asked.warmup):
        decide(place)
    started = time.perf_counter()
    for place in range(asked.decisions):
        fired += decide(place)
    seconds = time.perf_counter() - started
    functional.reset_net(neurons)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "spikingjelly")}
    ticks = asked.decisions * asked.ticks
    print(json.dumps({"ticks_per_second": ticks / seconds, "spikes_per_tick": fired / ticks, "versions": versions}))


if __name__ == "__main__":
    main()

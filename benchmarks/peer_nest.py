"""The peer: the Mountain Car network of Learning to Learn in NEST 3.10, timed in windows (decisions) per second.

Network   60 input, 5 hidden and 3 output neurons, ``iaf_psc_alpha`` with t_ref = 1 ms, else NEST's defaults; 0.2 ms a step;
          all delays 1 ms; full connections, weight = gene x 100 pA.
Input     A direct current of 40 000 pA into one position and one velocity neuron, from 60 generators whose currents are set
          before each window of 20 ms. Nothing is reset between windows. Output: spikes of the last three in a window.
Task      An .npz file: the genes of every individual, ``hidden`` [individuals, 60, 5] and ``output`` [individuals, 5, 3], and
          which inputs are driven, ``driven`` [individuals, windows, 2]: the network alone, without an environment.
Timing    For each individual the network is built at rest, which is timed apart, and its windows are simulated, with the
          setting of the currents and the reading of the output spikes. One process.

Prints one JSON line; ``spikes`` holds those of each population, for each individual. Needs the extra `nest`.
"""

import argparse
import json
import time

import nest
import numpy as np

INPUTS, HIDDEN, OUTPUTS = 60, 5, 3
RESOLUTION, DELAY, WINDOW = 0.2, 1.0, 20.0  # ms
AMPLITUDE, WEIGHT_SCALE = 40_000.0, 100.0  # pA


class Network:
    """The 68 neurons of one individual, at rest."""

    def __init__(self, genes, threads):
        nest.ResetKernel()
        nest.resolution = RESOLUTION
        nest.local_num_threads = threads
        self.populations = [nest.Create("iaf_psc_alpha", n, {"t_ref": 1.0}) for n in (INPUTS, HIDDEN, OUTPUTS)]
        self.generators = nest.Create("dc_generator", INPUTS)
        nest.Connect(self.generators, self.populations[0], "one_to_one", {"delay": DELAY})
        for values, source, target in zip(genes, self.populations[:-1], self.populations[1:], strict=True):
            nest.Connect(source, target, "all_to_all", {"weight": values.T * WEIGHT_SCALE, "delay": DELAY})
        self.recorders = [nest.Create("spike_recorder") for _ in self.populations]
        for population, recorder in zip(self.populations, self.recorders, strict=True):
            nest.Connect(population, recorder)
        self.output_spikes = 0

    def window(self, driven):
        """The spikes of the output neurons in a window, with these two input neurons driven."""
        amplitudes = np.zeros(INPUTS)
        amplitudes[driven] = AMPLITUDE
        self.generators.amplitude = amplitudes.tolist()
        self.recorders[-1].n_events = 0
        nest.Simulate(WINDOW)
        senders = np.asarray(self.recorders[-1].events["senders"], int)
        counts = np.bincount(senders - self.populations[-1].tolist()[0], minlength=OUTPUTS)
        self.output_spikes += int(counts.sum())
        return counts

    def counts(self):
        """All spikes of each population."""
        return [*(int(recorder.n_events) for recorder in self.recorders[:-1]), self.output_spikes]


def main():
    parser = argparse.ArgumentParser(description="Time the 68-neuron Mountain Car network in NEST.")
    parser.add_argument("task", help="the .npz file")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    nest.verbosity = nest.VerbosityLevel.ERROR
    task = np.load(args.task)
    building, simulating, spikes = 0.0, 0.0, []
    for hidden, output, driven in zip(task["hidden"], task["output"], task["driven"], strict=True):
        start = time.perf_counter()
        network = Network((hidden, output), args.threads)
        built = time.perf_counter()
        for inputs in driven:
            network.window(inputs)
        building, simulating = building + built - start, simulating + time.perf_counter() - built
        spikes.append(network.counts())
    windows = task["driven"].shape[0] * task["driven"].shape[1]
    report = {
        "windows_per_second": round(windows / simulating, 2),
        "building_seconds": round(building, 3),
        "threads": args.threads,
        "spikes": spikes,
        "nest": nest.__version__,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()

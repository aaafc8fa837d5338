"""The peer: the Mountain Car network of Learning to Learn in NEST 3.10, timed in windows (decisions) per second.

Network   60 input, 5 hidden and 3 output neurons, ``iaf_psc_alpha`` with t_ref = 1 ms, else NEST's defaults; 0.2 ms a step;
          all delays 1 ms; full connections, weight = gene x 100 pA, genes from U(-20, 20).
Input     A direct current of 40 000 pA into one velocity and one position neuron, from 60 generators whose currents are set
          before each window of 20 ms. Nothing is reset between windows. Output: spikes of the last three in a window.
Modes     random: bins drawn at random, so that the network alone is timed. car: Mountain Car in plain Python in the loop,
          an episode of `--windows` steps or until the goal; strict majority of left or right, else no push.
Timing    For each of `--individuals` sets of genes the network is built at rest; that is timed apart. Then its windows are
          timed: setting the currents, simulating, reading the counts.

Prints one line of JSON, with the spikes of each population so that another simulator can be held against them: genes and
bins come from NumPy's generator with `--seed`. Runs wherever NEST is: pip install nest-simulator==3.10.
"""

import argparse
import json
import math
import time

import nest
import numpy as np

INPUTS, BINS, HIDDEN, OUTPUTS = 60, 30, 5, 3
RESOLUTION, DELAY, WINDOW = 0.2, 1.0, 20.0  # ms
AMPLITUDE, WEIGHT_SCALE = 40_000.0, 100.0  # pA
ENDS = ((-1.2, 0.6), (-0.07, 0.07))  # position, velocity
POPULATIONS = ("input", "hidden", "output")


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
        return np.array([*(int(recorder.n_events) for recorder in self.recorders[:-1]), self.output_spikes])


def bins_of(position, velocity):
    """The two driven input neurons."""
    driven = []
    for place, (value, (low, high)) in enumerate(zip((position, velocity), ENDS, strict=True)):
        index = math.floor((value - low) / (high - low) * BINS)
        driven.append(place * BINS + min(max(index, 0), BINS - 1))
    return driven


def episode(network, rng, windows):
    """One episode of Mountain Car; the windows it took."""
    position, velocity = rng.uniform(-0.6, -0.4), 0.0
    for window in range(windows):
        left, none, right = network.window(bins_of(position, velocity))
        push = -1 if left > max(none, right) else 1 if right > max(left, none) else 0
        velocity = min(max(velocity + push * 0.001 - 0.0025 * math.cos(3 * position), -0.07), 0.07)
        position = min(max(position + velocity, -1.2), 0.6)
        velocity = 0.0 if position == -1.2 and velocity < 0 else velocity
        if position >= 0.5:
            return window + 1
    return windows


def main():
    parser = argparse.ArgumentParser(description="Time the 68-neuron Mountain Car network in NEST.")
    parser.add_argument("--mode", choices=["random", "car"], default="car")
    parser.add_argument("--individuals", type=int, default=4, help="sets of random genes")
    parser.add_argument("--windows", type=int, default=109, help="windows of an individual, at most")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    nest.verbosity = nest.VerbosityLevel.ERROR
    rng = np.random.default_rng(args.seed)
    building, simulating, windows, spikes = 0.0, 0.0, 0, np.zeros(len(POPULATIONS), int)
    for _ in range(args.individuals):
        genes = [rng.uniform(-20, 20, shape) for shape in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS))]
        start = time.perf_counter()
        network = Network(genes, args.threads)
        built = time.perf_counter()
        if args.mode == "car":
            windows += episode(network, rng, args.windows)
        else:
            for driven in rng.integers(0, BINS, (args.windows, 2)) + np.array([0, BINS]):
                network.window(driven)
            windows += args.windows
        building, simulating = building + built - start, simulating + time.perf_counter() - built
        spikes += network.counts()
    report = {
        "windows_per_second": round(windows / simulating, 2),
        "seconds": round(simulating, 3),
        "building_seconds": round(building, 3),
        "windows": windows,
        "individuals": args.individuals,
        "spikes": dict(zip(POPULATIONS, spikes.tolist(), strict=True)),
        "mode": args.mode,
        "threads": args.threads,
        "seed": args.seed,
        "nest": nest.__version__,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()

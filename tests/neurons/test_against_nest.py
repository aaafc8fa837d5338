"""Spike for spike against NEST: random neurons, weights, delays, currents and resolutions, in double precision.

Runs only where NEST is installed (`pip install 'spikeloop[nest]'`); NEST is another program, and none of its code is here.
"""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.networks import DelayedFeedForward
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire

nest: Any = pytest.importorskip("nest")

nest.verbosity = nest.VerbosityLevel.ERROR

NAMES = {
    "c_m": "C_m", "tau_m": "tau_m", "tau_excitatory": "tau_syn_ex", "tau_inhibitory": "tau_syn_in", "t_ref": "t_ref",
    "e_l": "E_L", "v_th": "V_th", "v_reset": "V_reset", "i_e": "I_e", "v_min": "V_min",
}  # fmt: skip
WINDOW = 20.0  # ms


class Peer:
    """The same network in NEST."""

    def __init__(self, network, params, delays):
        neuron = network.neuron
        nest.ResetKernel()
        nest.resolution = neuron.resolution
        values = {name: getattr(neuron, field) for field, name in NAMES.items()}
        if np.isinf(neuron.v_min):
            del values["V_min"]
        sizes = [params[0].shape[0], *(genes.shape[1] for genes in params)]
        self.populations = [nest.Create("iaf_psc_alpha", n, {**values, "V_m": neuron.e_l}) for n in sizes]
        self.generators = nest.Create("dc_generator", sizes[0])
        nest.Connect(self.generators, self.populations[0], "one_to_one", {"delay": delays[0]})
        for genes, delay, source, target in zip(
            params, delays[1:], self.populations[:-1], self.populations[1:], strict=True
        ):
            weights = np.asarray(genes, np.float64).T * network.weight_scale
            nest.Connect(source, target, "all_to_all", {"weight": weights, "delay": delay})
        self.recorders = [nest.Create("spike_recorder") for _ in sizes]
        self.meters = [
            nest.Create("multimeter", {"record_from": ["V_m"], "interval": neuron.resolution}) for _ in sizes
        ]
        for population, recorder, meter in zip(self.populations, self.recorders, self.meters, strict=True):
            nest.Connect(population, recorder)
            nest.Connect(meter, population)
        self.resolution = neuron.resolution

    def run(self, windows, duration):
        """Spikes and potentials [tick, neuron] of every population, for direct currents [window, input]."""
        for currents in windows:
            self.generators.amplitude = [float(current) for current in currents]
            nest.Simulate(duration)
        ticks = len(windows) * round(duration / self.resolution)
        return [self._table(r, p, ticks, None) for r, p in zip(self.recorders, self.populations, strict=True)], [
            self._table(m, p, ticks, "V_m") for m, p in zip(self.meters, self.populations, strict=True)
        ]

    def _table(self, recorder, population, ticks, field):
        events = recorder.events
        table = np.zeros((ticks, len(population))) if field is None else np.full((ticks, len(population)), np.nan)
        tick = np.rint(np.asarray(events["times"]) / self.resolution).astype(int) - 1
        neuron = (
            np.asarray(events["senders"], int) - population.tolist()[0]
        )  # of no events, NEST's arrays are of floats
        table[tick, neuron] = 1.0 if field is None else events[field]
        return table


@eqx.filter_jit
def simulate(network, params, windows, ticks):
    """Spikes and potentials [tick, neuron] of every population, for direct currents [window, input]."""
    currents = jnp.repeat(windows, ticks, axis=0)

    def tick(state, current):
        state, spikes = network.step(params, state, network.drive(params, current), None)
        return state, (spikes, tuple(map(network.neuron.potential, state.neurons)))

    return jax.lax.scan(tick, network.init_state(params), currents)[1]


def ours(network, genes, windows, duration, double=True):
    """Spikes and potentials of every population [tick, neuron] in one precision."""
    ticks = round(duration / network.neuron.resolution)
    dtype = jnp.float64 if double else jnp.float32
    with jax.enable_x64(double):
        params = tuple(jnp.asarray(values, dtype) for values in genes)
        return jax.tree.map(np.asarray, simulate(network, params, jnp.asarray(windows, dtype), ticks))


def compare(network, genes, delays, windows, duration, tolerance=1e-9):
    """Asserts that both agree; the spikes of each population, and the largest difference of a potential."""
    spikes, potentials = ours(network, genes, windows, duration)
    their_spikes, their_potentials = Peer(network, genes, delays).run(windows, duration)
    difference = 0.0
    for a, b in zip(spikes, their_spikes, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(potentials, their_potentials, strict=True):
        seen = ~np.isnan(b)
        assert seen[
            : -2 * round(max(delays) / network.neuron.resolution)
        ].all()  # the last slice stays in NEST's buffer
        difference = max(difference, float(np.abs(a - b)[seen].max()))
    assert difference < tolerance
    return spikes, difference


def random_case(seed):
    """A network of three populations with everything drawn at random."""
    rng = np.random.default_rng(seed)
    h = float(rng.choice([0.05, 0.1, 0.2, 0.25, 0.5]))

    def time(low, high):
        return h * int(rng.integers(round(low / h), round(high / h) + 1))

    e_l = float(rng.uniform(-75, -60))
    v_reset = float(e_l + rng.uniform(-8, 5))
    tau_m = float(rng.uniform(5, 25))
    neuron = AlphaCurrentLeakyIntegrateAndFire(
        c_m=float(rng.uniform(100, 400)),
        tau_m=tau_m,
        tau_excitatory=float(rng.choice([rng.uniform(0.3, 4.0), tau_m])),
        tau_inhibitory=float(rng.uniform(0.3, 40.0)),
        t_ref=time(0.5, 4.0),
        e_l=e_l,
        v_th=float(e_l + rng.uniform(10, 20)),
        v_reset=v_reset,
        v_min=float(rng.choice([-np.inf, v_reset - rng.uniform(0, 5)])),
        i_e=float(rng.uniform(-50, 300)),
        resolution=h,
    )
    delays = tuple(time(max(h, 0.5), 6.0) for _ in range(3))
    sizes = rng.integers(2, 12, 3)
    network = DelayedFeedForward((int(sizes[0]), int(sizes[1])), neuron, delays)
    genes = [rng.uniform(-20, 20, (n, m)) for n, m in itertools.pairwise(sizes)]
    windows = rng.uniform(-200, 3000, (10, sizes[0]))
    return network, genes, delays, windows


@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed):
    network, genes, delays, windows = random_case(seed)
    spikes, difference = compare(network, genes, delays, windows, WINDOW)
    counts = [int(fired.sum()) for fired in spikes]
    print(f"seed {seed}: h {network.neuron.resolution} ms, spikes {counts}, potentials within {difference:.1e} mV")
    assert sum(counts) > 0


@pytest.mark.parametrize("seed", range(3))
def test_mountain_car_network(seed):
    """60 inputs, 5 hidden and 3 output neurons with random genes, for 20 windows: Labady 2023 and Learning to Learn."""
    rng = np.random.default_rng(seed)
    network = DelayedFeedForward((60, 5), AlphaCurrentLeakyIntegrateAndFire(t_ref=1.0, resolution=0.2))
    genes = [rng.uniform(-20, 20, shape) for shape in ((60, 5), (5, 3))]
    windows = np.zeros((20, 60))
    for half in (0, 30):
        windows[np.arange(20), half + rng.integers(0, 30, 20)] = 40_000.0
    spikes, difference = compare(network, genes, (1.0, 1.0, 1.0), windows, WINDOW)
    counts = [int(fired.sum()) for fired in spikes]
    print(f"seed {seed}: spikes {counts}, potentials within {difference:.1e} mV")
    # A driven neuron fires every 1.2 ms, 16 or 17 times a window; one that was at rest charges for two steps first.
    assert 20 * 2 * 16 <= counts[0] <= 20 * 2 * 17
    # Learners run in single precision. Here that moves no spike either.
    for single, double in zip(ours(network, genes, windows, WINDOW, double=False)[0], spikes, strict=True):
        assert single.dtype == np.float32
        np.testing.assert_array_equal(single, double)


@pytest.mark.parametrize("resolution", [0.1, 0.2])
def test_direct_current_pair(resolution):
    """500 pA into a neuron that drives another with 1000 pA, for a second."""
    network = DelayedFeedForward((1,), AlphaCurrentLeakyIntegrateAndFire(resolution=resolution))
    compare(network, [np.full((1, 1), 10.0)], (1.0, 1.0), np.full((1, 1), 500.0), 1000.0)

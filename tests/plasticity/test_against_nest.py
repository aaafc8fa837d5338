"""STDP against NEST's `stdp_synapse`, over random trains of spikes. Runs only where NEST is installed.

NEST's synapse changes when a presynaptic spike arrives, and makes up then for the postsynaptic ones since the last. Its delay
is dendritic: a postsynaptic spike is seen that much later. Where both coincide at the synapse, NEST leaves the postsynaptic
spike out of the depression, and this library, as NESTML, counts it; the trains here have no such pair.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.plasticity import STDP

nest: Any = pytest.importorskip("nest")

H, DELAY, DURATION = 0.1, 1.0, 1000.0  # ms
TICKS = round(DURATION / H)


def theirs(rule, start, seed):
    """The weight after a second, and the times at which spikes reached the synapse from both sides."""
    rng = np.random.default_rng(seed)
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = H
    # Presynaptic spikes reach the synapse at even ticks and postsynaptic ones at odd ticks, 4 ms apart at least.
    sources = nest.Create("spike_generator", 2)
    sources[0].spike_times = np.round(2 * H * np.sort(rng.choice(np.arange(5, 4900), 60, replace=False)), 1)
    sources[1].spike_times = np.round(4.0 * np.sort(rng.choice(np.arange(1, 240), 60, replace=False)) + H, 1)
    pre = nest.Create("parrot_neuron")
    # Only its own source, not the synapse, makes the postsynaptic neuron fire.
    post = nest.Create("iaf_psc_delta", {"tau_minus": rule.tau_post, "V_th": 1e6})
    nest.Connect(sources[0], pre, syn_spec={"delay": DELAY})
    nest.Connect(sources[1], post, syn_spec={"delay": DELAY, "weight": 1e7})
    recorders = nest.Create("spike_recorder"), nest.Create("spike_recorder")
    synapse = {
        "synapse_model": "stdp_synapse", "weight": start, "delay": DELAY, "tau_plus": rule.tau_pre, "lambda": rule.rate,
        "alpha": rule.alpha, "mu_plus": rule.mu_plus, "mu_minus": rule.mu_minus, "Wmax": rule.w_max,
    }  # fmt: skip
    nest.Connect(pre, post, syn_spec=synapse)
    nest.Connect(pre, recorders[0])
    nest.Connect(post, recorders[1])
    nest.Simulate(DURATION)
    before, after = (np.asarray(recorder.events["times"], float) for recorder in recorders)
    return float(nest.GetConnections(pre, post).weight), before, after + DELAY


@eqx.filter_jit
def _run(rule, weights, trains):
    def tick(carry, fired):
        traces, change = rule.step(carry[0], carry[1], *fired, jnp.ones(()))
        return (traces, carry[1] + change), carry[1] + change

    return jax.lax.scan(tick, (rule.init(weights), weights), trains)[1]


def train(times):
    """Spikes [tick, 1] at these times."""
    spikes = np.zeros((TICKS, 1))
    ticks = np.rint(times / H).astype(int)
    spikes[ticks[ticks < TICKS]] = 1.0
    return spikes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "rule",
    [
        STDP(),
        STDP(rate=0.05, alpha=1.2, mu_plus=0.0, mu_minus=0.0, tau_pre=15.0, tau_post=30.0),
        STDP(rate=0.03, alpha=0.9, mu_plus=0.4, mu_minus=0.7, w_max=700.0),
    ],
    ids=["soft", "hard", "between"],
)
def test_weight_after_random_trains(rule, seed):
    expected, pre, post = theirs(rule, 300.0, seed)
    assert len(pre) == len(post) == 60
    with jax.enable_x64(True):
        trains = tuple(jnp.asarray(train(times), jnp.float64) for times in (pre, post))
        weights = np.asarray(_run(rule.with_fields(resolution=H), jnp.full((1, 1), 300.0, jnp.float64), trains))
    found = weights[round(pre[-1] / H), 0, 0]
    assert found != 300.0 and found == pytest.approx(expected, rel=1e-9)

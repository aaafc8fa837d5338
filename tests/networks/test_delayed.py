"""Delays: what is sent arrives after exactly so many ticks; the pair of neurons under direct current, spike for spike."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.networks import DelayedFeedForward
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire
from spikeloop.papers.labady2023.setting import MOUNTAIN_CAR
from spikeloop.policies import ResetBetweenDecisions

NEST = AlphaCurrentLeakyIntegrateAndFire()


@eqx.filter_jit
def _run(network, params, currents):
    def tick(state, current):
        state, spikes = network.step(params, state, network.drive(params, current), None)
        return state, (spikes, tuple(neurons.v for neurons in state.neurons))

    return jax.lax.scan(tick, network.init_state(params), currents)[1]


def run(network, params, currents):
    """Spikes and potentials of every population [tick, neuron], in double precision."""
    with jax.enable_x64(True):
        params = tuple(jnp.asarray(genes, jnp.float64) for genes in params)
        return jax.tree.map(np.asarray, _run(network, params, jnp.asarray(currents, jnp.float64)))


def times(spikes, resolution=0.1):
    return (np.flatnonzero(spikes) + 1) * resolution


def test_direct_current_pair():
    """500 pA into a neuron that drives another with 1000 pA, for a second at 0.1 ms: times that NEST 3.10 gives."""
    spikes, _ = run(DelayedFeedForward((1,), NEST), [np.full((1, 1), 10.0)], np.full((10_000, 1), 500.0))
    source, target = times(spikes[0]), times(spikes[1])
    assert len(source) == 62 and len(target) == 31
    np.testing.assert_allclose([source[0], source[-1]], [15.0, 984.9])
    np.testing.assert_allclose(np.diff(source), 15.9)
    np.testing.assert_allclose([*target[:3], target[-1]], [35.7, 67.3, 99.1, 989.5])
    assert set(np.round(np.diff(target), 6)) == {31.6, 31.8}  # locked two to one


@pytest.mark.parametrize("delays", [(0.1, 0.1), (1.0, 0.4), (0.3, 2.5)])
def test_a_spike_and_a_current_arrive_after_their_delay(delays):
    network = DelayedFeedForward((1,), NEST, delays)
    spikes, v = run(network, [np.full((1, 1), -3.0)], np.full((400, 1), 1000.0))
    current_delay, spike_delay = (round(delay / 0.1) for delay in delays)
    # Sent from tick 0 on, there at the end of tick d, at work in the tick after.
    assert np.flatnonzero(v[0][:, 0])[0] == current_delay + 1
    # The weight enters J at the end of its tick; J reaches the potential in the next.
    fired = np.flatnonzero(spikes[0])[0]
    assert np.flatnonzero(v[1][:, 0])[0] == fired + spike_delay + 1 and v[1].min() < 0 == v[1].max()


def test_a_longer_delay_only_shifts_the_target():
    currents = np.full((3000, 1), 500.0)
    (_, soon), _ = run(DelayedFeedForward((1,), NEST, (1.0, 1.0)), [np.full((1, 1), 10.0)], currents)
    (_, late), _ = run(DelayedFeedForward((1,), NEST, (1.0, 7.3)), [np.full((1, 1), 10.0)], currents)
    np.testing.assert_array_equal(late[63:], soon[:-63])


@pytest.mark.parametrize("delay", [0.1, 1.0, 18.0])
def test_many_ticks_at_once_are_tick_after_tick(delay):
    """Population by population, with delays shorter and longer than the run: the same spikes, and the same state after it."""
    network = DelayedFeedForward((6, 5, 4), NEST.with_fields(tau_inhibitory=3.0, i_e=10.0, v_min=-80.0), delay)
    with jax.enable_x64(True):
        params = network.init(6, None, jax.random.key(0))
        currents = jax.random.uniform(jax.random.key(1), (300, 6), jnp.float64, 0.0, 4000.0)
        state = network.init_state(params)
        for part in (currents[:130], currents[130:]):
            at_once, spikes = eqx.filter_jit(network.run)(params, state, part)
            state, one_by_one = eqx.filter_jit(super(DelayedFeedForward, network).run)(params, state, part)
            for a, b in zip(spikes, one_by_one, strict=True):
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
            for a, b in zip(jax.tree.leaves(at_once), jax.tree.leaves(state), strict=True):
                np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-10, atol=1e-10)
        assert int(spikes[0].sum()) > 0 and (delay > 1.0 or int(spikes[-1].sum()) > 0)


def test_state_kept_between_decisions_is_one_long_decision():
    """Two windows with the state kept are the window of twice the length: nothing under way is lost between them."""
    obs = jnp.asarray([-0.5, 0.01])
    params = MOUNTAIN_CAR.init(2, 3, jax.random.key(1))
    long = MOUNTAIN_CAR.with_fields(ticks=200)

    def decide(policy, state):
        return eqx.filter_jit(policy)(params, state, obs, None)

    state, first = decide(MOUNTAIN_CAR, MOUNTAIN_CAR.init_state(params))
    _, second = decide(MOUNTAIN_CAR, state)
    _, whole = decide(long, long.init_state(params))
    for a, b, both in zip(first.spikes, second.spikes, whole.spikes, strict=True):
        np.testing.assert_array_equal(np.asarray(a + b), np.asarray(both))
    _, again = decide(MOUNTAIN_CAR.with_fields(between_decisions=ResetBetweenDecisions()), state)
    np.testing.assert_array_equal(np.asarray(again.spikes[0]), np.asarray(first.spikes[0]))


def test_mountain_car_policy():
    """Two input neurons fire every 1.2 ms, 17 spikes in a window of 20 ms that begins at rest: at 1.4, 2.6, ... ms."""
    params = MOUNTAIN_CAR.init(2, 3, jax.random.key(0))
    assert sum(genes.size for genes in params.network) == 315 and MOUNTAIN_CAR.populations(3) == (60, 5, 3)
    assert MOUNTAIN_CAR.carries_state and not MOUNTAIN_CAR.stochastic
    _, decision = eqx.filter_jit(MOUNTAIN_CAR)(params, MOUNTAIN_CAR.init_state(params), jnp.asarray([-0.5, 0.0]), None)
    expected = np.zeros(60)
    expected[[11, 30 + 15]] = 16.0
    np.testing.assert_array_equal(np.asarray(decision.spikes[0]), expected)


def test_genes_fill_their_interval():
    params = DelayedFeedForward((200, 50)).init(200, 3, jax.random.key(0))
    assert [genes.shape for genes in params] == [(200, 50), (50, 3)]
    assert 19.9 < float(jnp.abs(params[0]).max()) <= 20.0
    assert float(jnp.std(params[0])) == pytest.approx(20.0 / np.sqrt(3), rel=0.02)


def test_sizes_and_silence():
    network = DelayedFeedForward((4, 3))
    assert network.sizes(None) == (4, 3) and network.sizes(2) == (4, 3, 2)
    assert [zeros.shape for zeros in network.silence(network.init(4, 2, jax.random.key(0)))] == [(4,), (3,), (2,)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"delay": 0.25}, "delay must be a multiple of 0.1 ms, a tick, and at least 0.1 ms, got 0.25"),
        ({"delay": 0.0}, "delay must be a multiple of 0.1 ms"),
        ({"delay": (1.0, -1.0)}, "delay must be a multiple of 0.1 ms"),
        ({"widths": ()}, "widths must be a non-empty tuple"),
        ({"weight_scale": 0.0}, "weight_scale must be a positive"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=rf"DelayedFeedForward\.{message}"):
        DelayedFeedForward().with_fields(**fields)


def test_inputs_and_connections_must_fit():
    with pytest.raises(InvalidInput, match=r"widths must begin with 4, the inputs, got \(60, 5\)"):
        DelayedFeedForward().init(4, 3, jax.random.key(0))
    with pytest.raises(InvalidInput, match="delay has 2 entries, but there are 3 connections"):
        DelayedFeedForward(delay=(1.0, 1.0)).init(60, 3, jax.random.key(0))

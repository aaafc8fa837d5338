"""The neuron of NEST: propagators against the matrix exponential, closed forms of its currents, exact spike times."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire, AlphaInput, AlphaPropagator, Triangular

NEURON = AlphaCurrentLeakyIntegrateAndFire()
DEAF = NEURON.with_fields(v_th=1e6)  # never fires
# The table for NEST's defaults: P11, P21, P32, P31 at each resolution, to nine digits.
TABLE = {
    0.1: (0.951229425, 0.095122942, 3.88204092e-4, 1.92808067e-5),
    0.2: (0.904837418, 0.180967484, 7.53612553e-4, 7.43565457e-5),
}


@eqx.filter_jit
def _run(neuron, inputs):
    def tick(state, now):
        state, spikes = neuron.step(state, AlphaInput(*now) if now.ndim == 2 else now, None)
        return state, (spikes, state)

    return jax.lax.scan(tick, neuron.init(inputs.shape[-1]), inputs)[1]


def run(neuron, inputs):
    """Spikes and states of every tick, in double precision, for direct currents [tick, n] or inputs [tick, 3, n]."""
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, _run(neuron, jnp.asarray(inputs, jnp.float64)))


def arrivals(ticks, weights):
    """Inputs of one neuron at which spikes of these weights arrive at the end of these ticks: {tick: weight}."""
    inputs = np.zeros((ticks, 3, 1))
    for tick, weight in weights.items():
        inputs[tick, 1 if weight > 0 else 2] += weight
    return inputs


def spike_times(spikes, resolution=0.1):
    """Times of the spikes of one neuron, ms."""
    return (np.flatnonzero(spikes) + 1) * resolution


@given(
    h=st.sampled_from([0.01, 0.1, 0.2, 1.0]),
    tau_m=st.floats(1.0, 50.0),
    ratio=st.one_of(st.floats(0.1, 20.0), st.floats(1.0 - 1e-6, 1.0 + 1e-6), st.just(1.0)),
    c_m=st.floats(50.0, 500.0),
)
def test_propagator_is_the_matrix_exponential(h, tau_m, ratio, c_m):
    tau_s = ratio * tau_m
    # In the order I, J, V: for triangular matrices SciPy takes a short cut that loses digits where tau_s is close to tau_m.
    motion = np.array([[-1 / tau_s, 1, 0], [0, -1 / tau_s, 0], [1 / c_m, 0, -1 / tau_m]])
    exact = scipy.linalg.expm(motion * h)
    step = AlphaPropagator.over(h, tau_s, tau_m, c_m)
    np.testing.assert_allclose(
        [step.decay, step.decay, step.rise_to_current, step.rise_to_v, step.current_to_v],
        [exact[0, 0], exact[1, 1], exact[0, 1], exact[2, 1], exact[2, 0]],
        rtol=1e-12,
    )


def test_propagator_of_a_current_much_shorter_than_the_step():
    step = AlphaPropagator.over(h=1.0, tau_s=1e-3, tau_m=10.0, c_m=250.0)
    assert step.decay == step.rise_to_current == 0.0
    # All charge tau_s J and tau_s^2 J of the current reaches the membrane at once, and then leaks.
    assert step.current_to_v == pytest.approx(1e-3 / 250.0 * math.exp(-0.1), rel=2e-4)
    assert step.rise_to_v == pytest.approx(1e-6 / 250.0 * math.exp(-0.1), rel=4e-4)


@pytest.mark.parametrize("resolution", TABLE)
def test_propagator_has_the_tabulated_entries(resolution):
    step = NEURON.with_fields(resolution=resolution).propagator(2.0)
    found = (step.decay, step.rise_to_current, step.current_to_v, step.rise_to_v)
    np.testing.assert_allclose(found, TABLE[resolution], rtol=6e-9)


@pytest.mark.parametrize("tau", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("weight", [-700.0, 1000.0])
def test_current_of_a_spike_peaks_at_its_time_constant_with_its_charge(tau, weight):
    neuron = DEAF.with_fields(tau_excitatory=tau, tau_inhibitory=tau)
    _, states = run(neuron, arrivals(2000, {4: weight}))
    channel, other = states.excitatory, states.inhibitory
    if weight < 0:
        channel, other = other, channel
    current = channel.current[:, 0]
    t = 0.1 * np.maximum(np.arange(2000) - 4, 0)  # since it arrived
    np.testing.assert_allclose(current, weight * math.e * t / tau * np.exp(-t / tau), rtol=1e-9, atol=1e-12)
    assert np.abs(current).argmax() == 4 + round(tau / 0.1)
    assert current[4 + round(tau / 0.1)] == pytest.approx(weight, rel=1e-12)
    # The sum of samples is the integral, but for a term in h^2 from the kink where the current sets in.
    assert 0.1 * current.sum() == pytest.approx(weight * math.e * tau, rel=(0.1 / tau) ** 2 / 5)
    assert not other.current.any()


def test_one_spike_moves_the_potential_as_the_digest_measured():
    """1000 pA: a peak of 13.00 mV, 6.7 ms after the arrival; it takes 1153.8 pA to reach the threshold."""
    _, states = run(NEURON, arrivals(300, {0: 1000.0}))
    assert states.v.max() == pytest.approx(13.0, abs=5e-3) and states.v[:, 0].argmax() == 67
    for weight, fires in ((1153.0, False), (1154.5, True)):
        assert run(NEURON, arrivals(300, {0: weight}))[0].any() == fires


@settings(max_examples=20)
@given(first=st.floats(-400.0, 400.0), second=st.floats(-400.0, 400.0), current=st.floats(-100.0, 100.0))
def test_superposition_below_the_threshold(first, second, current):
    both = arrivals(300, {0: first, 90: second})
    both[:, 0] = current
    parts = [run(DEAF, part)[1].v for part in (arrivals(300, {0: first}), arrivals(300, {90: second}))]
    parts.append(run(DEAF, np.full((300, 1), current))[1].v)
    np.testing.assert_allclose(run(DEAF, both)[1].v, sum(parts), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("current", [-300.0, 20.0])
@pytest.mark.parametrize("resolution", [0.1, 0.2, 0.5])
def test_direct_current_charges_the_membrane_from_the_next_tick_on(current, resolution):
    _, states = run(DEAF.with_fields(resolution=resolution), np.full((200, 1), current))
    t = resolution * np.arange(200)
    np.testing.assert_allclose(states.v[:, 0], current * 10.0 / 250.0 * (1 - np.exp(-t / 10.0)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("t_ref", [0.0, 0.1, 2.0, 3.7])
def test_refractory_period_is_exact(t_ref):
    """Driven far above its threshold it fires again one tick after it is free, and its potential is held until then."""
    spikes, states = run(NEURON.with_fields(t_ref=t_ref, v_reset=-72.0), np.full((400, 1), 1e5))
    ticks = round(t_ref / 0.1)
    np.testing.assert_array_equal(np.diff(np.flatnonzero(spikes)), ticks + 1)
    assert (states.v[1:] == -2.0).all()


def test_currents_go_on_while_the_potential_is_held():
    inputs = arrivals(60, {0: 100.0})
    inputs[:, 0] = 1e5
    spikes, states = run(NEURON, inputs)
    assert spikes.any()
    np.testing.assert_array_equal(states.excitatory.current, run(DEAF, inputs)[1].excitatory.current)


def test_constant_current_fires_at_its_closed_interval():
    """500 pA towards -50 mV: 10 ln 4 ms to the threshold and 2 ms refractory, 15.863, so 15.9 on the grid."""
    for source in (np.full((10_000, 1), 500.0), np.zeros((10_000, 1))):
        neuron = NEURON if source.any() else NEURON.with_fields(i_e=500.0)
        times = spike_times(run(neuron, source)[0])
        np.testing.assert_allclose(np.diff(times), 0.1 * math.ceil(10 * (10 * math.log(4) + 2)), atol=1e-9)


def test_potential_floor():
    _, states = run(NEURON.with_fields(v_min=-75.0), np.full((500, 1), -1000.0))
    assert states.v.min() == -5.0 and states.v[-1] == -5.0
    assert NEURON.potential(NEURON.init(2)).tolist() == [-70.0, -70.0]


def test_no_gradient_without_a_surrogate_and_one_with_it():
    def count(neuron, weight):
        return jnp.sum(_run(neuron, jnp.zeros((100, 3, 1)).at[0, 1].set(weight))[0])

    assert jax.grad(lambda w: count(NEURON, w))(1100.0) == 0.0
    assert jax.grad(lambda w: count(NEURON.with_fields(surrogate=Triangular(0.01)), w))(1100.0) > 0.0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("tau_m", 0.0, "tau_m must be a positive finite number, got 0.0"),
        ("tau_excitatory", -1.0, "tau_excitatory must be a positive finite number"),
        ("tau_inhibitory", 0.0, "tau_inhibitory must be a positive finite number"),
        ("c_m", 0.0, "c_m must be a positive finite number"),
        ("resolution", 0.0, "resolution must be a positive finite number"),
        ("resolution", 0.3, "t_ref must be a multiple of 0.3 ms, a tick, and at least 0 ms, got 2.0"),
        ("t_ref", 0.25, "t_ref must be a multiple of 0.1 ms, a tick, and at least 0 ms, got 0.25"),
        ("t_ref", -1.0, "t_ref must be a multiple of 0.1 ms"),
        ("v_th", -70.0, "v_reset must be below v_th = -70 mV, got -70.0"),
        ("v_min", -60.0, "v_min must be at most v_reset = -70 mV, got -60.0"),
    ],
)
def test_invalid_fields(field, value, message):
    with pytest.raises(InvalidInput, match=rf"AlphaCurrentLeakyIntegrateAndFire\.{message}"):
        NEURON.with_fields(**{field: value})

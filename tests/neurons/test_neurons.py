"""Neurons against closed forms for a constant input."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.neurons import (
    DecayedInputLeakyIntegrateAndFire,
    HardReset,
    IntegrateAndFire,
    LeakyIntegrateAndFire,
    LeakyIntegrator,
    SoftReset,
)

NEVER = 1e6  # a threshold out of reach
TICKS = 60
taus = st.sampled_from([1.0, 1.5, 2.0, 5.0, 20.0])


def run(neuron, currents):
    """Spikes and potentials (after the reset) of every tick; `currents` has shape [ticks, n]."""
    spikes, v = _run(neuron, jnp.asarray(currents, jnp.float32))
    return np.asarray(spikes), np.asarray(v)


@eqx.filter_jit
def _run(neuron, currents):
    def tick(state, current):
        state, spikes = neuron.step(state, current, None)
        return state, (spikes, state.v)

    return jax.lax.scan(tick, neuron.init(currents.shape[1]), currents)[1]


def constant(current, ticks=TICKS):
    return np.full((ticks, 1), current)


# Sixty-fourths are exact in single precision, so that a closed form with floor holds to the last spike.
@given(sixty_fourths=st.integers(-64, 64), threshold=st.sampled_from([1.0, 2.0, 4.0]))
def test_integrate_and_fire_counts_floor_of_the_charge(sixty_fourths, threshold):
    current = sixty_fourths / 64
    spikes, v = run(IntegrateAndFire(threshold, SoftReset()), constant(current))
    charge = current * np.arange(1, TICKS + 1)
    counts = np.maximum(0, np.floor(charge / threshold))
    np.testing.assert_array_equal(np.cumsum(spikes[:, 0]), counts)
    np.testing.assert_array_equal(v[:, 0], charge - counts * threshold)  # no charge is lost


@given(sixty_fourths=st.integers(1, 128))
def test_integrate_and_fire_with_hard_reset_is_periodic(sixty_fourths):
    spikes, _ = run(IntegrateAndFire(1.0, HardReset()), constant(sixty_fourths / 64))
    period = math.ceil(64 / sixty_fourths)
    np.testing.assert_array_equal(spikes[:, 0], [float((t + 1) % period == 0) for t in range(TICKS)])


def test_hard_reset_starts_again_from_its_value():
    spikes, v = run(IntegrateAndFire(1.0, HardReset(-1.0)), constant(0.5, 6))
    np.testing.assert_array_equal(spikes[:, 0], [0, 1, 0, 0, 0, 1])
    np.testing.assert_array_equal(v[:, 0], [0.5, -1.0, -0.5, 0.0, 0.5, -1.0])


@given(tau=taus, current=st.floats(-2.0, 2.0))
def test_leak_has_its_closed_form(tau, current):
    """v_t = v* (1 - (1 - 1/tau)^t), with v* = tau I for raw input and v* = I for decayed input."""
    approach = 1.0 - (1.0 - 1.0 / tau) ** np.arange(1, TICKS + 1)
    cases = [
        (LeakyIntegrateAndFire(tau, NEVER), tau * current),
        (DecayedInputLeakyIntegrateAndFire(tau, NEVER), current),
        (LeakyIntegrator(tau), current),
    ]
    for neuron, fixed_point in cases:
        spikes, v = run(neuron, constant(current))
        np.testing.assert_allclose(v[:, 0], fixed_point * approach, rtol=1e-4, atol=1e-5)
        assert not spikes.any()


@given(tau=taus, current=st.floats(0.05, 3.0))
def test_inter_spike_interval_of_raw_input(tau, current):
    """The first n with tau I (1 - (1 - 1/tau)^n) >= 1, again and again; none if tau I < 1."""
    drive = tau * current
    if drive < 1.0:
        interval = math.inf
    elif tau == 1.0:
        interval = 1.0
    else:
        assume(drive > 1.001)
        exact = math.log(1.0 - 1.0 / drive) / math.log(1.0 - 1.0 / tau)
        assume(abs(exact - round(exact)) > 1e-3)
        interval = math.ceil(exact)
    assume(abs(drive - 1.0) > 1e-3)
    spikes, _ = run(LeakyIntegrateAndFire(tau), constant(current))
    np.testing.assert_array_equal(spikes[:, 0], [float((t + 1) % interval == 0) for t in range(TICKS)])


@given(tau=taus, current=st.floats(-2.0, 0.999))
def test_decayed_input_below_the_threshold_never_fires(tau, current):
    spikes, _ = run(DecayedInputLeakyIntegrateAndFire(tau, reset=SoftReset()), constant(current))
    assert not spikes.any()


def test_decayed_input_above_the_threshold_fires():
    spikes, _ = run(DecayedInputLeakyIntegrateAndFire(2.0), constant(1.5, 4))
    np.testing.assert_array_equal(spikes[:, 0], [0, 1, 0, 1])  # v: 0.75, 1.125, 0.75, 1.125


def test_neurons_of_a_population_do_not_touch_each_other():
    currents = np.random.default_rng(0).normal(0.3, 1.0, (30, 5))
    for neuron in (IntegrateAndFire(), LeakyIntegrateAndFire(), DecayedInputLeakyIntegrateAndFire(), LeakyIntegrator()):
        together, v = run(neuron, currents)
        for n in range(5):
            alone, v_alone = run(neuron, currents[:, n : n + 1])
            np.testing.assert_array_equal(together[:, n], alone[:, 0])
            np.testing.assert_array_equal(v[:, n], v_alone[:, 0])


@pytest.mark.parametrize("cls", [LeakyIntegrateAndFire, DecayedInputLeakyIntegrateAndFire, LeakyIntegrator])
@pytest.mark.parametrize("tau", [0.5, 0.0, -1.0, math.nan, math.inf])
def test_invalid_time_constant(cls, tau):
    with pytest.raises(InvalidInput, match=r"tau must be a finite number of at least 1"):
        cls(tau)


@pytest.mark.parametrize("cls", [IntegrateAndFire, LeakyIntegrateAndFire, DecayedInputLeakyIntegrateAndFire])
@pytest.mark.parametrize("threshold", [0.0, -1.0, math.nan, math.inf])
def test_invalid_threshold(cls, threshold):
    with pytest.raises(InvalidInput, match="threshold must be a positive finite number"):
        cls(threshold=threshold)

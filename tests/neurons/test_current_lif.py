"""PopSAN's neuron: its equations tick by tick, its rates, and Akl's form of it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.neurons import CurrentLeakyIntegrateAndFire, Detached, FastSigmoid, HardReset, SoftReset

CURRENTS = (-2.0, -1.0, -0.7, -0.5, 0.0, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
# How often the neuron fires under these constant currents, in 5 and in 100 ticks.
COUNTS = {5: (0, 0, 0, 0, 0, 0, 1, 2, 2, 4, 4, 5, 5), 100: (0, 0, 0, 0, 0, 0, 24, 49, 49, 99, 99, 100, 100)}


def run(neuron, currents):
    """Spikes and states of every tick; `currents` has shape [ticks, n]."""

    def tick(state, current):
        state, spikes = neuron.step(state, current, None)
        return state, (spikes, state)

    return jax.lax.scan(tick, neuron.init(currents.shape[1]), jnp.asarray(currents, jnp.float32))[1]


def popsan(currents, current_decay=0.5, voltage_decay=0.75, threshold=0.5):
    """Tang et al. 2020: the reset by the previous spike, within the update."""
    c = v = o = np.zeros(currents.shape[1])
    potentials, spikes = [], []
    for current in currents:
        c = current_decay * c + current
        v = voltage_decay * v * (1 - o) + c
        o = (v > threshold).astype(float)
        potentials.append(v)
        spikes.append(o)
    return np.stack(potentials), np.stack(spikes)


def akl(currents, current_decay, voltage_decay, threshold):
    """Akl et al. 2023: the reset at once, after the spike."""
    c = v = np.zeros(currents.shape[1])
    spikes = []
    for current in currents:
        c = current_decay * c + current
        v = voltage_decay * v + c
        o = v > threshold
        v = np.where(o, 0.0, v)
        spikes.append(o.astype(float))
    return np.stack(spikes)


def sixty_fourths(seed, shape):
    """Currents that are exact in single precision for a while, so that no rounding decides on a spike."""
    return np.random.default_rng(seed).integers(-32, 64, shape) / 64


@pytest.mark.parametrize("seed", range(3))
def test_the_equations_of_popsan(seed):
    currents = np.random.default_rng(seed).normal(0.2, 0.5, (40, 50))
    spikes, states = run(CurrentLeakyIntegrateAndFire(), currents)
    v, expected = popsan(currents)
    assert np.abs(v - 0.5).min() > 1e-6  # none so near that rounding decides
    np.testing.assert_array_equal(np.asarray(spikes), expected)
    np.testing.assert_allclose(np.asarray(states.v), v, rtol=1e-4, atol=1e-5)


@given(
    current_decay=st.sampled_from([0.0, 0.5, 1.0]),
    voltage_decay=st.sampled_from([0.0, 0.5, 1.0]),
    threshold=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_a_reset_at_once_fires_the_same_spikes(current_decay, voltage_decay, threshold):
    currents = sixty_fourths(0, (8, 20))
    expected = akl(currents, current_decay, voltage_decay, threshold)
    np.testing.assert_array_equal(popsan(currents, current_decay, voltage_decay, threshold)[1], expected)
    neuron = CurrentLeakyIntegrateAndFire(current_decay, voltage_decay, threshold, surrogate=FastSigmoid())
    np.testing.assert_array_equal(np.asarray(run(neuron, currents)[0]), expected)


@pytest.mark.parametrize("ticks", COUNTS)
def test_spike_counts_under_constant_currents(ticks):
    currents = np.tile(CURRENTS, (ticks, 1))
    spikes, _ = run(CurrentLeakyIntegrateAndFire(), currents)
    np.testing.assert_array_equal(np.asarray(spikes).sum(axis=0), COUNTS[ticks])
    np.testing.assert_array_equal(popsan(currents)[1].sum(axis=0), COUNTS[ticks])


def test_it_does_not_fire_at_the_threshold_itself():
    at, above = jnp.asarray([0.5]), jnp.nextafter(jnp.asarray([0.5]), jnp.ones(1))
    neuron = CurrentLeakyIntegrateAndFire()
    assert not neuron.step(neuron.init(1), at, None)[1].any()
    assert neuron.step(neuron.init(1), above, None)[1].all()


def test_gradient_by_hand():
    """v_t = 3/4 v_{t-1} (1 - o_{t-1}) + c_t:  dv_t/dv_{t-1} = 3/4 (1 - o - v h), h the window, without v h if detached."""
    currents = np.asarray([0.3, 0.2, 0.1, 0.4])
    v, o = (x[:, 0] for x in popsan(currents[:, None]))
    assert 0 < o.sum() < 4
    h = np.abs(v - 0.5) < 0.5
    for reset, through in ((HardReset(), 1.0), (Detached(HardReset()), 0.0)):
        by_current = []
        for k in range(4):  # a change of the current at tick k adds 2^(k - t) to c at tick t
            dv, total = 0.0, 0.0
            for t in range(k, 4):
                slope = 0.0 if t == 0 else 0.75 * (1 - o[t - 1] - through * v[t - 1] * h[t - 1])
                dv = slope * dv + 0.5 ** (t - k)
                total += h[t] * dv
            by_current.append(total)
        neuron = CurrentLeakyIntegrateAndFire(reset=reset)
        gradient = jax.grad(lambda c, neuron=neuron: jnp.sum(run(neuron, c)[0]))(jnp.asarray(currents[:, None]))
        np.testing.assert_allclose(np.asarray(gradient)[:, 0], by_current, rtol=1e-5)


def test_soft_reset_keeps_what_was_above_the_threshold():
    neuron = CurrentLeakyIntegrateAndFire(0.0, 1.0, 0.5, reset=SoftReset())
    spikes, states = run(neuron, np.full((4, 1), 0.375))
    np.testing.assert_array_equal(np.asarray(spikes)[:, 0], [0, 1, 1, 0])
    np.testing.assert_array_equal(np.asarray(states.v)[:, 0], [0.375, 0.75, 0.625, 0.5])  # the last is not above 0.5


@pytest.mark.parametrize("field", ["current_decay", "voltage_decay"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_decays_lie_between_0_and_1(field, value):
    with pytest.raises(InvalidInput, match=rf"CurrentLeakyIntegrateAndFire\.{field} must be between 0 and 1"):
        CurrentLeakyIntegrateAndFire(**{field: value})


def test_threshold_is_positive():
    with pytest.raises(InvalidInput, match=r"CurrentLeakyIntegrateAndFire\.threshold must be a positive finite number"):
        CurrentLeakyIntegrateAndFire(threshold=0.0)


def test_the_ranges_name_fields():
    fields = {field.name for field in dataclasses.fields(CurrentLeakyIntegrateAndFire)}
    assert set(CurrentLeakyIntegrateAndFire.ranges) <= fields

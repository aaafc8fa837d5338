"""The neuron of MDC-SAN against its algorithm in double precision, its equilibria and its known rates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.neurons import DynamicNeuron

V, U, R, S = -0.172, 0.529, 0.021, 0.132
CURRENTS = (-2.0, -1.0, -0.7, -0.5, 0.0, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
# How often it fires under these constant currents, in 5 and in 100 ticks.
COUNTS = {5: (2, 1, 0, 0, 0, 0, 0, 1, 1, 3, 4, 5, 5), 100: (50, 49, 48, 0, 0, 1, 14, 26, 39, 66, 99, 100, 100)}
rheobase = (1.0 + V / U) ** 2 / 4.0  # of the current c: where v^2 - (1 + theta_v/theta_u) v + c = 0 has one solution


def run(neuron, currents):
    """Spikes and states of every tick; `currents` has shape [ticks, n]."""

    def tick(state, current):
        state, spikes = neuron.step(state, current, None)
        return state, (spikes, state)

    return jax.lax.scan(tick, neuron.init(currents.shape[1]), jnp.asarray(currents, jnp.float32))[1]


def constant(current, ticks=2000):
    return np.full((ticks, 1), current)


def algorithm_1(currents):
    """Zhang et al. 2022, line by line."""
    c = v = u = o = np.zeros(currents.shape[1])
    trace = []
    for current in currents:
        c = 0.5 * c + current
        v = v * (1 - o) + o * R
        u = u + o * S
        dv, du = v**2 - v - u + c, V * v - U * u
        v, u = v + dv, u + du
        o = (v > 0.5).astype(float)
        trace.append((v, u, o))
    return [np.stack(column) for column in zip(*trace, strict=True)]


def test_the_first_ticks():
    """The trace of v, u and o under I = 0.3, worked out by hand from Algorithm 1."""
    spikes, states = run(DynamicNeuron(), constant(0.3, 4))
    found = np.stack([states.v[:, 0], states.u[:, 0], spikes[:, 0]], axis=1)
    expected = [(0.3, 0.0, 0), (0.54, -0.0516, 1), (0.445, 0.0343, 0), (0.7263, -0.0604, 1)]
    np.testing.assert_allclose(found, expected, atol=6e-5)


@pytest.mark.parametrize("seed", range(3))
def test_algorithm_1(seed):
    currents = np.random.default_rng(seed).normal(0.1, 0.4, (5, 400))
    spikes, states = run(DynamicNeuron(), currents)
    v, u, o = algorithm_1(currents)
    assert np.abs(v - 0.5).min() > 1e-5  # none so near that rounding decides
    np.testing.assert_array_equal(np.asarray(spikes), o)
    np.testing.assert_allclose(np.asarray(states.v), v, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.asarray(states.u), u, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ticks", COUNTS)
def test_spike_counts_under_constant_currents(ticks):
    currents = np.tile(CURRENTS, (ticks, 1))
    spikes, _ = run(DynamicNeuron(), currents)
    np.testing.assert_array_equal(np.asarray(spikes).sum(axis=0), COUNTS[ticks])
    np.testing.assert_array_equal(algorithm_1(currents)[2].sum(axis=0), COUNTS[ticks])


def test_strong_inhibition_makes_it_fire_and_moderate_inhibition_does_not():
    spikes, states = run(DynamicNeuron(), np.tile((-1.0, -0.5), (100, 1)))
    counts = np.asarray(spikes).sum(axis=0)
    assert counts[0] == 49 and counts[1] == 0
    fired = np.asarray(spikes)[1:, 0] > 0
    assert (np.asarray(states.v)[:-1, 0][fired] < -0.7).all()  # thrown over by the square of a potential far below zero


def test_rebound_after_one_blow():
    """A single strong inhibition, then nothing: it fires at the next tick, (-2)^2 - u - 1 > 0.5."""
    currents = np.zeros((4, 1))
    currents[0] = -2.0
    spikes, _ = run(DynamicNeuron(), currents)
    assert np.asarray(spikes)[:2, 0].tolist() == [0.0, 1.0]


def test_rheobase():
    """Bisection for the weakest constant input that makes it fire: half of c = 0.1139, which the decay of 1/2 doubles."""
    low, high = 0.0, 0.1
    for _ in range(16):
        middle = 0.5 * (low + high)
        fires = bool(np.asarray(run(DynamicNeuron(), constant(middle))[0]).any())
        low, high = (low, middle) if fires else (middle, high)
    assert rheobase == pytest.approx(0.1139, abs=5e-5)
    assert high == pytest.approx(0.5 * rheobase, abs=1e-5) and high == pytest.approx(0.0569, abs=5e-5)


def test_without_a_filter_the_rheobase_is_that_of_the_current():
    neuron = DynamicNeuron(current_decay=0.0)
    assert not np.asarray(run(neuron, constant(rheobase - 1e-4))[0]).any()
    assert np.asarray(run(neuron, constant(rheobase + 1e-4))[0]).any()


@pytest.mark.parametrize("c", [-0.3, -0.1, 0.0, 0.05, 0.1, 0.11])
def test_it_rests_at_the_lower_equilibrium(c):
    """v^2 - 0.675 v + c = 0 and u = theta_v v / theta_u."""
    spikes, states = run(DynamicNeuron(), constant(c / 2))
    v, u = float(states.v[-1, 0]), float(states.u[-1, 0])
    assert not np.asarray(spikes).any()
    assert v**2 - 0.675 * v + c == pytest.approx(0.0, abs=2e-4)
    assert v == pytest.approx(np.roots([1.0, -(1.0 + V / U), c]).min(), abs=1e-4)
    assert u == pytest.approx(V / U * v, abs=1e-4)


def test_it_does_not_fire_at_the_threshold_itself():
    neuron = DynamicNeuron()
    assert not neuron.step(neuron.init(1), jnp.asarray([0.5]), None)[1].any()
    assert neuron.step(neuron.init(1), jnp.nextafter(jnp.asarray([0.5]), jnp.ones(1)), None)[1].all()


def test_the_surrogate_is_a_window_of_half_width_one_half():
    neuron = DynamicNeuron()
    slope = jax.vmap(jax.grad(lambda c: neuron.step(neuron.init(1), c[None], None)[1][0]))
    found = slope(jnp.asarray([-0.01, 0.01, 0.5, 0.99, 1.01]))
    np.testing.assert_array_equal(np.asarray(found), [0.0, 1.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"theta_r": np.inf}, "theta_r must be a finite number"),
        ({"current_decay": 1.5}, "current_decay must be between 0 and 1"),
        ({"threshold": -0.5}, "threshold must be a positive finite number"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=rf"DynamicNeuron\.{message}"):
        DynamicNeuron(**fields)

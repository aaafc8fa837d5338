"""Rule-based neurons: potentials, thresholds, refractoriness and block in closed form."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.neurons import RuleBasedNeuron, Synapses, arrivals
from spikeloop.neurons.rule_based import RECEPTORS

H = 0.5
# A synapse that is forgotten within a tick, and no after-hyperpolarisation: what arrives is compared with the threshold.
BARE = RuleBasedNeuron(tau_ampa=0.01, ahp_weight=0.0, resolution=H)


def run(neuron, arriving):
    """Potential and spikes of every tick, for `Synapses` of shape [ticks, n]."""
    potentials, spikes = _run(neuron, arriving)
    return np.asarray(potentials), np.asarray(spikes)


@eqx.filter_jit
def _run(neuron, arriving):
    size = jax.tree.leaves(arriving)[0].shape[1]

    def tick(state, now):
        state, spikes = neuron.step(state, now, None)
        return state, (neuron.potential(state), spikes)

    return jax.lax.scan(tick, neuron.init(size), arriving)[1]


def course(ticks, events):
    """Weights [ticks, n] from {(tick, neuron): weight}."""
    weights = np.zeros((ticks, 1 + max(neuron for _, neuron in events)), np.float32)
    for place, weight in events.items():
        weights[place] = weight
    return jnp.asarray(weights)


@pytest.fixture(scope="module")
def single():
    """One arrival of weight 5 at tick 2, at a different kind of synapse of each of six neurons."""
    neuron = RuleBasedNeuron(resolution=H, threshold=0.0, block=1.0)  # never fires
    eye = {name: course(40, {(2, place): 5.0, (0, 5): 0.0}) for place, name in enumerate(RECEPTORS)}
    return neuron, run(neuron, Synapses(**eye))[0] - neuron.rest


def test_a_potential_jumps_at_the_arrival_and_decays_exponentially(single):
    neuron, potentials = single
    block = 1.0 / (1.0 + 1.6 / 3.57 * math.exp(0.062 * 65.0))
    jumps = {"ampa": 5.0, "ampa2": 5.0, "nmda": 5.0 * block, "nmda2": 5.0 * block, "gaba": -5.0, "gaba2": -5.0}
    for place, name in enumerate(RECEPTORS):
        tau = getattr(neuron, f"tau_{name}")
        expected = np.where(np.arange(40) < 2, 0.0, jumps[name] * np.exp(-H * (np.arange(40) - 2) / tau))
        np.testing.assert_allclose(potentials[:, place], expected, atol=2e-5)


def test_a_second_arrival_counts_less_the_nearer_the_potential_is_to_its_reversal(single):
    neuron, _ = single
    weights = course(2, {(0, 0): 20.0, (1, 0): 10.0})
    found = run(neuron, Synapses(ampa=weights))[0][1, 0] - neuron.rest
    left = 20.0 * math.exp(-H / 10.0)
    assert found == pytest.approx(left + 10.0 * (1.0 - left / 65.0), abs=1e-4)
    many = jnp.full((60, 1), 40.0)
    up, down = (run(neuron, Synapses(**{name: many}))[0] - neuron.rest for name in ("ampa", "gaba"))
    assert up.max() <= 65.0 + 1e-3 and up.max() > 60.0
    assert down.min() == down[0, 0] == -40.0  # below -15 nothing more is added


def test_it_fires_between_threshold_and_block_only():
    weights = course(1, {(0, 0): 24.9, (0, 1): 25.1, (0, 2): 39.9, (0, 3): 40.1})
    assert run(RuleBasedNeuron(resolution=H), Synapses(ampa=weights))[1][0].tolist() == [0.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("kind", "weight"), [("ampa", 9.0), ("ampa2", 30.0), ("gaba", 4.5), ("gaba2", 5.0), ("gaba", 18.0)]
)
@pytest.mark.parametrize("number", [1, 3])
def test_events_of_one_tick_are_events_one_after_the_other(kind, weight, number):
    """Where nothing decays, so many events in one tick leave the potential that one event in each of so many ticks leaves."""
    lasting = RuleBasedNeuron(threshold=0.0, block=1.0, resolution=H, **{f"tau_{name}": 1e9 for name in RECEPTORS})
    state, _ = lasting.step(lasting.init(1), Synapses(ampa=jnp.full(1, 4.0), gaba=jnp.full(1, 2.0)), None)
    at_once = arrivals(Synapses(**{kind: jnp.full(1, weight * number)}), Synapses(**{kind: jnp.full(1, float(number))}))
    together, _ = lasting.step(state, at_once, None)
    for _ in range(number):
        state, _ = lasting.step(state, Synapses(**{kind: jnp.full(1, weight)}), None)
    np.testing.assert_allclose(np.asarray(lasting.potential(together)), np.asarray(lasting.potential(state)), rtol=1e-5)


def test_many_small_events_fire_a_neuron_that_one_of_their_weight_blocks():
    neuron = RuleBasedNeuron(resolution=H)
    weights, numbers = jnp.asarray([50.0, 50.0, 50.0, 20.0]), jnp.asarray([1.0, 2.0, 6.0, 6.0])
    fired = neuron.step(neuron.init(4), arrivals(Synapses(ampa=weights), Synapses(ampa=numbers)), None)[1]
    assert fired.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_rate_by_input_is_refractory_time_and_relaxation_of_the_threshold():
    """Interval = refractory + tau ln(raised / (w - threshold)), on the next tick: a relation of rate to input in closed form."""
    above = np.array([14.0, 11.2, 9.0, 5.0, 2.0, 0.7])
    _, spikes = run(BARE, Synapses(ampa=jnp.asarray(np.tile(25.0 + above, (160, 1)), jnp.float32)))
    for neuron, w in enumerate(above):
        fired = np.flatnonzero(spikes[:, neuron])
        relaxing = max(0.0, 8.0 * math.log(0.75 * 15.0 / w))
        expected = 10 + math.ceil(relaxing / H - 1e-9)
        assert np.diff(fired).tolist() == [expected] * (len(fired) - 1)
        assert len(fired) >= 2


def test_without_rise_the_interval_is_the_refractory_time():
    weights = jnp.full((60, 1), 30.0)
    for refractory in (2.5, 5.0):
        _, spikes = run(BARE.with_fields(raised_share=0.0, refractory=refractory), Synapses(ampa=weights))
        assert set(np.diff(np.flatnonzero(spikes[:, 0])).tolist()) == {round(refractory / H)}


def test_a_spike_hyperpolarises_and_this_fades():
    neuron = BARE.with_fields(ahp_weight=3.0, tau_ahp=20.0)
    potentials, spikes = run(neuron, Synapses(ampa=course(30, {(4, 0): 30.0})))
    assert spikes.sum() == spikes[4, 0] == 1.0
    after = np.arange(5, 30)
    np.testing.assert_allclose(potentials[5:, 0], -65.0 - 3.0 * np.exp(-H * (after - 4) / 20.0), atol=1e-3)


def test_nothing_fires_in_a_tick_in_which_nothing_arrives():
    """The potential stays between threshold and block, far beyond the refractory time; only arrivals bring spikes."""
    weights = {(0, 0): 35.0, (0, 1): 35.0, (50, 1): 1e-3}
    slow = RuleBasedNeuron(tau_ampa=1e4, ahp_weight=0.0, resolution=H)
    potentials, spikes = run(slow, Synapses(ampa=course(60, weights)))
    assert (potentials[:, 0] > slow.threshold + 5.0).all()
    assert np.flatnonzero(spikes[:, 0]).tolist() == [0] and np.flatnonzero(spikes[:, 1]).tolist() == [0, 50]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"refractory": 0.7}, r"refractory must be a multiple of 0.5 ms, a tick"),
        ({"block": -40.0}, r"block must be above threshold, -40.0 mV"),
        ({"rest": 0.0}, r"rest must be a finite number below 0 mV"),
        ({"tau_nmda2": 0.0}, r"tau_nmda2 must be a positive finite number"),
    ],
)
def test_bad_input_is_answered_in_one_line(fields, message):
    with pytest.raises(InvalidInput, match=rf"^RuleBasedNeuron\.{message}.*$"):
        RuleBasedNeuron(**fields)

"""Imitation: the sum over pairs of spikes, rewards that pass back, and pupils that come to do as they were shown."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import iterate

from spikeloop.decoders import OpposedCounts
from spikeloop.encoders import PoissonRates, SignedPoissonRates
from spikeloop.environments import TargetVehicle
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, LinearDecay
from spikeloop.learners import Adam
from spikeloop.learners.imitation import BehaviouralCloning, RewardedWindow, SupervisedPlasticity
from spikeloop.learners.imitation.rewarded_windows import passed_back
from spikeloop.learners.imitation.supervised import NETWORK, window
from spikeloop.policies import DeepPolicy, NearOrFar, SpikingPolicy

WORLD = TargetVehicle()


def small(encoder):
    return SpikingPolicy(encoder, NETWORK.with_fields(widths=(8,)), OpposedCounts(16.0), ticks=20)


PUPIL = NearOrFar(small(PoissonRates(copies=3)), small(SignedPoissonRates(copies=3)), sensors=6)


def test_timing_is_the_sum_over_all_pairs():
    rule = RewardedWindow(potentiation=0.3, depression=0.7, tau=6.0)
    rng = np.random.default_rng(0)
    pre, post = (rng.random((15, n)) < 0.3 for n in (4, 3))
    expected = np.zeros((4, 3))
    for i, j in np.ndindex(4, 3):
        for s in np.flatnonzero(pre[:, i]):
            for t in np.flatnonzero(post[:, j]):
                gap = np.exp(-abs(t - s) / 6.0)
                expected[i, j] += 0.3 * gap if t >= s else -0.7 * gap
    found = rule.timing(jnp.asarray(pre, jnp.float32), jnp.asarray(post, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (expected < 0).any() and (expected > 0).any()


def test_a_change_is_rate_reward_timing_and_room_and_stays_in_bounds():
    rule = RewardedWindow(rate=0.1, w_max=2.0)
    weights, timing = jnp.asarray([[1.0, -1.5]]), jnp.asarray([[2.0, 3.0]])
    after = rule.changed(weights, timing, jnp.asarray([0.5, -1.0]))
    np.testing.assert_allclose(after, [[1.0 + 0.1 * 0.5 * 2.0 * 0.75, -1.5 - 0.1 * 3.0 * (1 - 0.5625)]], rtol=1e-6)
    wild = rule.changed(weights, 1e4 * timing, jnp.asarray([1.0, -1.0]))
    assert wild.tolist() == [[2.0, -2.0]]
    np.testing.assert_array_equal(rule.changed(weights, timing, jnp.zeros(2)), weights)


def test_a_hidden_neuron_hears_what_its_targets_hear_with_the_sign_of_its_weights():
    weights = jnp.asarray([[1.0, 3.0], [-1.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(passed_back(weights, jnp.asarray([1.0, -1.0])), [-0.5, -1.0, 0.0], rtol=1e-6)


def test_counts_stand_for_an_output_and_back():
    decoder = OpposedCounts(40.0)
    outputs = jnp.asarray([0.5, -1.0, 0.0])
    counts = decoder.counts(outputs)
    assert counts.tolist() == [30.0, 10.0, 0.0, 40.0, 20.0, 20.0]
    np.testing.assert_allclose(decoder.read(None, counts, 50), outputs, rtol=1e-6)


def test_rates_are_in_hertz():
    """A variable at one half fires at half of 300 Hz, the bias at all of it, and the other sign is silent."""
    code = SignedPoissonRates(copies=200)
    keys = jax.random.split(jax.random.key(0), 200)
    spikes = jax.vmap(lambda key: code.step(None, None, jnp.asarray([-0.5]), key)[1])(keys)
    found = np.asarray(spikes).reshape(200, 3, 200).mean(axis=(0, 2))
    np.testing.assert_allclose(found, [0.0, 1 - np.exp(-0.15), 1 - np.exp(-0.3)], atol=0.01)


def test_a_window_is_a_decision_with_its_inputs():
    """Without chance the spikes are those of the policy itself."""
    part = PUPIL.far
    assert isinstance(part, SpikingPolicy)
    params = part.init(1, 1, jax.random.key(0))
    inputs, spikes = window(part, params, jnp.asarray([0.7]), jax.random.key(1))
    step = jax.jit(
        lambda state, row: part.network.step(params.network, state, part.network.drive(params.network, row), None)
    )
    state, counts = part.network.init_state(params.network), np.zeros(8)
    for row in inputs:
        state, fired = step(state, row)
        counts += np.asarray(fired[0])
    assert counts.any()
    np.testing.assert_array_equal(np.asarray(spikes[0]).sum(axis=0), counts)


@pytest.fixture(scope="module")
def course():
    return iterate(SupervisedPlasticity(PUPIL, rule=RewardedWindow(0.005), steps=50), WORLD, 25)


def test_a_pupil_comes_to_turn_as_it_was_shown(course):
    error = np.asarray(course.reports.metrics["error"])
    assert error[-5:].mean() < 0.6 * error[0]
    assert np.asarray(course.reports.env_steps).sum() == 25 * 50 == int(course.last.drive.env_steps)
    for layer in (*course.last.params.near.network, *course.last.params.far.network):
        assert np.abs(np.asarray(layer.weight)).max() <= 2.0 and not np.asarray(layer.bias).any()


def test_a_controller_learns_in_its_turn_only(course):
    """What the one hears in the other's turn is no reward: its weights stay."""
    learner = SupervisedPlasticity(PUPIL, rule=RewardedWindow(0.005))
    params, target = course.last.params.near, jnp.asarray([0.9])
    for turn in (False, True):
        after, _ = learner.taught(PUPIL.near, params, jnp.full(6, 0.6), target, jnp.float32(turn), jax.random.key(0))
        changed = [bool((a.weight != b.weight).any()) for a, b in zip(after.network, params.network, strict=True)]
        assert changed == [turn, turn]


def test_at_a_pace_of_zero_the_teacher_drives_on_and_nothing_is_learned():
    learner = SupervisedPlasticity(PUPIL, rule=RewardedWindow(0.005), pace=LinearDecay(1.0, 0.0, 10), steps=10)
    states = [learner.init(WORLD, jax.random.key(0))]
    step = jax.jit(lambda state, key: learner.step(WORLD, state, key)[0])
    for n in range(2):
        states.append(step(states[-1], jax.random.key(n)))
    first, second, third = (jax.tree.leaves(state.params) for state in states)
    assert any((a != b).any() for a, b in zip(first, second, strict=True))
    assert all((a == b).all() for a, b in zip(second, third, strict=True))
    assert [int(state.taught) for state in states] == [0, 10, 20] == [int(state.drive.env_steps) for state in states]


def test_the_gradient_comes_to_the_same():
    policy = NearOrFar(DeepPolicy((8,)), DeepPolicy((8,)), sensors=6)
    learner = BehaviouralCloning(policy, optimizer=Adam(Constant(0.01)), steps=50)
    error = np.asarray(iterate(learner, WORLD, 25).reports.metrics["error"])
    assert error[-5:].mean() < 0.6 * error[0]


def test_only_what_it_can_teach_is_accepted():
    with pytest.raises(InvalidInput, match="SupervisedPlasticity teaches spiking policies"):
        SupervisedPlasticity(NearOrFar(DeepPolicy(), DeepPolicy(), sensors=6))
    with pytest.raises(InvalidInput, match="sensors must be below 3"):
        NearOrFar(sensors=3).init(3, 1, jax.random.key(0))

"""Potentials that policies show besides spiking networks: those that the decision was made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import CombinationCode
from spikeloop.neurons import BernoulliLogistic
from spikeloop.policies import (
    CoagentPolicy,
    ModulePerAction,
    NearOrFar,
    PlaceAndActionPolicy,
    SharedHidden,
    SpikingPolicy,
)

COAGENTS = {
    2.0: CoagentPolicy(CombinationCode(levels=3), wiring=ModulePerAction((2,)), actors=3, ticks=6, taps=3, most=1.0),
    1.0: CoagentPolicy(neuron=BernoulliLogistic(), wiring=SharedHidden((3, 2)), actors=2, ticks=5, taps=2, most=1.0),
}


@pytest.mark.parametrize("gain", COAGENTS)
def test_sums_of_inputs_say_how_probable_the_spikes_of_stochastic_units_were(gain):
    """The log-odds of a spike are the sum of the inputs, of an Ising unit twice that."""
    policy, obs, key = COAGENTS[gain], jnp.asarray([0.4, 0.9]), jax.random.key(1)
    params = policy.init(2, 4, jax.random.key(0))
    _, probed = policy.probe(params, None, obs, key)
    _, traced = policy.trace(params, None, obs, key)
    assert traced.trace.membranes == ()
    total, layers = 0.0, probed.decision.record.spikes
    for fired, spikes, currents in zip(layers, probed.trace.spikes, shown(probed), strict=True):
        assert spikes.shape == currents.shape
        heard = len(fired)  # ticks in which the layer had heard enough; before them there is nothing
        assert not np.asarray(currents[: policy.ticks - heard]).any()
        sign = 2.0 * np.asarray(spikes, np.float64)[-heard:] - 1.0
        total += -np.log1p(np.exp(-sign * gain * np.asarray(currents, np.float64)[-heard:])).sum()
    logs = policy.log_probabilities(params, probed.decision.record)
    assert total == pytest.approx(float(logs.hidden.sum() + logs.output.sum()), rel=1e-5)


def shown(traced):
    """The potentials of a traced decision; NaN where a population has none."""
    return [np.asarray(np.nan if v is None else v) for v in traced.trace.membranes]


def test_place_cells_show_what_they_keep_and_action_cells_what_chose():
    policy = PlaceAndActionPolicy(hidden=40, places=7, axes=(3, 3))
    params = policy.init(5, 9, jax.random.key(0))
    obs, start = jnp.asarray([1.0, 0.0, 1.0, 0.0, 1.0]), jnp.linspace(-1.0, 1.0, 7)
    state, probed = policy.probe(params, start, obs, jax.random.key(2))
    hidden, places, drive = shown(probed)
    assert np.isnan(hidden) and np.array_equal(places[-1], state)
    assert places[0, np.argmax(probed.trace.spikes[1][0])] == -1.0  # the winner was reset
    best = np.zeros(6)
    best[[np.argmax(drive[0, :3]), 3 + np.argmax(drive[0, 3:])]] = 1.0
    assert np.array_equal(probed.trace.spikes[2][0], best)


def test_two_policies_that_take_turns_show_the_potentials_of_both():
    policy = NearOrFar(SpikingPolicy(ticks=3), SpikingPolicy(ticks=5), sensors=2)
    params = policy.init(4, 2, jax.random.key(0))
    obs, rest = jnp.asarray([0.9, 0.1, 0.4, -0.2]), policy.init_state(params)
    _, probed = policy.probe(params, rest, obs, None)
    _, near = policy.near.probe(params.near, rest.near, obs[:2], None)
    _, far = policy.far.probe(params.far, rest.far, obs[2:], None)
    (near_potential,), (far_potential,), both = shown(near), shown(far), shown(probed)
    assert np.array_equal(both[0][:3], near_potential)
    assert np.array_equal(both[0][3:], np.broadcast_to(near_potential[-1], (2, near_potential.shape[1])))
    assert np.array_equal(both[1], far_potential) and far_potential.any()
    assert not np.asarray(probed.trace.spikes[1]).any()  # something is near: the other is silent
    assert policy.trace(params, rest, obs, None)[1].trace.membranes == ()

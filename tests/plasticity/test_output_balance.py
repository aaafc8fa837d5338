"""Balance of outputs: what a presynaptic neuron's outputs have become decides how strongly rewards reach its synapses."""

import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.plasticity import (
    ExponentialEligibility,
    GrowingOutput,
    HebbianPairs,
    LevellingOutput,
    NoBounds,
    Seen,
    ThreeFactor,
)

RULE = ThreeFactor(1.0, HebbianPairs(), ExponentialEligibility(1e6), NoBounds())
# Outputs of the four presynaptic neurons: as at first, doubled, a quarter, forty times; the last had none at first.
FIRST = jnp.asarray([[1.0, 3.0], [2.0, 2.0], [4.0, 4.0], [1.0, 1.0], [0.0, 0.0]])
NOW = FIRST * jnp.asarray([[1.0], [1.5], [0.25], [40.0], [1.0]])
ONES = Seen(jnp.ones((1, 5)), jnp.ones((1, 2)))


def change(rule, told, reward=None):
    memory = rule.forget(
        rule.see(rule.init(FIRST), FIRST, ONES), NOW
    )  # an episode ended, and the first sums are still known
    return np.asarray(rule.change(rule.see(memory, NOW, ONES), NOW, jnp.asarray(told), reward)[1])


@pytest.mark.parametrize(("make", "up"), [(GrowingOutput, 1.0), (LevellingOutput, -1.0)])
def test_rewards_and_punishments_are_scaled_in_opposite_directions(make, up):
    """One postsynaptic neuron is rewarded, the other punished, at an eligibility of one everywhere."""
    growth = np.clip(np.array([1.0, 1.5, 0.25, 40.0, 1.0]) ** up, 0.1, 2.0)
    shrinkage = np.clip(np.array([1.0, 1.5, 0.25, 40.0, 1.0]) ** -up, 0.1, 2.0)
    np.testing.assert_allclose(
        change(make(RULE), [0.5, -0.5]), np.stack([0.5 * growth, -0.5 * shrinkage], 1), rtol=1e-4
    )


@pytest.mark.parametrize("make", [GrowingOutput, LevellingOutput])
@pytest.mark.parametrize("reward", [0.5, -0.5])
def test_a_reward_aimed_at_two_groups_with_opposite_signs_leaves_the_sum_of_outputs_as_it_was(make, reward):
    """The direction is that of the reward, not of what a group hears: otherwise outputs that grew would grow ever on."""
    found = change(make(RULE), [reward, -reward], jnp.asarray(reward))
    assert (np.abs(found) > 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-6)


def test_at_first_it_changes_nothing():
    traces = GrowingOutput(RULE).init(FIRST)
    found = GrowingOutput(RULE).change(GrowingOutput(RULE).see(traces, FIRST, ONES), FIRST, jnp.asarray(0.3))[1]
    np.testing.assert_allclose(np.asarray(found), 0.3, rtol=1e-5)


def test_bad_input_is_answered_in_one_line():
    with pytest.raises(InvalidInput, match=r"^GrowingOutput\.high must be at least low = 0\.1, got 0\.05$"):
        GrowingOutput(RULE, 0.1, 0.05)

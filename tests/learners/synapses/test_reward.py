"""From scores to rewards: every rule against its definition, written as a loop."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import DeltaReward, LevelReward, PredictionErrorReward, SignReward

scores = st.lists(st.integers(-4, 4).map(lambda quarter: quarter / 4), min_size=1, max_size=12)


def rewards(rule, scores):
    state, found = rule.init(), []
    for score in scores:
        state, reward = rule.step(state, jnp.asarray(score, jnp.float32))
        found.append(float(reward))
    return found


@given(scores)
def test_sign_punishes_a_tie_and_delta_measures_the_rise(scores):
    """The first score has nothing to be compared with: it earns 0."""
    assert rewards(SignReward(), scores) == [0.0, *np.where(np.diff(scores) > 0, 1.0, -1.0)]
    np.testing.assert_allclose(rewards(DeltaReward(8.0), scores), [0.0, *np.diff(scores) / 8.0], rtol=1e-6)
    np.testing.assert_allclose(rewards(LevelReward(8.0), scores), np.asarray(scores) / 8.0, rtol=1e-6)


@given(scores, st.sampled_from([0.0, 0.25, 1.0]))
def test_prediction_error_is_the_sign_of_the_distance_to_a_running_mean(scores, rate):
    expected, mean = [], None
    for score in scores:
        expected.append(0.0 if mean is None else 1.0 if score > mean else -1.0)
        mean = score if mean is None else mean + rate * (score - mean)
    assert rewards(PredictionErrorReward(rate), scores) == expected


def test_a_running_mean_at_full_rate_is_the_last_score():
    drawn = np.random.default_rng(0).normal(size=50)
    assert rewards(PredictionErrorReward(1.0), drawn) == rewards(SignReward(), drawn)
    one_good = [0.0, 4.0, 3.0, 2.0]  # worse than the last, better than ever before on the average
    assert rewards(PredictionErrorReward(0.1), one_good)[2:] == [1.0, 1.0]
    assert rewards(SignReward(), one_good)[2:] == [-1.0, -1.0]


@given(scores, st.floats(0.5, 8), st.integers(-3, 3))
def test_signs_do_not_depend_on_the_unit_of_the_score(scores, scale, shift):
    moved = [8.0 * score + shift for score in scores]
    assert rewards(SignReward(), moved) == rewards(SignReward(), scores)
    assert rewards(PredictionErrorReward(0.25), moved) == rewards(PredictionErrorReward(0.25), scores)


def test_a_score_that_is_no_number_is_punished_and_forgotten():
    """It is no better than anything, and what follows has nothing to be compared with."""
    for rule in (SignReward(), PredictionErrorReward()):
        assert rewards(rule, [1.0, np.nan, 2.0, 3.0, 2.9]) == [0.0, -1.0, 0.0, 1.0, rewards(rule, [2.0, 3.0, 2.9])[2]]
    found = rewards(DeltaReward(1.0), [1.0, np.nan, 2.0, 3.0])
    assert np.isnan(found[1]) and found[2:] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("cls", "value"),
    [(DeltaReward, 0.0), (LevelReward, -1.0), (PredictionErrorReward, 1.5), (PredictionErrorReward, -0.1)],
)
def test_invalid_fields(cls, value):
    with pytest.raises(InvalidInput, match=rf"^{cls.__name__}\.(scale|rate) must be"):
        cls(value)

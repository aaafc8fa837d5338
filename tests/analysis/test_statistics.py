"""Statistics against known arrays, SciPy, and the promise of a confidence interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spikeloop.analysis.statistics import interquartile_interval, interquartile_mean
from spikeloop.errors import InvalidInput

scores = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], 3.0),
        ([1.0, 2.0, 9.0], 4.0),  # fewer than four: the plain mean
        ([0.0, 1.0, 3.0, 100.0], 2.0),
        ([-100.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1000.0], 2.5),
        ([1.0, 2.0, 3.0, 4.0, 100.0], 3.0),  # a quarter of five is one
    ],
)
def test_known_interquartile_means(values, expected):
    assert float(interquartile_mean(values)) == pytest.approx(expected)


@given(scores)
def test_equals_scipy_and_ignores_the_order(values):
    mean = float(interquartile_mean(values))
    assert mean == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-9, abs=1e-9)
    assert mean == pytest.approx(float(interquartile_mean(sorted(values)[::-1])), rel=1e-9, abs=1e-9)


@given(scores, st.floats(-100, 100), st.floats(0.1, 10))
def test_moves_and_scales_with_the_scores(values, shift, scale):
    moved = float(interquartile_mean(np.asarray(values) * scale + shift))
    assert moved == pytest.approx(float(interquartile_mean(values)) * scale + shift, rel=1e-6, abs=1e-6)


def test_an_outlier_does_not_move_it():
    assert interquartile_mean([1, 2, 3, 4, 5, 6, 7, 8]) == interquartile_mean([1, 2, 3, 4, 5, 6, 7, 1e9])


@given(scores)
def test_interval_holds_its_estimate_and_lies_within_the_scores(values):
    interval = interquartile_interval([values], resamples=200)
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert interval.estimate == pytest.approx(float(interquartile_mean(values)), rel=1e-9, abs=1e-9)
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack


def test_interval_covers_the_truth_about_as_often_as_it_says():
    """The truth of a normal sample's interquartile mean is its mean; a bootstrap of 20 falls a little short of 95 %."""
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(400):
        interval = interquartile_interval([generator.normal(5.0, 2.0, 20)], resamples=400, seed=trial)
        covered += interval.low <= 5.0 <= interval.high
    assert 0.86 <= covered / 400 <= 0.98


def test_interval_grows_with_confidence_and_shrinks_with_seeds():
    generator = np.random.default_rng(1)
    few, many = generator.normal(0, 1, 10), generator.normal(0, 1, 1000)

    def width(values, confidence=0.95):
        interval = interquartile_interval([values], confidence, resamples=2000)
        return interval.high - interval.low

    assert width(few, 0.5) < width(few, 0.9) < width(few, 0.99)
    assert width(many) < 0.3 * width(few)


def test_tasks_are_resampled_each_within_itself():
    """Two tasks without any spread leave nothing to chance, however far apart they are."""
    apart = interquartile_interval([[0.0] * 5, [100.0] * 5])
    assert apart.low == apart.high == apart.estimate == 50.0
    mixed = interquartile_interval([[0.0] * 5 + [100.0] * 5])
    assert mixed.high - mixed.low > 20.0


def test_tasks_may_have_different_numbers_of_seeds():
    interval = interquartile_interval([[1.0, 2.0, 3.0], [4.0, 5.0]])
    assert interval.estimate == pytest.approx(float(interquartile_mean([1.0, 2.0, 3.0, 4.0, 5.0])))


def test_the_same_seed_draws_the_same_interval():
    values = [np.random.default_rng(2).normal(size=9)]
    assert interquartile_interval(values, seed=3) == interquartile_interval(values, seed=3)
    assert interquartile_interval(values, seed=3) != interquartile_interval(values, seed=4)


@pytest.mark.parametrize("values", [[[]], [], [[1.0, np.nan]], [[1.0], [np.inf]]])
def test_nothing_or_not_a_number_is_refused(values):
    with pytest.raises(InvalidInput, match="at least one score per task, and finite ones"):
        interquartile_interval(values)


def test_as_text():
    assert str(interquartile_interval([[2.0, 2.0]])) == "2.0 [2.0, 2.0]"

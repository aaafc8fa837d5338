"""Statistics over seeds: interquartile mean and bootstrap interval (Agarwal et al. 2021, "Deep RL at the edge of the
precipice").

A score is one number per seed (the mean return of its evaluation episodes). With several tasks, seeds are resampled
within each task (stratified bootstrap) and the interquartile mean is taken over all scores together.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np
import scipy

from spikeloop.errors import InvalidInput


class Interval(eqx.Module):
    """A point estimate with its confidence interval."""

    estimate: float
    low: float
    high: float

    def __str__(self):
        return f"{self.estimate:.1f} [{self.low:.1f}, {self.high:.1f}]"


class Curve(eqx.Module):
    """Scores of the seeds of one learner along training."""

    name: str
    env_steps: np.ndarray  # [points], mean over seeds
    scores: np.ndarray  # [points, seeds], mean return of the evaluation episodes of each seed


def interquartile_mean(scores: np.ndarray | Sequence[float], axis: int = 0) -> np.ndarray | np.floating:
    """Mean of the middle half: a quarter of the scores is cut at either end (fewer than 4 scores: the plain mean)."""
    return scipy.stats.trim_mean(np.asarray(scores, float), 0.25, axis=axis)


def interquartile_interval(
    scores: np.ndarray | Sequence[Any], confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Interquartile mean of all scores with a percentile bootstrap interval, stratified by task.

    ``scores`` has one row per task (one row for one task) of one score per seed. Raises InvalidInput if there are
    none or one is not finite.
    """
    rows = scores if len(scores) and np.ndim(scores[0]) else [scores]
    tasks = [np.asarray(row, float) for row in rows]
    if any(row.size == 0 or not np.isfinite(row).all() for row in tasks):
        raise InvalidInput("an interval needs at least one score per task, and finite ones")
    generator = np.random.default_rng(seed)
    drawn = np.concatenate([row[generator.integers(0, row.size, (resamples, row.size))] for row in tasks], axis=1)
    estimates = interquartile_mean(drawn, axis=1)
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(estimates, [tail, 100.0 - tail])
    return Interval(float(interquartile_mean(np.concatenate(tasks))), float(low), float(high))

"""The Pareto front, and its picture."""

import io

import numpy as np
import pytest
from PIL import Image

from spikeloop.analysis.measurement.pareto import COSTS, Candidate, Cost, draw, front_json, on_front
from spikeloop.analysis.statistics import Interval


def candidate(name: str, reached: float, cost: float, energy: float | None = 1.0) -> Candidate:
    """A learner whose costs are all the same but for the energy."""
    one = Cost(cost, 0.9 * cost, 1.1 * cost, 0.5 * cost)
    costs = {**dict.fromkeys(COSTS, one), "energy": None if energy is None else Cost(energy, energy, energy)}
    return Candidate(name, Interval(reached, reached - 5.0, reached + 5.0), costs)


def test_the_front_by_hand():
    costs, reached = [1.0, 2.0, 2.0, 3.0, 4.0], [5.0, 5.0, 8.0, 7.0, 9.0]
    assert on_front(costs, reached) == [True, False, True, False, True]
    # Equals stand side by side, and what has no known cost is nowhere.
    assert on_front([1.0, 1.0, None], [5.0, 5.0, 99.0]) == [True, True, False]
    assert on_front([], []) == []


def test_the_front_is_what_no_other_beats():
    rng = np.random.default_rng(0)
    costs, reached = rng.integers(0, 6, 40).tolist(), rng.integers(0, 6, 40).tolist()
    front = on_front(costs, reached)
    pairs = list(zip(costs, reached, strict=True))
    for place, (cost, score) in enumerate(pairs):
        better = [(c, s) for c, s in pairs if c <= cost and s >= score and (c, s) != (cost, score)]
        assert front[place] == (not better)


@pytest.mark.parametrize("count", [1, 9])
def test_the_picture_is_drawn(count):
    found = [candidate(f"learner-{n}", 10.0 * n, 3.0**n, None if n == 2 else 2.0 + n) for n in range(count)]
    image = Image.open(io.BytesIO(draw(found, "CartPole-v1", "45 nm CMOS")))
    assert image.width > 1000 and len(np.unique(np.asarray(image.convert("L")))) > 10
    data = front_json(found)
    assert list(data["learners"]) == [one.name for one in found]
    assert all(one["on_front"]["operations"] for one in data["learners"].values())
    if count > 2:
        assert data["learners"]["learner-2"]["energy"] is None

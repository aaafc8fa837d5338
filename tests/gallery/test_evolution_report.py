"""How many episodes a strategy needed, from the records of a run."""

import numpy as np

from spikeloop.gallery.evolution_report import episodes_until


def test_episodes_are_those_played_before_the_first_evaluation_that_met_the_goal():
    """Seed 3 meets it at its second evaluation, after two records; seed 4 only with one of two episodes, so never."""
    evaluations = [
        {"env_steps": [100, 110], "returns": [[1.0, 2.0], [0.0, 9.0]]},
        {"env_steps": [200, 210], "returns": [[6.0, 5.0], [0.0, 9.9]]},
        {"env_steps": [300, 310], "returns": [[0.0, 0.0], [9.8, 0.0]]},
    ]
    records = [
        {"seed": seed, "env_steps": steps + 10 * (seed - 3), "episodes": episodes}
        for steps, episodes in ((100, 7), (200, 15), (300, 20))
        for seed in (3, 4)
    ]
    np.testing.assert_array_equal(episodes_until(5.0, evaluations, records, range(3, 5)), [15.0, np.inf])
    np.testing.assert_array_equal(episodes_until(1.5, evaluations, records, range(3, 5)), [7.0, 7.0])

"""How many episodes a strategy needed, from the records of a run."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from spikeloop.gallery.evolution_report import _episodes_until


def test_episodes_are_those_played_before_the_first_evaluation_that_met_the_goal():
    """Seed 3 meets it at its second evaluation, after two records; seed 4 only with one of two episodes, so never."""
    lines = {
        "evaluations.jsonl": [
            {"env_steps": [100, 110], "returns": [[1.0, 2.0], [0.0, 9.0]]},
            {"env_steps": [200, 210], "returns": [[6.0, 5.0], [0.0, 9.9]]},
            {"env_steps": [300, 310], "returns": [[0.0, 0.0], [9.9, 0.0]]},
        ],
        "metrics.jsonl": [
            {"seed": seed, "env_steps": steps + 10 * (seed - 3), "episodes": episodes}
            for steps, episodes in ((100, 7), (200, 15), (300, 20))
            for seed in (3, 4)
        ],
    }
    run: Any = SimpleNamespace(lines=lambda arm, file: lines[file], experiment=SimpleNamespace(seed_range=range(3, 5)))
    np.testing.assert_array_equal(_episodes_until(run, "evol", 5.0), [15.0, np.inf])
    np.testing.assert_array_equal(_episodes_until(run, "evol", 1.5), [7.0, 7.0])

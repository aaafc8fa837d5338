"""The summary of a run: a learning curve where there is one to draw, and only there."""

import pytest

from spikeloop.comparison import summarise
from spikeloop.experiment import Experiment
from spikeloop.learners import AbstractLearner, RandomActions
from spikeloop.run import Run
from spikeloop.training import Protocol
from tests.worlds import ActionReward


@pytest.mark.parametrize(("evaluations", "learners", "drawn"), [(1, 2, False), (2, 2, True), (2, 22, False)])
def test_a_learning_curve_has_two_points_and_can_be_told_from_the_others(tmp_path, evaluations, learners, drawn):
    protocol = Protocol(env_steps=4, evaluations=evaluations, evaluation_episodes=1, final_episodes=1, records=2)
    arms: dict[str, AbstractLearner] = {f"random-{n}": RandomActions() for n in range(1, learners)}
    run = Run.create(tmp_path / "run", Experiment(ActionReward(), RandomActions(), "first", arms, protocol, seeds=1))
    run.carry_out()
    assert [result.name for result in summarise(run)] == ["first", *arms]
    assert (run.path / "learning_curve.png").exists() == drawn
    assert (run.path / "summary.json").exists()

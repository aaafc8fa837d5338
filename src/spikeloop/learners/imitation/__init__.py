"""Imitation: a teacher drives, and pupils learn to decide as it does, by local plasticity or by gradient."""

from spikeloop.learners.imitation.cloning import BehaviouralCloning, CloningState
from spikeloop.learners.imitation.drive import Drive, DriveState, Lesson
from spikeloop.learners.imitation.rewarded_windows import RewardedWindow
from spikeloop.learners.imitation.supervised import SupervisedPlasticity, SupervisedState

__all__ = [
    "BehaviouralCloning",
    "CloningState",
    "Drive",
    "DriveState",
    "Lesson",
    "RewardedWindow",
    "SupervisedPlasticity",
    "SupervisedState",
]

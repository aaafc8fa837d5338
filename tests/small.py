"""A small experiment that a test can afford, and a file that the command line can run."""

from spikeloop.experiment import Experiment
from spikeloop.gallery import q_learning
from spikeloop.learners import RandomActions, RandomSearch
from spikeloop.networks import FeedForward
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.training import Protocol

ENV_STEPS = 600


def small_experiment(**changes) -> Experiment:
    """Two seeds of a spiking DQN with 8 neurons and 2 ticks, its twin and the null baselines, for 600 steps."""
    spiking = SpikingPolicy(network=FeedForward((8,)), ticks=2)
    experiment = Experiment(
        learner=q_learning(spiking, ENV_STEPS),
        controls={
            "ann-twin": q_learning(DeepPolicy((8,)), ENV_STEPS),
            "random-weights": RandomSearch(policy=spiking, candidates=2),
            "random-actions": RandomActions(),
        },
        protocol=Protocol(env_steps=ENV_STEPS, evaluations=3, records=12, evaluation_episodes=2, final_episodes=4),
        seeds=2,
    )
    return experiment.with_fields(**changes)


experiment = small_experiment()

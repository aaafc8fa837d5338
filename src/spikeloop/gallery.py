"""The library's own experiments: a spiking Q-network that works, beside its deep twin and two null baselines.

The recipe is one for all tasks; only the budget and the scale of the observations differ. What makes the final policy
of Q-learning hold still, in the order of what it brought on CartPole (see the results): a learning rate that decays
to zero with the budget, soft target updates, double Q-learning.
"""

from spikeloop.encoders import Direct
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment
from spikeloop.interaction import EpsilonGreedy, LinearDecay, Replay
from spikeloop.learners import DQN, Adam, ClipByNorm, RandomActions, RandomSearch, SoftTarget
from spikeloop.networks import FeedForward
from spikeloop.objectives import DoubleBootstrap
from spikeloop.policies import AbstractPolicy, DeepPolicy, SpikingPolicy
from spikeloop.training import Protocol


def q_learning(policy: AbstractPolicy, env_steps: int, learning_rate: float = 1e-3) -> DQN:
    """The recipe, for a budget of environment steps."""
    return DQN(
        policy=policy,
        optimizer=Adam(LinearDecay(learning_rate, 0.0, env_steps), ClipByNorm(10.0)),
        exploration=EpsilonGreedy(LinearDecay(1.0, 0.05, env_steps / 10)),
        replay=Replay(env_steps),
        target=SoftTarget(0.005),
        bootstrap=DoubleBootstrap(),
        discount=0.99,
    )


def cartpole() -> Experiment:
    """Spiking DQN on CartPole-v1, beside its ANN twin, random actions and random weights"""
    return _side_by_side("CartPole-v1", env_steps=50_000, gain=1.0)


def acrobot() -> Experiment:
    """The same on Acrobot-v1"""
    return _side_by_side("Acrobot-v1", env_steps=100_000, gain=1.0)


def mountain_car() -> Experiment:
    """The same on MountainCar-v0, where only rare luck brings the first reward"""
    return _side_by_side("MountainCar-v0", env_steps=200_000, gain=(1.0, 20.0))


def _side_by_side(environment: str, env_steps: int, gain: float | tuple[float, ...]) -> Experiment:
    spiking = SpikingPolicy(encoder=Direct(gain), network=FeedForward((64,)), ticks=8)
    deep = DeepPolicy((64,), gain)
    return Experiment(
        environment=Gymnax(environment),
        learner=q_learning(spiking, env_steps),
        controls={
            "ann-twin": q_learning(deep, env_steps),
            "random-weights": RandomSearch(policy=spiking),
            "random-actions": RandomActions(),
        },
        protocol=Protocol(env_steps=env_steps),
    )

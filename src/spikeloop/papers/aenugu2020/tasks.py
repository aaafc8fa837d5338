"""Aenugu 2020: neuron agents and reparameterised spikes on the gridworld, CartPole, mountain car and gymnax's four rooms."""

import functools
from collections.abc import Callable

import equinox as eqx

from spikeloop.encoders import AbstractEncoder
from spikeloop.environments import AbstractEnvironment
from spikeloop.experiment import Experiment, Reference
from spikeloop.learners import AbstractLearner, NeuronAgents, RandomActions, RandomSearch
from spikeloop.papers.aenugu2020 import setting
from spikeloop.policies import AbstractPolicy
from spikeloop.training import Protocol

SOURCE = "Aenugu 2020, arXiv:2005.05941; settings by the public code of arXiv:1910.06489"
CLAIM = "neuron-level agents can represent a complex policy, and compare with reparameterised spikes; no number could be read"


class Task(eqx.Module):
    """A task: the world, what learns in it, and for how long."""

    title: str
    environment: AbstractEnvironment
    agents: dict[str, NeuronAgents]  # by name; the first is what the experiment is about
    encoder: AbstractEncoder  # of the reparameterised network and of the deep twin
    rate: float  # of their optimiser
    protocol: Protocol


TASKS = {
    "gridworld": Task(
        "the 10 x 10 gridworld",
        setting.GRIDWORLD,
        {"published": setting.GRIDWORLD_AGENTS, "coagent": setting.GRIDWORLD_COAGENTS},
        setting.GRIDWORLD_BINS,
        0.01,
        Protocol(env_steps=60_000, episodes=1000),
    ),
    "cartpole": Task(
        "CartPole with 200 steps",
        setting.CARTPOLE,
        {
            "agreement": setting.CARTPOLE_AGENTS,
            "coagent": setting.CARTPOLE_COAGENTS,
            "published": setting.CARTPOLE_PUBLISHED,
        },
        setting.CARTPOLE_GAIN,
        0.01,
        Protocol(env_steps=100_000),
    ),
    "mountain-car": Task(
        "mountain car with 5000 steps",
        setting.MOUNTAIN_CAR,
        {"coagent": setting.MOUNTAIN_CAR_AGENTS, "published": setting.MOUNTAIN_CAR_PUBLISHED},
        setting.MOUNTAIN_CAR_BINS,
        0.003,
        Protocol(env_steps=120_000, evaluations=3, evaluation_episodes=5, final_episodes=50),
    ),
    "four-rooms": Task(
        "gymnax's four rooms",
        setting.FOUR_ROOMS,
        {"agreement": setting.FOUR_ROOMS_AGENTS, "coagent": setting.FOUR_ROOMS_COAGENTS},
        setting.FOUR_ROOMS_BINS,
        0.003,
        Protocol(env_steps=100_000, evaluations=5),
    ),
}


def neuron_agents(name: str) -> Experiment:
    """Every neuron an agent, beside the deep actor-critic and the null baselines; 10 seeds."""
    task = TASKS[name]
    arms: dict[str, AbstractLearner] = dict(task.agents)
    return _experiment(task, arms, next(iter(task.agents.values())).policy)


def reparameterised(name: str) -> Experiment:
    """Reparameterised spikes trained end to end, beside the deep actor-critic and the null baselines; 10 seeds."""
    task = TASKS[name]
    policy = setting.reparameterised(task.encoder)
    return _experiment(task, {"reparameterised": _actor_critic(task, policy)}, policy)


def _experiment(task: Task, arms: dict[str, AbstractLearner], searched: AbstractPolicy) -> Experiment:
    label = next(iter(arms))
    controls = {
        **{name: arm for name, arm in arms.items() if name != label},
        "ann-twin": _actor_critic(task, setting.twin(task.encoder)),
        "random-weights": RandomSearch(searched),
        "random-actions": RandomActions(10),
    }
    return Experiment(
        environment=task.environment,
        learner=arms[label],
        label=label,
        controls=controls,
        protocol=task.protocol,
        seeds=10,
        reference=Reference(SOURCE, CLAIM),
    )


def _actor_critic(task: Task, policy: AbstractPolicy) -> AbstractLearner:
    like = next(iter(task.agents.values()))
    return setting.actor_critic(policy, like, task.protocol.env_steps, task.rate)


def experiments() -> dict[str, Callable[[], Experiment]]:
    """A factory for each task and approach, by name."""
    made: dict[str, Callable[[], Experiment]] = {}
    for name, task in TASKS.items():
        for approach, make, what in (
            ("neuron-agents", neuron_agents, "every neuron an agent"),
            ("reparameterised", reparameterised, "reparameterised spikes"),
        ):
            factory = functools.partial(make, name)
            factory.__doc__ = f"Aenugu 2020: {what} on {task.title}, with a deep twin and null baselines; 10 seeds"
            made[f"{name}/{approach}"] = factory
    return made

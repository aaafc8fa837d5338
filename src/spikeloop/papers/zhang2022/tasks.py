"""Zhang et al. 2022, Table 1 and Figure 4: spiking and deep actors trained by TD3 on MuJoCo's tasks, and on Pendulum."""

import functools
from collections.abc import Callable, Mapping

from spikeloop.encoders import (
    AbstractEncoder,
    BernoulliPopulationCode,
    DeterministicPopulationCode,
    PoissonCode,
    PoissonPopulationCode,
    PopulationCode,
)
from spikeloop.environments import AbstractEnvironment, Gymnax, MuJoCo
from spikeloop.experiment import Experiment, Reference
from spikeloop.learners import AbstractLearner, RandomActions
from spikeloop.neurons import CurrentLeakyIntegrateAndFire, DynamicNeuron
from spikeloop.papers.zhang2022.setting import (
    DAN,
    MDC_SAN,
    POP_DAN,
    POPSAN,
    POPSAN_BERNOULLI,
    spiking_actor,
    td3,
)
from spikeloop.policies import AbstractPolicy
from spikeloop.training import Protocol

ENV_STEPS = 1_000_000
TASKS = {"ant": "Ant-v5", "halfcheetah": "HalfCheetah-v5", "walker2d": "Walker2d-v5", "hopper": "Hopper-v5"}
ACTORS: dict[str, AbstractPolicy] = {"mdc-san": MDC_SAN, "popsan": POPSAN, "dan": DAN, "pop-dan": POP_DAN}
# Table 1, maximum of the average return over 10 seeds, v3; PopSAN's table could not be read.
PUBLISHED = {
    "ant": {"dan": "4671 +- 777", "pop-dan": "5146 +- 669", "mdc-san": "5628 +- 155"},
    "halfcheetah": {"dan": "10020 +- 1696", "pop-dan": "10206 +- 1089", "mdc-san": "11657 +- 400"},
    "walker2d": {"dan": "4139 +- 429", "pop-dan": "4361 +- 621", "mdc-san": "5566 +- 332"},
    "hopper": {"dan": "3396 +- 77", "pop-dan": "3201 +- 957", "mdc-san": "3636 +- 146"},
}
PENDULUM_STEPS = 30_000
ENCODERS: dict[str, AbstractEncoder] = {
    "population": PopulationCode(),
    "deterministic": DeterministicPopulationCode(),
    "poisson-population": PoissonPopulationCode(),
    "uniform-population": BernoulliPopulationCode(),
    "poisson": PoissonCode(),
}
LIF, NULL = "-lif", "random-actions"  # endings and names of arms
# Each coding with either neuron. The first is MDC-SAN.
CODINGS: dict[str, AbstractPolicy] = {
    f"{name}{suffix}": spiking_actor(encoder, neuron)
    for suffix, neuron in (("", DynamicNeuron()), (LIF, CurrentLeakyIntegrateAndFire()))
    for name, encoder in ENCODERS.items()
}


def mujoco(task: str, actor: str) -> Experiment:
    """One actor on one task: a million steps, an evaluation of ten episodes at every 10,000; 10 seeds."""
    policy = POPSAN_BERNOULLI if actor == "popsan" and task in ("hopper", "walker2d") else ACTORS[actor]
    published = PUBLISHED[task].get(actor)
    claim = (
        "the table of PopSAN could not be read" if published is None else f"largest average return {published}, on v3"
    )
    source = "Tang et al. 2020" if actor == "popsan" else "Zhang et al. 2022, Table 1"
    return Experiment(
        environment=MuJoCo(TASKS[task]),
        learner=td3(policy, ENV_STEPS),
        label=actor,
        protocol=Protocol(
            env_steps=ENV_STEPS, evaluations=100, evaluation_episodes=10, final_episodes=100, records=1000
        ),
        seeds=10,
        reference=Reference(source, claim),
    )


def mujoco_experiments() -> dict[str, Callable[[], Experiment]]:
    """A factory for each task and actor, by name."""
    return {f"{task}/{actor}": _named(task, actor) for task in TASKS for actor in ACTORS}


def _named(task: str, actor: str) -> Callable[[], Experiment]:
    name = "MDC-SAN" if actor == "mdc-san" else "PopSAN" if actor == "popsan" else actor.title().replace("Dan", "DAN")
    made = functools.partial(mujoco, task, actor)
    made.__doc__ = f"Zhang 2022 Table 1: {name} trained by TD3 on {TASKS[task]}, a million steps; 10 seeds"
    return made


def pendulum() -> Experiment:
    """MDC-SAN, PopSAN and the deep actor trained by TD3 on Pendulum-v1, 30,000 steps, beside random actions; 10 seeds"""
    actors = {"mdc-san": MDC_SAN, "popsan": POPSAN, "dan": DAN}
    return side_by_side(Gymnax("Pendulum-v1"), PENDULUM_STEPS, actors, 1000)


def codings() -> Experiment:
    """Zhang 2022 Figure 5 and more: the five input codings with dynamic neurons and with LIF on Hopper-v5; 10 seeds"""
    return side_by_side(MuJoCo(TASKS["hopper"]), ENV_STEPS, CODINGS, 10_000)


def codings_pendulum() -> Experiment:
    """The same on Pendulum-v1, 30,000 steps; 10 seeds"""
    return side_by_side(Gymnax("Pendulum-v1"), PENDULUM_STEPS, CODINGS, 1000)


def side_by_side(
    environment: AbstractEnvironment, env_steps: int, actors: Mapping[str, AbstractPolicy], random_steps: int
) -> Experiment:
    """Several actors trained alike, the first of them as the learner of the experiment."""
    arms: dict[str, AbstractLearner] = {name: td3(actor, env_steps, random_steps) for name, actor in actors.items()}
    label = next(iter(arms))
    return Experiment(
        environment=environment,
        learner=arms.pop(label),
        label=label,
        controls={**arms, NULL: RandomActions()},
        protocol=Protocol(env_steps=env_steps, evaluations=15),
        seeds=10,
    )

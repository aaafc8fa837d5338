"""Hasegan et al. 2022, EVOL: a multiplicative evolution strategy on the 1800 plastic weights of the circuit."""

from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import RandomAmongLargest
from spikeloop.learners import AbstractLearner, CommonStart, Evolution, RandomActions, RandomSearch
from spikeloop.learners.strategies import CrossEntropy, MultiplicativeEvolutionStrategy
from spikeloop.papers.hasegan2022.setting import ENVIRONMENT, FIXED_SENSORY, circuit, policy
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.training import Protocol

ITERATIONS, POPULATION, EPISODES = 1600, 10, 5
LIMIT = 500  # steps of an episode


def strategy(policy: SpikingPolicy) -> Evolution:
    """EVOL as published: 10 candidates, 5 episodes each, sigma 0.1, alpha 1."""
    return Evolution(
        policy=policy,
        strategy=MultiplicativeEvolutionStrategy(POPULATION, sigma=0.1, learning_rate=1.0),
        episodes=EPISODES,
        start=CommonStart(),
        selection=RandomAmongLargest(),
    )


def evol() -> Experiment:
    """Hasegan 2022: evolution of all plastic weights, or of the motor ones alone, of a spiking circuit on CartPole; 10 seeds"""
    controls: dict[str, AbstractLearner] = {
        "evol-motor": strategy(policy(circuit(FIXED_SENSORY))),
        # As many candidates as fit; a deep network has weights of both signs, so it is searched by cross-entropy.
        "ann": Evolution(DeepPolicy((40,)), CrossEntropy(population=POPULATION), episodes=EPISODES, start=CommonStart()),
        "random-weights": RandomSearch(
            policy(circuit()), POPULATION, EPISODES, selection=RandomAmongLargest()
        ),
        "random-actions": RandomActions(),
    }  # fmt: skip
    return Experiment(
        environment=ENVIRONMENT,
        learner=strategy(policy(circuit())),
        label="evol",
        controls=controls,
        protocol=Protocol(
            env_steps=ITERATIONS * POPULATION * EPISODES * LIMIT,
            episodes=ITERATIONS * POPULATION * EPISODES,
            evaluations=4,
            final_episodes=100,
            records=ITERATIONS,
        ),
        seeds=10,
        reference=Reference(
            source="Hasegan et al. 2022, evaluation of trained models",
            claim="499 steps in 100 episodes after 80,000 episodes; 180 with only the motor weights trained; untrained 23",
            score=499.0,
        ),
    )

"""What both strategies of the paper share: CartPole without its time limit, 20 seeds, and an evaluation at the end."""

from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment, Reference
from spikeloop.learners import AbstractLearner
from spikeloop.training import Protocol

# The paper reports episodes beyond CartPole-v0's 200 steps, so its limit was off; nothing in the paper comes near this one.
ENVIRONMENT = Gymnax("CartPole-v1", max_steps=10_000)


def experiment(arms: dict[str, AbstractLearner], label: str, protocol: Protocol, reference: Reference) -> Experiment:
    """All arms under one protocol; the one called `label` is the learner, the others stand beside it."""
    return Experiment(
        environment=ENVIRONMENT,
        learner=arms[label],
        label=label,
        controls={name: learner for name, learner in arms.items() if name != label},
        protocol=protocol.with_fields(evaluations=1, evaluation_episodes=20, final_episodes=20),
        seeds=20,
        reference=reference,
    )

"""An experiment is data: an environment, a learner, the controls that stand beside it, and one protocol for all of them."""

import re

import equinox as eqx

from spikeloop.component import Component, require, require_count
from spikeloop.environments import AbstractEnvironment, Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.learners import DQN, AbstractLearner
from spikeloop.training import Protocol


class Reference(Component):
    """What was published, to stand beside what we measure."""

    source: str  # the paper, with its table or figure
    claim: str  # what it says, in one line
    score: float | None = None  # the published number on the axis of our scores, if there is one


class Experiment(Component):
    """A learner and its controls in one environment, under one protocol."""

    environment: AbstractEnvironment = Gymnax("CartPole-v1")  # the world that every learner meets
    learner: AbstractLearner = DQN()  # the learner that the experiment is about
    label: str = "spiking-dqn"  # name of the learner in tables and figures
    controls: dict[str, AbstractLearner] = eqx.field(
        default_factory=dict
    )  # learners beside it, by their names in tables and figures
    protocol: Protocol = Protocol()  # budget and evaluation, the same for all
    seeds: int = 10  # how many seeds
    first_seed: int = 0  # seeds are first_seed, first_seed + 1, ...
    reference: Reference | None = None  # what was published

    def __check_init__(self):
        require_count(self, "seeds")
        require_count(self, "first_seed", least=0)
        require(self, "label", lambda label: label not in self.controls, "different from the names of the controls")
        for name in (self.label, *self.controls):
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
                raise InvalidInput(f"a learner's name is made of a-z, 0-9 and -, got {name!r}")

    @property
    def arms(self) -> dict[str, AbstractLearner]:
        """The learner and its controls by name, the learner first."""
        return {self.label: self.learner, **self.controls}

    def arm(self, name: str | None = None) -> str:
        """The name of an arm; the learner's for None. Raises InvalidInput if there is none of that name."""
        arms = list(self.arms)
        if name not in (None, *arms):
            raise InvalidInput(f"there is no arm {name!r}; there are {', '.join(map(repr, arms))}")
        return name or arms[0]

    @property
    def seed_range(self) -> range:
        """The seeds."""
        return range(self.first_seed, self.first_seed + self.seeds)

"""What a synapse can know of itself: the numbers that its state is made of.

A state is a choice of senses, each scaled to about [-1, 1]. Zheng et al. 2026, section 3.2.2, compares five:

    M1 = last two actions, last two rewards        M2 = M1 and the weight       M3 = M1 and the place
    M4 = M1, the weight and the place              M5 = the weight and the place

What their title promises and their states lack is the dynamics: `FiringRates` and `Credit` are ours.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_count, require_positive
from spikeloop.learners.synapses.place import AbstractTopology, Places, PostLayer


class View(eqx.Module):
    """Everything that changes and that a synapse may look at."""

    actions: Float[Array, " depth"]  # its last actions, the latest first: -1, 0 or 1
    rewards: Float[Array, " depth"]  # the last rewards, the latest first
    weight: Float[Array, ""]
    pre_rate: Float[Array, ""]  # spikes per tick of the neuron it begins at, in the last episodes; 0 for an input
    post_rate: Float[Array, ""]  # of the neuron it ends at; 0 for a readout
    credit: Float[Array, ""]  # its own trials correlated with their reward, in units of chance


class AbstractSense(Component):
    """One kind of knowledge."""

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """What each of its numbers says; as many as it has numbers."""

    @property
    def depth(self) -> int:
        """How many past actions and rewards it looks at."""
        return 0

    def fixed(self, places: Places) -> Float[np.ndarray, "synapses k"]:
        """What it knows of every synapse and never changes (nothing, unless overridden)."""
        return np.zeros((places.count, 0), np.float32)

    @abc.abstractmethod
    def __call__(self, view: View, fixed: Float[Array, " k"]) -> Float[Array, " width"]:
        """Its numbers, for one synapse."""


class PreviousActions(AbstractSense):
    """What the synapse itself did last: a_{t-1}, a_{t-2}, ..."""

    count: int = 2  # how many actions back

    def __check_init__(self):
        require_count(self, "count")

    @property
    def names(self):
        return tuple(f"a[t-{back}]" for back in range(1, self.count + 1))

    @property
    def depth(self):
        return self.count

    def __call__(self, view, fixed):
        return view.actions[: self.count]


class PreviousRewards(AbstractSense):
    """The last rewards that all synapses were given: r_{t-1}, r_{t-2}, ..."""

    count: int = 2  # how many rewards back

    def __check_init__(self):
        require_count(self, "count")

    @property
    def names(self):
        return tuple(f"r[t-{back}]" for back in range(1, self.count + 1))

    @property
    def depth(self):
        return self.count

    def __call__(self, view, fixed):
        return view.rewards[: self.count]


class Weight(AbstractSense):
    """Its weight."""

    scale: float = 1.0  # the weight that counts as 1

    def __check_init__(self):
        require_positive(self, "scale")

    @property
    def names(self):
        return ("w",)

    def __call__(self, view, fixed):
        return view.weight[None] / self.scale


class Place(AbstractSense):
    """Where it is in the network: the topology information (i, j)."""

    topology: AbstractTopology = PostLayer()  # how a place is written as numbers

    @property
    def names(self):
        return self.topology.names

    def fixed(self, places):
        return self.topology.checked_code(places)

    def __call__(self, view, fixed):
        return fixed


class FiringRates(AbstractSense):
    """Firing rates of the neurons before and behind it, in spikes per tick."""

    @property
    def names(self):
        return ("pre rate", "post rate")

    def __call__(self, view, fixed):
        return jnp.stack([view.pre_rate, view.post_rate])


class Credit(AbstractSense):
    """How much better things went when it was stronger than when it was weaker, in units of chance."""

    scale: float = 3.0  # standard deviations of chance that count as 1

    def __check_init__(self):
        require_positive(self, "scale")

    @property
    def names(self):
        return ("credit",)

    def __call__(self, view, fixed):
        return view.credit[None] / self.scale


class SynapseState(Component):
    """The state of a synapse: its senses, one after the other."""

    senses: tuple[AbstractSense, ...] = (PreviousActions(), PreviousRewards())  # what a synapse knows

    def __check_init__(self):
        require(self, "senses", lambda senses: len(senses) > 0, "a non-empty tuple of senses")
        require(self, "senses", lambda _: len(set(self.names)) == len(self.names), "senses that differ from each other")

    @property
    def names(self) -> tuple[str, ...]:
        """What each number of the state says."""
        return tuple(name for sense in self.senses for name in sense.names)

    @property
    def width(self) -> int:
        """How many numbers a state has."""
        return len(self.names)

    @property
    def depth(self) -> int:
        """How many past actions and rewards a synapse must remember."""
        return max(sense.depth for sense in self.senses)

    def fixed(self, places: Places) -> tuple[Float[np.ndarray, "synapses _"], ...]:
        """What never changes, of every synapse, by sense. Raises InvalidInput for a topology code that is not unique."""
        return tuple(sense.fixed(places) for sense in self.senses)

    def __call__(self, view: View, fixed: tuple[Float[Array, " _"], ...]) -> Float[Array, " width"]:
        """The state of one synapse."""
        return jnp.concatenate([sense(view, known) for sense, known in zip(self.senses, fixed, strict=True)])

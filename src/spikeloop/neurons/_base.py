"""The contract of a neuron: one tick of a population of equal neurons."""

import abc
from typing import Any, ClassVar

import equinox as eqx
from jaxtyping import Array, Float

from spikeloop.component import Component


class Membrane(eqx.Module):
    """State of the neurons whose only memory is the membrane potential."""

    v: Float[Array, " n"]


class AbstractNeuron(Component):
    """A population of equal neurons: current in, spikes out, one tick at a time."""

    stochastic: ClassVar[bool] = False  # whether `step` draws random numbers; only then does it get a key

    @abc.abstractmethod
    def init(self, size: int) -> Any:
        """The state of `size` neurons at rest."""

    @abc.abstractmethod
    def step(self, state: Any, current: Float[Array, " n"], key: Any) -> tuple[Any, Float[Array, " n"]]:
        """One tick: the new state and the spikes, 0.0 or 1.0. ``key`` is None unless the neuron is stochastic."""

"""The contract of a decoder: it listens to the last population tick by tick, and is read at the end of a decision."""

import abc
from typing import Any, ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component


class AbstractDecoder(Component):
    """Spikes in, one number per output out. A decoder starts afresh at every decision."""

    every_tick: ClassVar[bool] = True  # whether its weights are on the spikes of each tick; else on rates

    def population(self, out_size: int) -> int | None:
        """Size of the output population that it needs at the end of the network; None reads the last hidden one."""
        return None

    @abc.abstractmethod
    def init(self, in_size: int, out_size: int, key: PRNGKeyArray) -> Any:
        """The trainable parameters, for a last population of `in_size` neurons."""

    @abc.abstractmethod
    def init_state(self, params: Any, in_size: int) -> Any:
        """The state before the first tick."""

    @abc.abstractmethod
    def step(self, params: Any, state: Any, spikes: Float[Array, " n"]) -> Any:
        """One tick: take in the spikes of the last population."""

    @abc.abstractmethod
    def read(self, params: Any, state: Any, ticks: int) -> Float[Array, " out"]:
        """The output after so many ticks."""

    def synapses(self, params: Any) -> Float[Array, "n _"] | None:
        """The weights on what it hears: a row for each neuron, an entry for each of its synapses; None, unless overridden."""
        return None

    def potential(self, params: Any, state: Any) -> Float[Array, " out"] | None:
        """The potentials of the readout's own neurons after this tick; None, unless overridden: it has none."""
        return None

"""The contract of a neuron: one tick of a population of equal neurons."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

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

    def expected(self, state: Any) -> Float[Array, " n"] | None:
        """With what probability each neuron fired in the last tick; None, unless overridden: it left nothing to chance."""
        return None

    def potential(self, state: Any) -> Float[Array, " n"] | None:
        """The membrane potential of every neuron, in the neuron's own units; None where it has none to show."""
        return state.v if isinstance(state, Membrane) else None

    def init_params(self, size: int, key: PRNGKeyArray) -> Any:
        """The parameters of `size` neurons themselves, beside the weights of the network; None unless overridden."""
        return None

    def bind(self, params: Any) -> "AbstractNeuron":
        """The same neuron with these parameters in the place of its fields; itself unless overridden."""
        return self


class AbstractIntegrator(AbstractNeuron):
    """A neuron that never fires: what is read is its potential, which is linear in its input."""

    def init(self, size: int) -> Membrane:
        """The state of `size` neurons at rest."""
        return Membrane(v=jnp.zeros(size))

"""The contract of a policy: an observation becomes a decision. Unbatched; a batch is ``jax.vmap``."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component


class Decision(eqx.Module):
    """One decision: the output (Q-values, or an action's coordinates), and how often each neuron of each population fired."""

    output: Float[Array, " out"]
    spikes: tuple[Float[Array, " _"], ...]
    record: Any = None  # what a learner needs to go over it again, of policies that draw random numbers


class Trace(eqx.Module):
    """What happened tick by tick in one decision: the spikes of each population, and the decoder's reading so far."""

    spikes: tuple[Float[Array, "*ticks _"], ...]  # ticks is the leading axis, absent within one tick
    evidence: Float[Array, "*ticks out"]
    membranes: tuple[Float[Array, "*ticks _"] | None, ...] = ()  # potential of each population, where it was asked for


class TracedDecision(eqx.Module):
    """A decision with its trace."""

    decision: Decision
    trace: Trace


class WatchedDecision(eqx.Module):
    """A decision with the spikes of every tick, and what a local rule may know of them."""

    decision: Decision
    spikes: tuple[Float[Array, "ticks _"], ...]  # of each population
    expected: tuple[Float[Array, "ticks _"] | None, ...]  # probability of each of them; None where chance had no part


class Traffic(eqx.Module):
    """What one decision sent over one set of synapses; biases are no synapses."""

    weights: Float[Array, "pre _"]  # a row for each sender, an entry for each of its synapses; 0 where there is none
    inputs: Float[Array, "calls pre"]  # what was sent, each time that the weights were used: at every tick, or once
    name: str = eqx.field(static=True)  # from where to where
    constant: bool = eqx.field(static=True, default=False)  # whether the same was sent every time


class Activity(eqx.Module):
    """A decision with all that happened in the network, for those who count what it costs."""

    decision: Decision
    traffic: tuple[Traffic, ...] = ()
    outputs: tuple[Float[Array, "_calls _"], ...] = ()  # of each layer of units or neurons that has a nonlinearity
    potentials: tuple[Float[Array, "_ticks _"], ...] = ()  # of each layer that has membranes, after every tick


class AbstractPolicy(Component):
    """Observation in, decision out: unbatched; a batch is ``jax.vmap``."""

    @property
    @abc.abstractmethod
    def stochastic(self) -> bool:
        """Whether a decision draws random numbers; only then does it need a key."""

    @property
    @abc.abstractmethod
    def carries_state(self) -> bool:
        """Whether a decision depends on the decisions before it. Learners that replay single transitions refuse it."""

    @property
    @abc.abstractmethod
    def ticks_per_decision(self) -> int:
        """Ticks of one decision; 1 for a policy without time."""

    @abc.abstractmethod
    def populations(self, out_size: int) -> tuple[int, ...]:
        """Number of spiking neurons of each population, in the order of `Decision.spikes`."""

    @abc.abstractmethod
    def init(self, obs_size: int, out_size: int, key: PRNGKeyArray) -> Any:
        """The trainable parameters."""

    @abc.abstractmethod
    def init_state(self, params: Any) -> Any:
        """The state at rest, as an episode begins with."""

    @abc.abstractmethod
    def __call__(self, params: Any, state: Any, obs: Float[Array, "..."], key: Any) -> tuple[Any, Decision]:
        """One decision on one observation. ``key`` may be None unless the policy is stochastic."""

    @abc.abstractmethod
    def trace(self, params: Any, state: Any, obs: Float[Array, "..."], key: Any) -> tuple[Any, TracedDecision]:
        """The same decision, with every tick kept."""

    def probe(self, params: Any, state: Any, obs: Float[Array, "..."], key: Any) -> tuple[Any, TracedDecision]:
        """`trace` with the membrane potentials of every tick, of the policies that have them; it may be slower."""
        return self.trace(params, state, obs, key)

    def memory(self, params: Any) -> Any:
        """All that lives from tick to tick, as arrays at rest: the state, unless overridden."""
        return self.init_state(params)

    def activity(self, params: Any, state: Any, obs: Float[Array, "..."], key: Any) -> tuple[Any, Activity]:
        """The same decision, with what went over its synapses; unless overridden, a policy that has none."""
        state, decision = self(params, state, obs, key)
        return state, Activity(decision)

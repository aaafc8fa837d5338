"""The contract of a network: populations of neurons wired together, one tick at a time."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component


class Connection(eqx.Module):
    """The weights of all synapses from one population of neurons onto another."""

    weights: Float[Array, "pre post"]
    pre: int = eqx.field(static=True)  # place of the population that sends, from 0
    post: int = eqx.field(static=True)  # place of the one that receives


class Pathway(eqx.Module):
    """The synapses onto one population of neurons from another, or from the inputs; a weight of 0 is no synapse."""

    weights: Float[Array, "pre post"]
    pre: int | None = eqx.field(static=True)  # place of the population that sends, from 0; None: the inputs
    post: int = eqx.field(static=True)  # place of the one that receives
    kind: str = eqx.field(static=True, default="")  # of the synapses, where several kinds lead from one to the other
    inhibits: bool = eqx.field(static=True, default=False)  # whether a weight takes from the potential what it is worth

    @property
    def name(self) -> str:
        """From where to where."""
        pre = "inputs" if self.pre is None else f"population {self.pre}"
        return f"{pre} to population {self.post}{self.kind and f' ({self.kind})'}"


class AbstractNetwork(Component):
    """A wiring of neurons. Its last population is the one that a decoder reads.

    The first connection is a step of its own (`drive`), so that a policy whose input is the same at every tick
    computes it once a decision and not once a tick.
    """

    in_blocks: ClassVar[bool] = False  # whether `run`, many ticks at once, is how a policy should run it

    @property
    @abc.abstractmethod
    def stochastic(self) -> bool:
        """Whether `step` draws random numbers; only then does it get a key."""

    @abc.abstractmethod
    def sizes(self, output_population: int | None) -> tuple[int, ...]:
        """Number of neurons of each population; a decoder may ask for one more of a given size at the end."""

    @abc.abstractmethod
    def init(self, in_size: int, output_population: int | None, key: PRNGKeyArray) -> Any:
        """The trainable parameters."""

    @abc.abstractmethod
    def init_state(self, params: Any) -> Any:
        """The state of every neuron at rest."""

    @abc.abstractmethod
    def silence(self, params: Any) -> tuple[Float[Array, " _"], ...]:
        """The spikes of every population when none fires: zeros."""

    @abc.abstractmethod
    def drive(self, params: Any, inputs: Float[Array, " inputs"]) -> Float[Array, " first"]:
        """The current that an input drives into the first population."""

    @abc.abstractmethod
    def step(
        self, params: Any, state: Any, current: Float[Array, " first"], key: Any
    ) -> tuple[Any, tuple[Float[Array, " _"], ...]]:
        """One tick, from the current into the first population: the new state and the spikes of every population."""

    def run(
        self, params: Any, state: Any, currents: Float[Array, "ticks first"]
    ) -> tuple[Any, tuple[Float[Array, "ticks _"], ...]]:
        """Many ticks of a network without chance, as `step` after `step`: the new state and all spikes."""
        return jax.lax.scan(lambda state, current: self.step(params, state, current, None), state, currents)

    def expected(self, params: Any, state: Any) -> tuple[Float[Array, " _"] | None, ...]:
        """With what probability each neuron of every population fired in the last tick; None where chance had no part."""
        return (None,) * len(self.silence(params))

    def potentials(self, params: Any, state: Any) -> tuple[Float[Array, " _"] | None, ...]:
        """The membrane potentials of every population as the last tick left them; None where there are none."""
        return (None,) * len(self.silence(params))

    def pathways(self, params: Any, state: Any) -> tuple[Pathway, ...]:
        """All its synapses, those from the inputs and those that nothing changes as well, as they are in this state.

        What inputs drive one to one is no synapse.
        """
        first = self.input_weights(params)
        others = tuple(Pathway(one.weights, one.pre, one.post) for one in self.connections(params))
        return others if first is None else (Pathway(first, None, 0), *others)

    def input_weights(self, params: Any) -> Float[Array, "inputs first"] | None:
        """The weights from the inputs onto the first population; None where inputs drive it directly."""
        return None

    def with_input_weights(self, params: Any, weights: Float[Array, "inputs first"]) -> Any:
        """The same parameters with other weights from the inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no weights from the inputs")

    @abc.abstractmethod
    def connections(self, params: Any) -> tuple[Connection, ...]:
        """The connections between its populations, which a local rule can change; that from the inputs is none of them."""

    @abc.abstractmethod
    def with_weights(self, params: Any, weights: tuple[Float[Array, "_ _"], ...]) -> Any:
        """The same parameters with these weights of the connections, one matrix each."""

    def synapses(self, params: Any) -> tuple[Connection, ...]:
        """All connections between its populations, those that nothing changes too, for who looks at them."""
        return self.connections(params)

    def muted(self, params: Any, alive: tuple[Float[Array, " _"], ...]) -> Any:
        """The same parameters where what some neurons send reaches no other; `alive` is 0 for those, and 1 for the rest.

        To be overridden where `connections` are not all that carries spikes.
        """
        connections = self.connections(params)
        return self.with_weights(params, tuple(one.weights * alive[one.pre][:, None] for one in connections))

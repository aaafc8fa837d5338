"""The contract of a local rule: the synapses between two populations, one tick of their spikes at a time."""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from spikeloop.component import Component


class PairTraces(eqx.Module):
    """What the synapses of two populations remember of the spikes: a trace for every neuron."""

    pre: Float[Array, " pre"]
    post: Float[Array, " post"]


class AbstractPlasticity(Component):
    """How the synapses between two populations change with the spikes at their two ends, tick by tick."""

    @abc.abstractmethod
    def init(self, weights: Float[Array, "pre post"]) -> Any:
        """The traces before the first spike."""

    @abc.abstractmethod
    def step(
        self,
        traces: Any,
        weights: Float[Array, "pre post"],
        pre: Float[Array, " pre"],
        post: Float[Array, " post"],
        modulator: Float[Array, "..."],
    ) -> tuple[Any, Float[Array, "pre post"]]:
        """One tick: the new traces and the change of the weights, given the spikes (0 or 1) of both populations.

        The modulator is the third factor, for example a reward: one number, or one for every postsynaptic neuron [post], or
        one for every synapse [pre, post]. A rule of two factors has no use for it.
        """

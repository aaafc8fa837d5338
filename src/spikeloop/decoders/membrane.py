"""Membrane readouts: the last population drives one non-firing leaky integrator per output, whose potential is the
output.

    v_t = v_{t-1} + (o_t W + b - v_{t-1}) / tau

What is read: the potential after the last tick (SpikingJelly's DQSN, Zheng et al. 2026), its maximum, its value of
largest magnitude, or its mean over the ticks (Chen et al., arXiv:2201.09754, who found the maximum best on Atari). With
`Integrator` there is no leak, v_t = v_{t-1} + o_t W + b, as in Akl et al. 2023 for continuous actions (who have no b).

Last and mean are linear in the spikes, so the integrator is applied to the spikes and the weights only once, at the
end: one matrix product a decision in the place of one a tick, with the same result.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.decoders._base import AbstractDecoder
from spikeloop.networks import Linear
from spikeloop.neurons import AbstractIntegrator, LeakyIntegrator, Membrane


class FilteredSpikes(eqx.Module):
    """Spikes after the readout's leak, and the same leak applied to the constant 1 that carries the bias."""

    spikes: Membrane
    unit: Membrane
    spike_sum: Float[Array, " n"]
    unit_sum: Float[Array, " one"]


class ExtremePotential(eqx.Module):
    """The readout's potential, and the most extreme one so far."""

    membrane: Membrane
    extreme: Float[Array, " out"]


class AbstractMembrane(AbstractDecoder):
    """What the membrane readouts share: a full connection to neurons that never fire."""

    neuron: AbstractIntegrator = LeakyIntegrator()  # the readout neuron

    def init(self, in_size, out_size, key):
        return Linear.init(in_size, out_size, key)

    def synapses(self, params):
        return params.weight


class AbstractLinearMembrane(AbstractMembrane):
    """A readout that is linear in the spikes: leak first, weights last."""

    def init_state(self, params, in_size):
        return FilteredSpikes(
            spikes=self.neuron.init(in_size),
            unit=self.neuron.init(1),
            spike_sum=jnp.zeros(in_size),
            unit_sum=jnp.zeros(1),
        )

    def step(self, params, state, spikes):
        filtered, _ = self.neuron.step(state.spikes, spikes, None)
        unit, _ = self.neuron.step(state.unit, jnp.ones(1), None)
        return FilteredSpikes(filtered, unit, state.spike_sum + filtered.v, state.unit_sum + unit.v)

    def potential(self, params, state):
        return state.spikes.v @ params.weight + state.unit.v * params.bias


class LastMembrane(AbstractLinearMembrane):
    """Potential of the readout after the last tick (DQSN; without a leak Akl et al. 2023)."""

    def read(self, params, state, ticks):
        return self.potential(params, state)


class MeanMembrane(AbstractLinearMembrane):
    """Mean potential of the readout over the ticks."""

    def read(self, params, state, ticks):
        return (state.spike_sum @ params.weight + state.unit_sum * params.bias) / ticks


class AbstractExtremeMembrane(AbstractMembrane):
    """A readout that keeps the most extreme potential of each output; its gradient runs through that tick alone."""

    @abc.abstractmethod
    def _lowest(self) -> float:
        """Less extreme than any potential."""

    @abc.abstractmethod
    def _choose(self, old: Float[Array, " out"], new: Float[Array, " out"]) -> Float[Array, " out"]:
        """The more extreme of two, entry by entry."""

    def init_state(self, params, in_size):
        out_size = params.bias.shape[0]
        return ExtremePotential(self.neuron.init(out_size), jnp.full(out_size, self._lowest()))

    def step(self, params, state, spikes):
        membrane, _ = self.neuron.step(state.membrane, params(spikes), None)
        return ExtremePotential(membrane, self._choose(state.extreme, membrane.v))

    def read(self, params, state, ticks):
        return state.extreme

    def potential(self, params, state):
        return state.membrane.v


class MaxMembrane(AbstractExtremeMembrane):
    """Largest potential of the readout over the ticks (Chen et al.)."""

    def _lowest(self):
        return -jnp.inf

    def _choose(self, old, new):
        return jnp.maximum(old, new)


class MaxAbsMembrane(AbstractExtremeMembrane):
    """Potential of largest magnitude of the readout over the ticks, with its sign (Chen et al.)."""

    def _lowest(self):
        return 0.0

    def _choose(self, old, new):
        return jnp.where(jnp.abs(new) > jnp.abs(old), new, old)

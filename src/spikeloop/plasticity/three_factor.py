r"""Three-factor plasticity: spikes tag a synapse, and a modulator, which may come later, turns the tag into a change.

    e <- eligibility(e, pairings of the spikes)                      at every tick, whatever the reward
    w <- w + bounds(rate m e)                                        when the modulator m arrives

With a reward for m this is reward-modulated STDP (Izhikevich 2007, Florian 2007); with a reward-prediction error it is an
actor (Fremaux, Sprekeler & Gerstner 2013; Fremaux & Gerstner 2016 for the family). m is one number, or one for every
postsynaptic neuron (rewards that are aimed at motor groups), or one for every synapse.

    rule                              pairs                   eligibility                  bounds
    STDP-RL (Hasegan et al. 2022)     NearestTags(1, 1, W)    SquarePulse(L)               HardBounds(0, w_max)
    R-STDP (Bing et al. 2019)         SpikePairs()            WindowSum()                  LogisticBounds(0, 1)
    TD-LTP (Fremaux et al. 2013)      HebbianPairs(tau_m)     ExponentialEligibility(tau)  HardBounds(w_min, w_max)
    R-max (Fremaux et al. 2010)       CentredPairs(tau_m)     ExponentialEligibility(tau)  NoBounds()
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_finite, require_positive
from spikeloop.errors import InvalidInput
from spikeloop.plasticity._base import AbstractPlasticity, PairTraces
from spikeloop.plasticity.bounds import AbstractWeightBounds, HardBounds
from spikeloop.plasticity.eligibility import AbstractEligibility, ExponentialEligibility
from spikeloop.plasticity.pairings import AbstractPairings, SpikePairs
from spikeloop.plasticity.seen import Seen


class AbstractModulatedPlasticity(AbstractPlasticity):
    """A rule that sees spikes first and learns from a modulator later. `step` does both within one tick."""

    @property
    @abc.abstractmethod
    def needs_expectation(self) -> bool:
        """Whether `see` must be told how probable the postsynaptic spikes were."""

    @abc.abstractmethod
    def see(self, traces: Any, weights: Float[Array, "pre post"], seen: Seen) -> Any:
        """Some ticks pass: the new traces. No weight changes."""

    @abc.abstractmethod
    def change(
        self,
        traces: Any,
        weights: Float[Array, "pre post"],
        modulator: Float[Array, "..."],
        reward: Float[Array, ""] | None = None,
    ) -> tuple[Any, Float[Array, "pre post"]]:
        """The modulator arrives, a number or an array [post] or [pre, post]: the new traces and the change of the weights.

        `reward` is what it was before it was aimed at anyone; None: the modulator itself.
        """

    def forget(self, traces: Any, weights: Float[Array, "pre post"]) -> Any:
        """An episode ended: the traces that the next one begins with, none unless overridden."""
        return self.init(weights)

    def step(self, traces, weights, pre, post, modulator):
        """One tick, with a modulator at its end."""
        if self.needs_expectation:
            raise InvalidInput(f"{type(self).__name__} needs the probability of spikes, which is not known here")
        return self.change(self.see(traces, weights, Seen(pre[None], post[None])), weights, modulator)


class SynapticMemory(eqx.Module):
    """What the neurons at both ends remember of their spikes, and every synapse of their pairings."""

    pairs: PairTraces
    eligibility: Any


class ThreeFactor(AbstractModulatedPlasticity):
    """Pairings of spikes leave an eligibility, which a modulator turns into a change: reward-modulated STDP and its kin."""

    rate: float = 0.01  # change per unit of modulator and eligibility, in the units of the weights
    pairs: AbstractPairings = SpikePairs()  # which spikes belong together
    eligibility: AbstractEligibility = ExponentialEligibility()  # how long that is remembered
    bounds: AbstractWeightBounds = HardBounds()  # of the weights
    resolution: float = 1.0  # length of a tick, ms

    def __check_init__(self):
        require_finite(self, "rate")
        require_positive(self, "resolution")

    @property
    def needs_expectation(self):
        return self.pairs.needs_expectation

    def init(self, weights):
        return SynapticMemory(self.pairs.init(weights), self.eligibility.init(weights))

    def see(self, traces, weights, seen):
        def tick(pairs, now):
            return self.pairs.step(pairs, now, self.resolution)

        pairs, pairings = jax.lax.scan(tick, traces.pairs, seen, unroll=min(8, seen.post.shape[0]))
        return SynapticMemory(pairs, self.eligibility.see(traces.eligibility, pairings, self.resolution))

    def change(self, traces, weights, modulator, reward=None):
        wanted = self.rate * jnp.broadcast_to(modulator, weights.shape) * self.eligibility.read(traces.eligibility)
        memory = SynapticMemory(traces.pairs, self.eligibility.rewarded(traces.eligibility))
        return memory, self.bounds(weights, wanted)

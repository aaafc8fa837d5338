"""Which spikes of two neurons belong together: what tags a synapse, before any reward is known.

In every tick a synapse is given something to remember, a sum of products of what its two ends know,

    potentiation   plus_ij  = at_post_i post_j         depression   minus_ij = pre_i at_pre_j

    SpikePairs      at_post = a_plus x,   at_pre = a_minus y       x, y: traces of earlier spikes (exp(-h/tau) a tick)
    NearestTags     at_post = a_plus [ignored < t - t_pre <= window],   at_pre = a_minus [ignored < t - t_post <= window]
    HebbianPairs    at_post = x with the spikes of this tick,   no depression
    CentredPairs    the same with post - P(post) in the place of post

`SpikePairs` is the window of STDP. `NearestTags` is the tagging of Hasegan et al. 2022 (STDP-RL, as their code has it): only
the latest earlier spike of the other neuron counts, and intervals of up to `ignored` do not. `HebbianPairs` is the TD-LTP of
Fremaux, Sprekeler & Gerstner 2013 (doi:10.1371/journal.pcbi.1003024). `CentredPairs` is, for
`EscapeNoise` and `SoftWinnerTakeAll`, the derivative of the log-probability of the spikes with respect to the weight, times
their temperature: what policy gradients ask of a synapse (R-max in Fremaux, Sprekeler & Gerstner 2010; Xie & Seung 2004; Pfister
et al. 2006). All of it is known at the synapse: a spike that came, and how probable the neuron it came to was to fire.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_finite, require_positive
from spikeloop.plasticity._base import PairTraces
from spikeloop.plasticity.seen import Seen
from spikeloop.plasticity.traces import AbstractTrace, AllToAll


class Pairings(eqx.Module):
    """One tick of a connection: potentiation at_post x post, depression pre x at_pre, which may be None."""

    at_post: Float[Array, "*ticks pre"]
    post: Float[Array, "*ticks post"]
    pre: Float[Array, "*ticks pre"] | None = None
    at_pre: Float[Array, "*ticks post"] | None = None


class AbstractPairings(Component):
    """What a synapse is to remember of the spikes at its ends."""

    @property
    def needs_expectation(self) -> bool:
        """Whether it must know how probable the postsynaptic spikes were."""
        return False

    @abc.abstractmethod
    def init(self, weights: Float[Array, "pre post"]) -> PairTraces:
        """What the neurons remember before the first spike."""

    @abc.abstractmethod
    def step(self, traces: PairTraces, seen: Seen, resolution: float) -> tuple[PairTraces, Pairings]:
        """One tick (`seen` without its axis of ticks) of `resolution` ms."""


class SpikePairs(AbstractPairings):
    """STDP's window: potentiation by earlier presynaptic spikes at a postsynaptic one, depression by the other order."""

    a_plus: float = 1.0  # potentiation by a pair without delay
    a_minus: float = 1.0  # depression by a pair without delay
    tau_pre: float = 20.0  # time constant of the presynaptic traces, ms
    tau_post: float = 20.0  # time constant of the postsynaptic traces, ms
    trace: AbstractTrace = AllToAll()  # which pairs of spikes count

    def __check_init__(self):
        require_finite(self, "a_plus", "a_minus")
        require_positive(self, "tau_pre", "tau_post")

    def init(self, weights):
        return PairTraces(jnp.zeros_like(weights[:, 0]), jnp.zeros_like(weights[0]))

    def step(self, traces, seen, resolution):
        x = traces.pre * jnp.exp(-resolution / self.tau_pre)
        y = self.trace(traces.post * jnp.exp(-resolution / self.tau_post), seen.post)
        pairings = Pairings(self.a_plus * x, seen.post, seen.pre, self.a_minus * y)
        return PairTraces(self.trace(x, seen.pre), y), pairings


class NearestTags(AbstractPairings):
    """Tags by the nearest earlier spike of the other neuron, if it is recent enough (Hasegan et al. 2022)."""

    a_plus: float = 1.0  # of a tag by a presynaptic spike before a postsynaptic one
    a_minus: float = 1.0  # of a tag by the other order
    window: float = 5.0  # longest interval that tags, ms
    ignored: float = 1.0  # intervals of up to this tag nothing, ms

    def __check_init__(self):
        require_finite(self, "a_plus", "a_minus")
        require_positive(self, "window")
        require(self, "ignored", lambda ms: 0.0 <= ms < self.window, f"at least 0 and below window, {self.window:g}")

    def init(self, weights):
        return PairTraces(jnp.full_like(weights[:, 0], jnp.inf), jnp.full_like(weights[0], jnp.inf))

    def step(self, traces, seen, resolution):
        since_pre, since_post = traces.pre + resolution, traces.post + resolution
        recent_pre, recent_post = self._recent(since_pre, resolution), self._recent(since_post, resolution)
        pairings = Pairings(self.a_plus * recent_pre, seen.post, seen.pre, self.a_minus * recent_post)
        after = PairTraces(jnp.where(seen.pre > 0, 0.0, since_pre), jnp.where(seen.post > 0, 0.0, since_post))
        return after, pairings

    def _recent(self, since, resolution):
        half = 0.5 * resolution  # intervals are sums of ticks, which rounding must not push over an edge
        inside = (since > self.ignored + 1e-3 * half) & (since <= self.window + 1e-3 * half)
        return inside.astype(since.dtype)


class AbstractHebbian(AbstractPairings):
    """What the forms share that only know potentiation: the presynaptic trace, the spikes of the tick included."""

    tau_pre: float = 0.0  # time constant of the presynaptic traces, ms; 0: only the spikes of the tick itself

    def __check_init__(self):
        require(self, "tau_pre", lambda tau: 0.0 <= tau < float("inf"), "a finite number of at least 0")

    def init(self, weights):
        return PairTraces(jnp.zeros_like(weights[:, 0]), jnp.zeros_like(weights[0, :0]))

    def step(self, traces, seen, resolution):
        decay = jnp.where(self.tau_pre > 0, jnp.exp(-resolution / jnp.maximum(self.tau_pre, 1e-9)), 0.0)
        x = traces.pre * decay + seen.pre
        return PairTraces(x, traces.post), Pairings(x, self._post(seen))

    @abc.abstractmethod
    def _post(self, seen: Seen) -> Float[Array, " post"]:
        """What the postsynaptic neuron contributes."""


class HebbianPairs(AbstractHebbian):
    """Every postsynaptic spike tags the synapses of recently active inputs (TD-LTP, Fremaux et al. 2013)."""

    def _post(self, seen):
        return seen.post


class CentredPairs(AbstractHebbian):
    """The same with postsynaptic spikes minus their probability: a spike that had to come tags nothing (R-max)."""

    @property
    def needs_expectation(self):
        return True

    def _post(self, seen):
        assert seen.expected is not None  # who needs an expectation is given one
        return seen.post - seen.expected

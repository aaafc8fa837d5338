"""Spike-timing-dependent plasticity of pairs, with weight-dependent bounds (Guetig et al. 2003).

With u = (w - w_min)/(w_max - w_min), and traces x and y of the pre- and postsynaptic spikes,

    potentiation    u <- u + lambda (1 - u)^mu_plus x          depression    u <- u - alpha lambda u^mu_minus y

mu = 0 gives additive steps with hard bounds, mu = 1 steps proportional to the distance from the bound (soft bounds). The
usual sign is alpha > 0; alpha = -1 turns depression into a second potentiation, a symmetric window. In the sources u is
w/w_max, which w_min = 0 gives; a w_min below zero lets a weight change its sign.

`STDP` applies them at spikes, as the NESTML model ``stdp_synapse`` does: potentiation at a postsynaptic spike, depression at
a presynaptic one. Traces decay first; if both neurons fire in one tick, the postsynaptic spike comes first, so depression
meets a y that has just jumped and potentiation an x that has not. A step ends at the bound that it meets; a weight that
begins outside the bounds is never moved further out.

`FusedSTDP` is the formula printed by Labady 2023 (eqs 8-12), taken literally: at every tick,

    w <- min(max(w_min, w_dep), w_pot)

It is not sensitive to the order of spikes, and with mu = 1 its weights move one way only: for alpha > 0 they never rise,
for alpha < 0 they never fall.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require, require_finite, require_positive
from spikeloop.plasticity._base import AbstractPlasticity, PairTraces
from spikeloop.plasticity.traces import AbstractTrace, AllToAll


class AbstractSTDP(AbstractPlasticity):
    """What the forms of STDP share: the two steps and the traces they see."""

    rate: float = 0.01  # step per unit of trace, as a share of the way between the bounds (lambda); 0 changes nothing
    alpha: float = 1.0  # depression relative to potentiation; below zero it potentiates as well
    mu_plus: float = 1.0  # how potentiation fades towards w_max: 0 not at all, 1 in proportion
    mu_minus: float = 1.0  # how depression fades towards w_min
    tau_pre: float = 20.0  # time constant of the presynaptic traces, ms
    tau_post: float = 20.0  # time constant of the postsynaptic traces, ms
    w_min: float = 0.0  # lowest weight, in the units of the weights
    w_max: float = 1000.0  # highest weight
    resolution: float = 1.0  # length of a tick, ms
    trace: AbstractTrace = AllToAll()  # which pairs of spikes count

    def __check_init__(self):
        require_positive(self, "tau_pre", "tau_post", "resolution")
        require_finite(self, "alpha", "w_min", "w_max")
        for field in ("rate", "mu_plus", "mu_minus"):
            require(self, field, lambda value: math.isfinite(value) and value >= 0, "a finite number of at least 0")
        require(self, "w_min", lambda w: w < self.w_max, f"below w_max, {self.w_max:g}")

    def init(self, weights):
        return PairTraces(jnp.zeros_like(weights[:, 0]), jnp.zeros_like(weights[0]))

    def _decayed(self, traces: PairTraces) -> PairTraces:
        pre = traces.pre * jnp.exp(-self.resolution / self.tau_pre)
        return PairTraces(pre, traces.post * jnp.exp(-self.resolution / self.tau_post))

    def _potentiated(self, weights: Float[Array, "pre post"], pre: Float[Array, " pre"]) -> Float[Array, "pre post"]:
        span = self.w_max - self.w_min
        room = _fading((self.w_max - weights) / span, self.mu_plus)
        return weights + span * self.rate * room * pre[:, None]

    def _depressed(self, weights: Float[Array, "pre post"], post: Float[Array, " post"]) -> Float[Array, "pre post"]:
        span = self.w_max - self.w_min
        height = _fading((weights - self.w_min) / span, self.mu_minus)
        return weights - span * self.alpha * self.rate * height * post[None, :]


class STDP(AbstractSTDP):
    """STDP at spikes: potentiation when the postsynaptic neuron fires, depression when the presynaptic one does."""

    def step(self, traces, weights, pre, post, modulator):
        traces = self._decayed(traces)
        y = self.trace(traces.post, post)
        raised = self._bounded(weights, self._potentiated(weights, traces.pre))
        after = jnp.where(post[None, :] > 0, raised, weights)
        lowered = self._bounded(after, self._depressed(after, y))
        after = jnp.where(pre[:, None] > 0, lowered, after)
        return PairTraces(self.trace(traces.pre, pre), y), after - weights

    def _bounded(self, before, after):
        return jnp.clip(after, jnp.minimum(before, self.w_min), jnp.maximum(before, self.w_max))


class FusedSTDP(AbstractSTDP):
    """Both steps in one formula at every tick, as Labady 2023 prints it: blind to the order of spikes."""

    def step(self, traces, weights, pre, post, modulator):
        traces = self._decayed(traces)
        traces = PairTraces(self.trace(traces.pre, pre), self.trace(traces.post, post))
        lowered = jnp.maximum(self._depressed(weights, traces.post), self.w_min)
        return traces, jnp.minimum(lowered, self._potentiated(weights, traces.pre)) - weights


def _fading(distance, mu):
    # Below zero as at zero. The power is kept from zero itself, where its derivative would be no finite number.
    return jnp.where(distance > 0, jnp.where(distance > 0, distance, 1.0) ** mu, jnp.zeros_like(distance) ** mu)

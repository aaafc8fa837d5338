r"""Leaky integrate-and-fire neuron with alpha-shaped currents, integrated exactly: NEST's ``iaf_psc_alpha``.

With V the potential above E_L, and for each of two channels a current I and the J that raises it,

    V' = -V/tau_m + (I_ex + I_in + I_e + I_dc) / C_m        I' = J - I/tau_s        J' = -J/tau_s

A spike of weight w adds w e/tau_s to the J of its channel (excitatory for w > 0, inhibitory for w < 0), so that its
current is w (e t/tau_s) exp(-t/tau_s): peak w at t = tau_s, charge w e tau_s. Between spikes the equations are linear,
and a step of h is an exact matrix product (Rotter & Diesmann 1999, doi:10.1007/s004220050570):

    J <- P11 J                                        P11 = exp(-h/tau_s)
    I <- P21 J + P11 I                                P21 = h P11
    V <- P31 J + P32 I + P30 (I_e + I_dc) + P33 V     P33 = exp(-h/tau_m)   P30 = (tau_m/C_m)(1 - P33)
    P32 = (h/C_m) P11 (exp(x) - 1)/x                  x = h/tau_s - h/tau_m
    P31 = (h^2/C_m) P11 (exp(x) - 1 - x)/x^2

The fractions in x have no pole at tau_s = tau_m, the case that the usual form with tau_s tau_m/(tau_m - tau_s) must guard.
The entries are computed on the host in double precision, whatever the precision of the simulation is.

Many steps at once (`run`) are computed current by current: the currents do not feel the potential, so what J and I of the
start and all arriving weights do to the potential in every step is one matrix product; only the potential, with its resets,
goes step by step.

A step goes in this order, which decides when exactly a spike falls: V with the J, I and direct current of before; I and
J; the weights that arrive at the end of the step; the threshold V >= V_th - E_L; last, the direct current is taken in,
to act from the next step on. A neuron that fired stays at V_reset for t_ref while its currents go on.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.component import require, require_finite, require_positive, require_ticks
from spikeloop.neurons._base import AbstractNeuron
from spikeloop.neurons.reset import HardReset
from spikeloop.neurons.surrogate import AbstractSurrogate, NoDerivative


class AlphaInput(eqx.Module):
    """What reaches neurons with alpha-shaped currents at the end of a step; None is nothing."""

    current: Float[Array, "*ticks n"] | None = None  # direct current from the next step on, pA
    excitatory: Float[Array, "*ticks n"] | None = None  # sum of the positive weights of the spikes that arrive, pA
    inhibitory: Float[Array, "*ticks n"] | None = None  # sum of the negative ones, pA


class AlphaCurrent(eqx.Module):
    """State of one channel: the synaptic current and what raises it."""

    current: Float[Array, " n"]  # I, pA
    rise: Float[Array, " n"]  # J, pA/ms


class AlphaState(eqx.Module):
    """State of neurons with alpha-shaped currents. A channel, or a direct current, that nothing ever reaches may be None."""

    v: Float[Array, " n"]  # potential above E_L, mV
    excitatory: AlphaCurrent | None
    inhibitory: AlphaCurrent | None
    current: Float[Array, " n"] | None  # direct current of the next step, pA
    refractory: Float[Array, " n"]  # steps for which the potential is still held


class AlphaPropagator(eqx.Module):
    """The entries of the exact step that belong to one channel, in double precision."""

    decay: float  # P11: J to J, and I to I
    rise_to_current: float  # P21, ms
    rise_to_v: float  # P31, mV ms/pA
    current_to_v: float  # P32, mV/pA

    @classmethod
    def over(cls, h: float, tau_s: float, tau_m: float, c_m: float) -> "AlphaPropagator":
        """A step of h, for the time constants of the channel and the membrane (ms) and the capacitance (pF)."""
        fast, slow = math.exp(-h / tau_s), math.exp(-h / tau_m)
        x = h * (tau_m - tau_s) / (tau_s * tau_m)
        if abs(x) > 0.5:
            f1, f2 = (slow - fast) / x, (slow - (1.0 + x) * fast) / x**2
        else:  # the differences would lose digits; of the series, 14 terms leave 1e-17
            f1 = fast * sum(x**k / math.factorial(k + 1) for k in range(14))
            f2 = fast * sum(x**k / math.factorial(k + 2) for k in range(14))
        return cls(decay=fast, rise_to_current=h * fast, rise_to_v=h * h / c_m * f2, current_to_v=h / c_m * f1)

    def response(self, ticks: int, jump: float) -> np.ndarray:
        """So many steps as one matrix, from J, I and the weight that arrives at the end of every step, each of which adds
        jump times itself to J, to what the channel adds to the potential in every step, and J and I after the last."""
        step = np.array([[self.decay, 0.0], [self.rise_to_current, self.decay]])
        onto_membrane = np.array([self.rise_to_v, self.current_to_v])
        matrix, channel = np.zeros((ticks + 2, ticks + 2)), np.eye(2, ticks + 2)
        for tick in range(ticks):
            matrix[tick] = onto_membrane @ channel
            channel = step @ channel
            channel[0, 2 + tick] += jump
        matrix[ticks:] = channel
        return matrix


class AlphaCurrentLeakyIntegrateAndFire(AbstractNeuron):
    """NEST's `iaf_psc_alpha`: leaky integrate-and-fire, alpha-shaped currents, integrated exactly.

    A tick is `resolution` long. Its input is an `AlphaInput`; an array alone is a direct current in pA. The fields must
    be plain numbers, for the propagators are computed on the host.
    """

    c_m: float = 250.0  # capacitance of the membrane, pF
    tau_m: float = 10.0  # time constant of the membrane, ms
    tau_excitatory: float = 2.0  # time from a spike's arrival to the peak of its current, positive weights, ms
    tau_inhibitory: float = 2.0  # the same for negative weights, ms
    t_ref: float = 2.0  # refractory period, ms: a multiple of the resolution
    e_l: float = -70.0  # resting potential, mV
    v_th: float = -55.0  # threshold, mV
    v_reset: float = -70.0  # potential after a spike, mV
    v_min: float = -math.inf  # lowest potential, mV
    i_e: float = 0.0  # constant current, pA
    resolution: float = 0.1  # length of a tick, ms
    surrogate: AbstractSurrogate = NoDerivative()  # derivative of the spike; distances from the threshold are in mV

    def __check_init__(self):
        require_positive(self, "c_m", "tau_m", "tau_excitatory", "tau_inhibitory", "resolution")
        require_finite(self, "e_l", "v_th", "v_reset", "i_e")
        require(self, "v_reset", lambda v: v < self.v_th, f"below v_th = {self.v_th:g} mV")
        require(self, "v_min", lambda v: v <= self.v_reset, f"at most v_reset = {self.v_reset:g} mV")
        require_ticks(self, self.resolution, "t_ref", least=0)

    def init(self, size):
        zero = jnp.zeros(size)
        channel = AlphaCurrent(zero, zero)
        return AlphaState(zero, channel, channel, zero, zero)

    def step(self, state: AlphaState, current: AlphaInput | Float[Array, " n"], key):
        if not isinstance(current, AlphaInput):
            current = AlphaInput(current)
        after, spikes = self.run(state, jax.tree.map(lambda leaf: leaf[None], current))
        return after, spikes[0]

    def run(self, state: AlphaState, arriving: AlphaInput) -> tuple[AlphaState, Float[Array, "ticks n"]]:
        """Many steps: what arrives has a leading axis of ticks, and so have the spikes."""
        ticks = jax.tree.leaves(arriving)[0].shape[0]
        excitatory, upwards = self._channel(state.excitatory, arriving.excitatory, self.tau_excitatory, ticks)
        inhibitory, downwards = self._channel(state.inhibitory, arriving.inhibitory, self.tau_inhibitory, ticks)

        # P33 - 1: what V loses, taken from V, keeps digits that the product P33 V would round away.
        leak = math.expm1(-self.resolution / self.tau_m)
        direct, current = jnp.full((ticks, 1), self.i_e, state.v.dtype), state.current
        if current is not None:
            last = jnp.zeros_like(current) if arriving.current is None else arriving.current[-1]
            coming = jnp.zeros((ticks, *current.shape), current.dtype) if arriving.current is None else arriving.current
            direct, current = self.i_e + jnp.concatenate([current[None], coming[:-1]]), last
        drive = -leak * self.tau_m / self.c_m * direct + upwards + downwards
        threshold, held = self.v_th - self.e_l, float(self.ticks(self.t_ref))

        def tick(carry, drive):
            v, refractory = carry
            moved = v + (leak * v + drive)
            if math.isfinite(self.v_min):
                moved = jnp.maximum(moved, self.v_min - self.e_l)
            v = jnp.where(refractory > 0, v, moved)
            spikes = self.surrogate(v, threshold)
            v = HardReset(self.v_reset - self.e_l)(v, spikes, threshold)
            return (v, jnp.where(spikes > 0, held, jnp.maximum(refractory - 1.0, 0.0))), spikes

        drive = jnp.broadcast_to(drive, (ticks, *state.v.shape))
        (v, refractory), spikes = jax.lax.scan(tick, (state.v, state.refractory), drive)
        return AlphaState(v, excitatory, inhibitory, current, refractory), spikes

    def _channel(self, channel, weights, tau, ticks):
        """The channel after so many steps, and what it adds to the potential in each of them."""
        if channel is None:
            return None, 0.0
        if weights is None:
            weights = jnp.zeros((ticks, *channel.rise.shape), channel.rise.dtype)
        response = jnp.asarray(self.propagator(tau).response(ticks, math.e / tau), channel.rise.dtype)
        start = jnp.stack([channel.rise, channel.current])
        found = jnp.tensordot(response, jnp.concatenate([start, weights]), 1, precision=jax.lax.Precision.HIGHEST)
        return AlphaCurrent(current=found[-1], rise=found[-2]), found[:ticks]

    def propagator(self, tau: float) -> AlphaPropagator:
        """The exact step of a channel with this time constant (ms)."""
        return AlphaPropagator.over(self.resolution, tau, self.tau_m, self.c_m)

    def ticks(self, duration: float) -> int:
        """How many ticks a duration (ms) takes."""
        return round(duration / self.resolution)

    def potential(self, state: AlphaState) -> Float[Array, " n"]:
        """The membrane potential, mV."""
        return self.e_l + state.v

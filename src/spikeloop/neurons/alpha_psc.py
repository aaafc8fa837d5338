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

A step goes in this order, which decides when exactly a spike falls: V with the J, I and direct current of before; I and
J; the weights that arrive at the end of the step; the threshold V >= V_th - E_L; last, the direct current is taken in,
to act from the next step on. A neuron that fired stays at V_reset for t_ref while its currents go on.
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require, require_finite, require_positive, require_ticks
from spikeloop.neurons._base import AbstractNeuron
from spikeloop.neurons.reset import HardReset
from spikeloop.neurons.surrogate import AbstractSurrogate, NoDerivative


class AlphaInput(eqx.Module):
    """What reaches neurons with alpha-shaped currents at the end of a step."""

    current: Float[Array, " n"]  # direct current from the next step on, pA
    excitatory: Float[Array, " n"]  # sum of the positive weights of the spikes that arrive, pA
    inhibitory: Float[Array, " n"]  # sum of the negative ones, pA


class AlphaCurrent(eqx.Module):
    """State of one channel: the synaptic current and what raises it."""

    current: Float[Array, " n"]  # I, pA
    rise: Float[Array, " n"]  # J, pA/ms


class AlphaState(eqx.Module):
    """State of neurons with alpha-shaped currents."""

    v: Float[Array, " n"]  # potential above E_L, mV
    excitatory: AlphaCurrent
    inhibitory: AlphaCurrent
    current: Float[Array, " n"]  # direct current of the next step, pA
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

    def __call__(self, channel: AlphaCurrent) -> AlphaCurrent:
        """The channel a step later, if nothing arrives."""
        current = self.rise_to_current * channel.rise + self.decay * channel.current
        return AlphaCurrent(current, self.decay * channel.rise)

    def onto_membrane(self, channel: AlphaCurrent) -> Float[Array, " n"]:
        """What the channel adds to the potential in a step, mV."""
        return self.rise_to_v * channel.rise + self.current_to_v * channel.current


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
            current = AlphaInput(current, jnp.zeros_like(current), jnp.zeros_like(current))
        excitatory, inhibitory = self.propagator(self.tau_excitatory), self.propagator(self.tau_inhibitory)

        # P33 - 1: what V loses, taken from V, keeps digits that the product P33 V would round away.
        leak = math.expm1(-self.resolution / self.tau_m)
        driven = -leak * self.tau_m / self.c_m * (state.current + self.i_e)
        synaptic = excitatory.onto_membrane(state.excitatory) + inhibitory.onto_membrane(state.inhibitory)
        v = state.v + (leak * state.v + driven + synaptic)
        v = jnp.where(state.refractory > 0, state.v, jnp.maximum(v, self.v_min - self.e_l))

        threshold = self.v_th - self.e_l
        spikes = self.surrogate(v, threshold)
        held = float(self.ticks(self.t_ref))
        return AlphaState(
            v=HardReset(self.v_reset - self.e_l)(v, spikes, threshold),
            excitatory=_arrive(excitatory(state.excitatory), current.excitatory, self.tau_excitatory),
            inhibitory=_arrive(inhibitory(state.inhibitory), current.inhibitory, self.tau_inhibitory),
            current=current.current,
            refractory=jnp.where(spikes > 0, held, jnp.maximum(state.refractory - 1.0, 0.0)),
        ), spikes

    def propagator(self, tau: float) -> AlphaPropagator:
        """The exact step of a channel with this time constant (ms)."""
        return AlphaPropagator.over(self.resolution, tau, self.tau_m, self.c_m)

    def ticks(self, duration: float) -> int:
        """How many ticks a duration (ms) takes."""
        return round(duration / self.resolution)

    def potential(self, state: AlphaState) -> Float[Array, " n"]:
        """The membrane potential, mV."""
        return self.e_l + state.v


def _arrive(channel, weights, tau):
    return AlphaCurrent(channel.current, channel.rise + math.e / tau * weights)

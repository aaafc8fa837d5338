r"""Neurons that fire with a probability of their potential, and can say what it was.

    v <- v (1 - 1/tau) + I

    EscapeNoise           P(o_i = 1) = 1 / (1 + exp(-(v_i - threshold) / temperature));  v_i <- 0 where o_i
    SoftWinnerTakeAll     P(o_i = 1) = exp(v_i / temperature) / sum_j exp(v_j / temperature), and exactly one neuron fires

The first is the escape noise of Gerstner & Kistler 2002 (section 5.3) in discrete time. The second is a population under strong
lateral inhibition (Nessler, Pfeiffer, Buesing & Maass 2013, doi:10.1371/journal.pcbi.1003037), whose winner does not silence
itself: potentials only leak. tau = 1 forgets a tick's input at once.

Both log-probabilities have the derivative (o_i - P(o_i = 1)) / temperature by the potential, so that spikes minus
what was expected of them is what a synapse needs to know to follow a policy gradient. A spike differentiates as its
probability (straight through); the draw itself has no derivative.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require, require_finite, require_positive
from spikeloop.neurons._base import AbstractNeuron


class NoisyMembrane(eqx.Module):
    """State of neurons that fire by chance: the potential, and with what probability each fired in the last tick."""

    v: Float[Array, " n"]
    probability: Float[Array, " n"]


@jax.custom_jvp
def _drawn(spikes, probability):
    """The spikes, which differentiate as their probability."""
    return spikes


@_drawn.defjvp
def _drawn_jvp(primals, tangents):
    return primals[0], tangents[1]


class AbstractStochasticNeuron(AbstractNeuron):
    """What the neurons share that fire by chance: a leaky potential, and a probability that is kept."""

    stochastic = True

    tau: float = 1.0  # membrane time constant, ticks; 1: a tick's input is forgotten at once
    temperature: float = 1.0  # change of the potential that changes the odds of a spike by e

    def __check_init__(self):
        require(self, "tau", lambda tau: 1.0 <= tau < float("inf"), "a finite number of at least 1 tick")
        require_positive(self, "temperature")

    def init(self, size):
        return NoisyMembrane(v=jnp.zeros(size), probability=jnp.zeros(size))

    def expected(self, state):
        return state.probability

    def potential(self, state):
        return state.v

    def step(self, state, current, key):
        v = state.v * (1.0 - 1.0 / self.tau) + current
        probability, spikes = self._draw(v, key)
        spikes = _drawn(spikes, probability)
        return NoisyMembrane(self._after(v, spikes), probability), spikes

    @abc.abstractmethod
    def _draw(self, v: Float[Array, " n"], key: Array) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """Probabilities and spikes at these potentials."""

    @abc.abstractmethod
    def _after(self, v: Float[Array, " n"], spikes: Float[Array, " n"]) -> Float[Array, " n"]:
        """The potentials after these spikes."""


class EscapeNoise(AbstractStochasticNeuron):
    """Leaky integrate-and-fire with escape noise: each neuron fires by itself, likelier the higher its potential."""

    threshold: float = 1.0  # potential at which every second tick brings a spike, dimensionless

    def __check_init__(self):
        require_finite(self, "threshold")

    def _draw(self, v, key):
        probability = jax.nn.sigmoid((v - self.threshold) / self.temperature)
        return probability, (jax.random.uniform(key, v.shape) < probability).astype(v.dtype)

    def _after(self, v, spikes):
        return v * (1.0 - spikes)


class SoftWinnerTakeAll(AbstractStochasticNeuron):
    """Exactly one neuron of the population fires in a tick, likelier the higher its potential: lateral inhibition."""

    def _draw(self, v, key):
        probability = jax.nn.softmax(v / self.temperature)
        # One uniform number and the running sum of probabilities: one draw a tick, not one a neuron.
        above = jnp.cumsum(probability) > jax.random.uniform(key)
        winner = jnp.where(jnp.any(above), jnp.argmax(above), v.shape[0] - 1)
        return probability, jax.nn.one_hot(winner, v.shape[0], dtype=v.dtype)

    def _after(self, v, spikes):
        return v

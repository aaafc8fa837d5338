"""How a stochastic spike is drawn from its log-odds l, and how the draw is differentiated.

    u ~ U(0, 1),  g = log u - log(1 - u)  (logistic noise);   o = 1[l + g > 0],  so that P(o = 1) = sigmoid(l)

A draw has no derivative. `ThroughProbability` puts that of the probability in its place (the straight-through estimator of
Bengio, Leonard & Courville 2013), `BinaryConcrete` that of a soft draw with the same noise,

    y = sigmoid((l + g) / temperature),   do/dl = y (1 - y) / temperature

the binary concrete or Gumbel-softmax relaxation (Maddison, Mnih & Teh 2017; Jang, Gu & Poole 2017), straight-through. As the
temperature falls to zero y becomes o itself, and its derivative a spike of its own: right on average and wild.
"""

import abc
from typing import Any

import jax
from jaxtyping import Array, Float

from spikeloop.component import Component, require_positive


class AbstractDraw(Component):
    """How spikes are drawn from their log-odds; forward always 0.0 or 1.0."""

    def __call__(self, log_odds: Float[Array, "*shape"], key: Any) -> Float[Array, "*shape"]:
        """Spikes, each with probability sigmoid(log_odds)."""
        noisy = log_odds + jax.random.logistic(key, log_odds.shape, log_odds.dtype)
        soft = self.soft(log_odds, noisy)
        return soft + jax.lax.stop_gradient((noisy > 0.0).astype(soft.dtype) - soft)

    @abc.abstractmethod
    def soft(self, log_odds: Float[Array, "*shape"], noisy: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """What is differentiated in the place of the spikes, from the log-odds and their sum with the noise."""


class ThroughProbability(AbstractDraw):
    """The derivative of the probability: the same whether the neuron fired or not."""

    def soft(self, log_odds, noisy):
        return jax.nn.sigmoid(log_odds)


class BinaryConcrete(AbstractDraw):
    """The derivative of a soft draw with the same noise: a reparameterised spike, straight-through."""

    temperature: float = 1.0  # of the soft draw; lower is closer to the spike, with wilder derivatives

    def __check_init__(self):
        require_positive(self, "temperature")

    def soft(self, log_odds, noisy):
        return jax.nn.sigmoid(noisy / self.temperature)

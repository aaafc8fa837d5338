"""Surrogate derivatives of the spike: forward a step, backward a bump.

The forward pass is always the exact step of the distance x = v - threshold: ``o = 1[x >= 0]``, or ``o = 1[x > 0]`` for the
neurons of papers that fire only above their threshold (`above`). The backward pass puts a
bump h(x) in the place of the step's derivative, which is zero almost everywhere. The four curves of STBP (Wu et al.
2018, eqs 24-27, in the corrected forms that integrate to one) are here under their own names:

    h1  Rectangular(width=a1)        (1/a1) [|x| < a1/2]
    h2  Triangular(steepness=a2)     (sqrt(a2)/2 - (a2/4)|x|) [|x| < 2/sqrt(a2)]
    h3  Sigmoid(slope=1/a3)          (1/a3) e^(-x/a3) / (1 + e^(-x/a3))^2, the derivative of the logistic function
    h4  Gaussian(variance=a4)        e^(-x^2 / 2 a4) / sqrt(2 pi a4)
"""

import abc
import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_positive


@eqx.filter_custom_jvp
def _spike(fired, distance, surrogate):
    return fired.astype(distance.dtype)


@_spike.def_jvp
def _spike_jvp(primals, tangents):
    fired, distance, surrogate = primals
    _, tangent, _ = tangents
    spikes = _spike(fired, distance, surrogate)
    if tangent is None:
        return spikes, jnp.zeros_like(spikes)
    return spikes, surrogate.derivative(distance) * tangent


class AbstractSurrogate(Component):
    """A step whose derivative is replaced by a bump."""

    @abc.abstractmethod
    def derivative(self, distance: Float[Array, "..."]) -> Float[Array, "..."]:
        """The bump h(x) at the distance x = v - threshold, of the same shape."""

    def __call__(self, v: Float[Array, "..."], threshold: float | Float[Array, "..."] = 0.0) -> Float[Array, "..."]:
        """1.0 where v is at least the threshold, else 0.0; differentiates as the bump at the distance between them."""
        # Compared as they are: the next tick waits for the spike, and a subtraction first would be a quarter of its time.
        return _spike(v >= threshold, v - threshold, self)

    def above(self, v: Float[Array, "..."], threshold: float | Float[Array, "..."] = 0.0) -> Float[Array, "..."]:
        """The same for neurons that do not fire at the threshold itself: 1.0 where v is above it, else 0.0."""
        return _spike(v > threshold, v - threshold, self)


class NoDerivative(AbstractSurrogate):
    """No bump: the step's own derivative, zero. For neurons that no gradient is to pass."""

    def derivative(self, distance):
        return jnp.zeros_like(distance)


class Sigmoid(AbstractSurrogate):
    """Derivative of the logistic function: unit area, peak slope/4. SpikingJelly's default for slope 4; STBP's h3."""

    slope: float = 4.0  # larger is narrower

    def __check_init__(self):
        require_positive(self, "slope")

    def derivative(self, distance):
        # slope / (2 cosh(z/2))^2 at z = slope x. For c(y) = 2 cosh(y) - 2 it holds that c(2y) = c(y) (c(y) + 4), and c(z/4) is
        # taken from its Taylor series: off by at most 2e-7 slope, as rounding makes s (1 - s) too, for a third of the time of
        # its exponential, which would be two fifths of a DQN's whole gradient on a CPU.
        square = (0.25 * self.slope * distance) ** 2
        c = square * (1.0 + square * (1 / 12 + square * (1 / 360 + square * (1 / 20160))))
        return self.slope / (c * (c + 4.0) + 2.0) ** 2


class Arctan(AbstractSurrogate):
    """Derivative of the scaled arctangent: unit area, peak slope/2, heavy tails. Used by the DSQN papers with slope 2."""

    slope: float = 2.0  # larger is narrower

    def __check_init__(self):
        require_positive(self, "slope")

    def derivative(self, distance):
        return 0.5 * self.slope / (1.0 + (0.5 * math.pi * self.slope * distance) ** 2)


class FastSigmoid(AbstractSurrogate):
    """1 / (slope |x| + 1)^2: peak 1 and area 2/slope, as in SuperSpike (Zenke & Ganguli 2018) and Akl et al. 2023."""

    slope: float = 100.0  # larger is narrower, with less area

    def __check_init__(self):
        require_positive(self, "slope")

    def derivative(self, distance):
        return 1.0 / (self.slope * jnp.abs(distance) + 1.0) ** 2


class Rectangular(AbstractSurrogate):
    """A window of unit area, peak 1/width (STBP h1). PopSAN and MDC-SAN use width 1."""

    width: float = 1.0  # full width of the window

    def __check_init__(self):
        require_positive(self, "width")

    def derivative(self, distance):
        return jnp.where(jnp.abs(distance) < 0.5 * self.width, 1.0 / self.width, 0.0).astype(distance.dtype)


class Triangular(AbstractSurrogate):
    """A triangle of unit area, peak sqrt(steepness)/2 (STBP h2)."""

    steepness: float = 1.0  # larger is narrower

    def __check_init__(self):
        require_positive(self, "steepness")

    def derivative(self, distance):
        return jnp.maximum(0.5 * jnp.sqrt(self.steepness) - 0.25 * self.steepness * jnp.abs(distance), 0.0).astype(
            distance.dtype
        )


class Gaussian(AbstractSurrogate):
    """A normal density of unit area, peak 1/sqrt(2 pi variance) (STBP h4; the printed form lacks the factor 2)."""

    variance: float = 1.0  # larger is wider

    def __check_init__(self):
        require_positive(self, "variance")

    def derivative(self, distance):
        scale = 1.0 / jnp.sqrt(2.0 * math.pi * self.variance)
        return (scale * jnp.exp(-(distance**2) / (2.0 * self.variance))).astype(distance.dtype)

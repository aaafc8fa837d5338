"""Value functions: from an observation to what the rest of an episode is worth.

The linear ones are a weighted sum of features, V(s) = sum_i w_i phi_i(s), of x = (s - low)/(high - low), clipped to 0 ... 1:

    TableValue       phi_i = 1 where s lies in cell i, else 0
    FourierValue     phi_i = cos(pi c_i . x),   c_i in {0, ..., order}^d           (Konidaris, Osentoski & Thomas 2011)
    PlaceCellValue   phi_i = g_i / sum_j g_j,   g_i = exp(-|x - m_i|^2 / (2 sigma^2))   on a grid of centres m_i

Their derivative with respect to a weight is its own feature: presynaptic activity, so learning them is local. NetworkValue is a
small deep network, whose derivative is not.
"""

import abc
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import (
    Component,
    require,
    require_count,
    require_count_each,
    require_counts,
    require_finite,
    require_positive,
)
from spikeloop.encoders.bins import check_range, require_range
from spikeloop.encoders.direct import require_gain
from spikeloop.encoders.place_cells import place_activity
from spikeloop.environments import Spec
from spikeloop.policies import DeepPolicy


class AbstractValueFunction(Component):
    """What an observation is worth, as far as its parameters know."""

    @abc.abstractmethod
    def init(self, spec: Spec, key: PRNGKeyArray) -> Any:
        """The parameters before anything was learned. Raises InvalidInput if observations do not fit."""

    @abc.abstractmethod
    def __call__(self, params: Any, obs: Float[Array, "..."]) -> Float[Array, ""]:
        """The value of one observation."""


class AbstractLinearValue(AbstractValueFunction):
    """A weighted sum of features of the observation; its parameters are the weights."""

    low: float | tuple[float, ...] = -1.0  # lower end of the observations: one for all variables, or one for each
    high: float | tuple[float, ...] = 1.0  # upper end; beyond the ends counts as at the end

    def __check_init__(self):
        require_range(self)

    def init(self, spec, key):
        check_range(self, spec.observation_size)
        return jnp.zeros(jax.eval_shape(self.features, jnp.zeros(spec.observation_shape)).shape)

    def __call__(self, params, obs):
        return params @ self.features(obs)

    @abc.abstractmethod
    def features(self, obs: Float[Array, "..."]) -> Float[Array, " features"]:
        """The features of one observation."""

    def _within(self, obs) -> Float[Array, " d"]:
        obs = jnp.ravel(obs)
        low, high = jnp.asarray(self.low, obs.dtype), jnp.asarray(self.high, obs.dtype)
        return jnp.clip((obs - low) / (high - low), 0.0, 1.0)


class TableValue(AbstractLinearValue):
    """A value of its own for each cell of a grid of equal cells."""

    bins: int = 10  # cells along each variable
    least: float = 0.0  # values begin at random between this ...
    most: float = 0.0  # ... and this

    def __check_init__(self):
        require_count(self, "bins")
        require_finite(self, "least", "most")
        require(self, "most", lambda most: most >= self.least, f"at least `least`, {self.least:g}")

    def init(self, spec, key):
        return jax.random.uniform(key, super().init(spec, key).shape, minval=self.least, maxval=self.most)

    def __call__(self, params, obs):
        return params[self._cell(obs)]

    def features(self, obs):
        return jax.nn.one_hot(self._cell(obs), self.bins**obs.size)

    def _cell(self, obs):
        places = jnp.minimum(jnp.floor(self._within(obs) * self.bins), self.bins - 1).astype(jnp.int32)
        return jnp.ravel_multi_index(tuple(places), (self.bins,) * obs.size, mode="clip")


class FourierValue(AbstractLinearValue):
    """Cosines of all combinations of frequencies up to an order: (order + 1)^d features of d variables."""

    order: int = 3  # highest frequency along a variable, half periods

    def __check_init__(self):
        require_count(self, "order")

    def features(self, obs):
        frequencies = np.asarray(list(itertools.product(range(self.order + 1), repeat=obs.size)), np.float32)
        return jnp.cos(np.float32(np.pi) * (jnp.asarray(frequencies) @ self._within(obs)))


class PlaceCellValue(AbstractLinearValue):
    """Place cells: Gaussian bumps on a grid over the observations, their activities together one."""

    cells: int | tuple[int, ...] = 7  # along each variable: one number for all, or one for each; the first lies at low
    width: float = 1.0  # sigma of a bump, in distances between neighbours

    def __check_init__(self):
        require_count_each(self, "cells")
        require_positive(self, "width")

    def features(self, obs):
        return place_activity(self, obs)


class NetworkValue(AbstractValueFunction):
    """A small network of rectified linear units."""

    widths: tuple[int, ...] = (64,)  # units of each hidden layer
    gain: float | tuple[float, ...] = 1.0  # factor on the observation: one for all variables, or one for each

    def __check_init__(self):
        require_counts(self, "widths", least=0)
        require_gain(self)

    def init(self, spec, key):
        return self._network().init(spec.observation_size, 1, key)

    def __call__(self, params, obs):
        return self._network()(params, None, obs, None)[1].output[0]

    def _network(self):
        return DeepPolicy(self.widths, self.gain)

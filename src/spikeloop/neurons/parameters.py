"""Whether the neurons of a population share the numbers that describe them, and what may change where they do not.

    shared      m for every neuron, from the field itself             the default: no parameters, nothing trained
    fixed       each neuron its own, drawn once; no gradient          Akl et al. 2023, random membrane parameters
    trainable   each neuron its own, trained along with the weights   Zhang et al. 2022, who found their constants so

Where each neuron's own begin is a component too:

    as given    m, the field's value
    normal      m + relative_deviation |m| N(0, 1)                    Akl et al. 2023: N(m, 0.1 m), deviation 0.1 m
    uniform     U(low, high), whatever the field's value

Akl et al. clip a decay to [0, 1] and a threshold at 0 from below. These are the `ranges` of a neuron, and they hold where
the neurons are used as well as at the start, so no training leaves them.
"""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component, require, require_finite, require_positive
from spikeloop.neurons._base import AbstractNeuron


class AbstractStart(Component):
    """Where the own parameters of the neurons of a population begin."""

    @abc.abstractmethod
    def __call__(self, value: Any, size: int, key: PRNGKeyArray) -> Float[Array, " n"]:
        """One number for each of `size` neurons, given the value that their field has."""


class StartAsGiven(AbstractStart):
    """Every neuron begins with the value of the field."""

    def __call__(self, value, size, key):
        return jnp.full(size, value, float)


class NormalStart(AbstractStart):
    """Every neuron draws its own from a normal distribution around the value of the field (Akl et al. 2023)."""

    relative_deviation: float = 0.1  # standard deviation, in units of the field's value

    def __check_init__(self):
        require_positive(self, "relative_deviation")

    def __call__(self, value, size, key):
        return value + self.relative_deviation * jnp.abs(value) * jax.random.normal(key, (size,))


class UniformStart(AbstractStart):
    """Every neuron draws its own evenly from a range, whatever the value of the field."""

    low: float = -0.5  # lower end, in the units of the fields
    high: float = 0.5  # upper end

    def __check_init__(self):
        require_finite(self, "low", "high")
        require(self, "high", lambda high: high > self.low, f"above low, {self.low}")

    def __call__(self, value, size, key):
        return jax.random.uniform(key, (size,), minval=self.low, maxval=self.high)


class AbstractNeuronParameters(Component):
    """Whether each neuron has numbers of its own in the place of its fields, and whether they are trained."""

    @abc.abstractmethod
    def init(self, neuron: "AbstractIndividualNeuron", size: int, key: PRNGKeyArray) -> Any:
        """The parameters of `size` neurons, None where there are none."""

    @abc.abstractmethod
    def bind(self, neuron: "AbstractIndividualNeuron", params: Any) -> "AbstractIndividualNeuron":
        """The neuron with the parameters in the place of its fields."""


class AbstractIndividualNeuron(AbstractNeuron):
    """A neuron some of whose fields can be parameters: its `init_params` and `bind` ask an `AbstractNeuronParameters`."""

    ranges: ClassVar[dict[str, tuple[float | None, float | None]]]  # those fields, and the bounds of each

    @property
    @abc.abstractmethod
    def parameters(self) -> AbstractNeuronParameters:
        """Whose those fields are, and whether they are trained: a field of every neuron."""

    def init_params(self, size, key):
        return self.parameters.init(self, size, key)

    def bind(self, params):
        return self.parameters.bind(self, params)


class SharedParameters(AbstractNeuronParameters):
    """All neurons have the values of the fields; there is nothing to train."""

    def init(self, neuron, size, key):
        return None

    def bind(self, neuron, params):
        return neuron


class FixedParameters(AbstractNeuronParameters):
    """Each neuron has its own from the start on, and no gradient reaches it.

    They are leaves of the parameters all the same, so what changes parameters without a gradient (evolution, hill climbing,
    synapses as agents, weight decay) changes them too.
    """

    start: AbstractStart = NormalStart()  # what each neuron has

    def init(self, neuron, size, key):
        return _draw(neuron, self.start, size, key)

    def bind(self, neuron, params):
        return _put(neuron, jax.lax.stop_gradient(params))


class TrainableParameters(AbstractNeuronParameters):
    """Each neuron has its own, trained along with the weights."""

    start: AbstractStart = StartAsGiven()  # where training begins

    def init(self, neuron, size, key):
        return _draw(neuron, self.start, size, key)

    def bind(self, neuron, params):
        return _put(neuron, params)


def _draw(neuron, start, size, key):
    keys = jax.random.split(key, len(neuron.ranges))
    return {
        name: jnp.clip(start(getattr(neuron, name), size, k), *bounds)
        for (name, bounds), k in zip(neuron.ranges.items(), keys, strict=True)
    }


def _put(neuron, params):
    values = [jnp.clip(params[name], *bounds) for name, bounds in neuron.ranges.items()]
    return eqx.tree_at(lambda neuron: [getattr(neuron, name) for name in neuron.ranges], neuron, values)

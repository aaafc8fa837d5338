"""Strategies of evosax (Lange 2022), behind our contract: evosax minimises, so its fitness is minus ours.

Needs ``pip install 'spikeloop[evolution]'``. What is listed shapes fitness by ranks, so that only the order counts, and
starts from one individual. Of evosax 0.3.2 we leave out xNES (its step multiplies by an elementwise exponential where Glasmachers
et al. 2010 have that of a matrix) and SimulatedAnnealing (one chain that is offered the best of its proposals, which is not
Metropolis' rule); `SimulatedAnnealing` of this package is ours. `best` is the mean.
"""

import contextlib
import functools
import importlib
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PRNGKeyArray

from spikeloop.component import require, require_count, require_positive
from spikeloop.errors import InvalidInput
from spikeloop.learners.strategies._base import AbstractStrategy, require_told

_BY_GRADIENT = ("Open_ES", "PGPE")  # mirrored samples, and an optimiser with a learning rate
_BY_DISTRIBUTION = ("CMA_ES", "SNES", "Sep_CMA_ES")  # their own learning rates


class EvosaxState(eqx.Module):
    """The state that evosax made, and the key for its next update."""

    inner: Any
    key: PRNGKeyArray


class Evosax(AbstractStrategy):
    """A strategy of evosax by its class name: Open_ES, PGPE, CMA_ES, SNES or Sep_CMA_ES."""

    name: str = "CMA_ES"  # Open_ES, PGPE, CMA_ES, SNES or Sep_CMA_ES
    population: int = 16  # individuals; even for Open_ES and PGPE
    sigma: float = 0.3  # standard deviation of the first generation; Open_ES keeps it
    learning_rate: float = 0.05  # of Adam, for Open_ES and PGPE; the others have their own

    def __check_init__(self):
        names = Evosax.names()
        require(self, "name", lambda name: name in names, f"one of {', '.join(names)}")
        require_count(self, "population", least=4)
        if self.name in _BY_GRADIENT:
            require(self, "population", lambda count: count % 2 == 0, f"even for {self.name}")
        require_positive(self, "sigma", "learning_rate")

    @staticmethod
    def names() -> tuple[str, ...]:
        """The strategies of evosax that can be named. Does not import evosax."""
        return (*_BY_GRADIENT, *_BY_DISTRIBUTION)

    def init(self, template, draw, key):
        init_key, key = jax.random.split(key)
        made = self._made(template.size)
        with _lenient():
            return EvosaxState(_strong(made.init(init_key, template, self._params(made))), key)

    def ask(self, state, key):
        made = self._made(state.inner.mean.size)
        with _lenient():
            return made.ask(key, state.inner, self._params(made))[0]

    def tell(self, state, population, fitness):
        require_told(self, population, fitness)
        tell_key, ask_key, key = jax.random.split(state.key, 3)
        made = self._made(state.inner.mean.size)
        params = self._params(made)
        loss = jnp.where(jnp.isfinite(fitness), -fitness, jnp.nan)  # evosax ranks NaN last, and all of them as nothing
        with _lenient():
            # CMA_ES keeps in its state the decomposition that `ask` makes of its covariance.
            inner = made.ask(ask_key, state.inner, params)[1]
            inner = made.tell(tell_key, population, loss, inner, params)[0]
        return EvosaxState(_strong(inner), key)

    def best(self, state):
        return state.inner.mean

    def _made(self, size: int) -> Any:
        return _algorithm(self.name, self.population, size, self.sigma, self.learning_rate)

    def _params(self, made: Any) -> Any:
        with _lenient():
            params = made.default_params
        return params if self.name == "Open_ES" else params.replace(std_init=jnp.asarray(self.sigma, jnp.float32))


@functools.lru_cache(maxsize=64)
def _algorithm(name: str, population: int, size: int, sigma: float, learning_rate: float) -> Any:
    try:
        algorithms = importlib.import_module("evosax.algorithms")
    except ImportError:
        raise InvalidInput("Evosax needs evosax: pip install 'spikeloop[evolution]'") from None
    more: dict[str, Any] = {"optimizer": optax.adam(learning_rate)} if name in _BY_GRADIENT else {}
    if name == "Open_ES":
        more["std_schedule"] = optax.constant_schedule(sigma)
    # The first call may come from inside a jitted function; what is made there is kept, so it must be real arrays.
    with jax.ensure_compile_time_eval(), _lenient():
        return getattr(algorithms, name)(population_size=population, solution=jnp.zeros(size), **more)


@contextlib.contextmanager
def _lenient() -> Iterator[None]:
    """evosax mixes types and ranks freely; the library's own strict rules must not reach into it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def _strong(tree: Any) -> Any:
    """Arrays that keep their type whatever they meet: a loop's carry must not change it."""

    def strong(leaf: Array) -> Array:
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(strong, tree)

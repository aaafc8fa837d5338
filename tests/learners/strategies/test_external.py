"""Fitness from outside: any function of NumPy arrays scores the individuals, in a plain Python loop."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.learners.strategies.test_all_strategies import FIRST, OURS, THEIRS, TOP, draw, each, the

from spikeloop.errors import InvalidInput
from spikeloop.learners.strategies import CrossEntropy

GENERATIONS = 60


def score(individual: np.ndarray) -> float:
    """Minus the squared distance from the top; no number at all for who is far away, as where a simulator breaks down."""
    distance = float(np.sum((individual - np.asarray(TOP)) ** 2))
    return -distance if distance < 2.0 else float("nan")


@each(OURS | THEIRS)
def test_a_plain_function_is_climbed(name):
    """From a squared distance of 1.14 to one below 0.2, told NumPy's own types: float64, and the population as it was asked."""
    strategy = the(name)
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    state = strategy.init(FIRST, draw, jax.random.key(0))
    broken = 0
    for key in jax.random.split(jax.random.key(1), GENERATIONS):
        population = np.asarray(ask(state, key))
        fitness = np.asarray([score(individual) for individual in population])
        broken += int(np.isnan(fitness).sum())
        state = tell(state, population, fitness)
    assert broken > 0 or name == "MultiplicativeEvolutionStrategy"  # its candidates stay close to one another
    assert score(np.asarray(strategy.best(state))) > -0.2


@each(OURS | THEIRS)
def test_what_has_not_the_shape_of_the_population_is_refused(name):
    strategy = the(name)
    count = strategy.population
    state = strategy.init(FIRST, draw, jax.random.key(0))
    population = strategy.ask(state, jax.random.key(1))
    shape = rf"(?m)^{type(strategy).__name__} must be told an array fitness of shape \({count},\), got "
    wrong: list[tuple[Any, str]] = [
        (jnp.zeros((count, 1)), rf"\({count}, 1\)$"),
        (jnp.zeros(count - 1), rf"\({count - 1},\)$"),
        (jnp.zeros(()), r"\(\)$"),
        ([0.0] * count, "a list$"),
    ]
    for fitness, found in wrong:
        for tell in (strategy.tell, jax.jit(strategy.tell)):
            with pytest.raises(InvalidInput, match=shape + found):
                tell(state, population, fitness)
    with pytest.raises(InvalidInput, match=rf"an array population of shape \({count}, n\), got \(3, 5\)$"):
        strategy.tell(state, population[:3], jnp.zeros(count))


def test_the_type_of_what_is_told_does_not_matter():
    """Doubles and floats of the same value lead to the same individuals."""
    strategy = CrossEntropy(population=8)
    state = strategy.init(FIRST, draw, jax.random.key(0))
    population = strategy.ask(state, jax.random.key(1))
    scores = np.arange(8) % 5
    tell = jax.jit(strategy.tell)
    double, single = (tell(state, population, scores.astype(kind)) for kind in (np.float64, np.float32))
    np.testing.assert_array_equal(np.asarray(double.mean), np.asarray(single.mean))

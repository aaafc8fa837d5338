"""What every strategy keeps: it finds the top of a sphere, survives nonsense, and is a pure function."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, ExponentialDecay
from spikeloop.learners.strategies import (
    AbstractFirstGeneration,
    Around,
    CrossEntropy,
    EnsembleKalmanFilter,
    Evosax,
    FromPolicy,
    FromRange,
    Genetic,
    MultiplicativeEvolutionStrategy,
    ParallelTempering,
    SimulatedAnnealing,
)

TOP = jnp.asarray([0.5, -0.3, 0.8, 1.0, -0.6])
FIRST = jnp.asarray([0.2, -0.2, 0.3, 0.4, -0.1])  # signs as at the top, for the strategy that keeps them
GENERATIONS, SEEDS = 150, 4

OURS = {
    "Genetic": Genetic(sigma=0.3),
    "MultiplicativeEvolutionStrategy": MultiplicativeEvolutionStrategy(),
    "CrossEntropy": CrossEntropy(),
    "SimulatedAnnealing": SimulatedAnnealing(
        temperature=ExponentialDecay(1.0, 1e-3, 20.0), step_size=ExponentialDecay(0.5, 0.02, 40.0)
    ),
    "ParallelTempering": ParallelTempering(coldest=1e-4, hottest=0.1, step_size=Constant(0.1)),
    "EnsembleKalmanFilter": EnsembleKalmanFilter(),
}
THEIRS = {f"Evosax-{name}": Evosax(name) for name in Evosax.names()}
BY_RANK = {name: OURS[name] for name in ("Genetic", "CrossEntropy")} | THEIRS
MEANS = {name: OURS[name] for name in ("MultiplicativeEvolutionStrategy", "CrossEntropy")} | {
    name: THEIRS[f"Evosax-{name}"] for name in ("CMA_ES", "SNES", "Sep_CMA_ES")
}


def each(strategies):
    return pytest.mark.parametrize("name", strategies)


def the(name):
    """The strategy of that name; evosax is an extra."""
    if name.startswith("Evosax-") or name in Evosax.names():
        pytest.importorskip("evosax.algorithms")
    return (OURS | THEIRS).get(name) or MEANS[name]


def draw(key):
    return FIRST + 0.5 * jax.random.normal(key, FIRST.shape)


def sphere(population):
    return -jnp.sum((population - TOP[None]) ** 2, axis=1)


# What becomes of the sphere's fitness, by generation. Chosen while the program runs, so that each strategy is compiled once.
KINDS = {
    "plain": lambda fitness, generation: fitness,
    "squeezed": lambda fitness, generation: 3.0 + 100.0 * jnp.exp(0.3 * fitness),
    "moved": lambda fitness, generation: 7.0 + 20.0 * fitness,
    "broken": lambda fitness, generation: fitness.at[:3].set(jnp.asarray([jnp.nan, jnp.inf, -jnp.inf])),
    "nothing": lambda fitness, generation: jnp.full_like(fitness, jnp.nan),
    "lost": lambda fitness, generation: jnp.where(generation < 5, fitness, jnp.nan),
}


@functools.partial(jax.jit, static_argnums=0)
def _evolve(strategy, kind, generations, keys):
    def evolve_one(key):
        first_key, key = jax.random.split(key)

        def step(generation, state):
            population = strategy.ask(state, jax.random.fold_in(key, generation))
            fitness = jax.lax.switch(kind, list(KINDS.values()), sphere(population), generation)
            return strategy.tell(state, population, fitness)

        state = jax.lax.fori_loop(0, generations, step, strategy.init(FIRST, draw, first_key))
        return state, strategy.best(state), strategy.ask(state, key)

    return jax.vmap(evolve_one)(keys)


def evolve(strategy, kind, generations):
    """The last state, what the strategy would use then, and what it would ask for next; for every seed at once."""
    keys = jax.random.split(jax.random.key(1), SEEDS)
    return _evolve(strategy, jnp.int32(list(KINDS).index(kind)), jnp.int32(generations), keys)


@each(OURS | THEIRS)
def test_it_finds_the_top_of_a_sphere(name):
    """From a squared distance of 1.14 to one below 0.03, for every seed."""
    _, best, _ = evolve(the(name), "plain", GENERATIONS)
    assert best.shape == (SEEDS, 5) and best.dtype == jnp.float32
    assert (np.asarray(sphere(best)) > -0.03).all()


@each(OURS | THEIRS)
def test_every_function_keeps_shapes_and_types(name):
    strategy = the(name)
    state = jax.eval_shape(lambda key: strategy.init(FIRST, draw, key), jax.random.key(0))
    population = jax.eval_shape(strategy.ask, state, jax.random.key(1))
    assert population.shape == (strategy.population, 5) and population.dtype == jnp.float32
    after = jax.eval_shape(
        lambda state, population: strategy.tell(state, population, sphere(population)), state, population
    )
    assert jax.tree.structure(after) == jax.tree.structure(state)
    for old, new in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True):
        assert (old.shape, old.dtype, old.weak_type) == (new.shape, new.dtype, new.weak_type)


@each(OURS | THEIRS)
def test_fitness_that_is_no_number_is_survived(name):
    """Of every generation one scores NaN, one infinity and one minus infinity; the top is found all the same."""
    _, best, _ = evolve(the(name), "broken", GENERATIONS)
    assert (np.asarray(sphere(best)) > -0.2).all()


@each(OURS | THEIRS)
@pytest.mark.parametrize("kind", ["nothing", "lost"])
def test_generations_without_any_fitness_are_survived(name, kind):
    """From the first on, or from the sixth on."""
    _, best, population = evolve(the(name), kind, 10)
    assert np.isfinite(np.asarray(best)).all() and np.isfinite(np.asarray(population)).all()


@each(BY_RANK)
def test_only_the_order_of_fitness_matters_to_what_ranks(name):
    """A fitness squeezed by a strictly increasing function leads to the same individuals, bit for bit."""
    _, plain, _ = evolve(the(name), "plain", 8)
    _, squeezed, _ = evolve(the(name), "squeezed", 8)
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(squeezed))


@each(["MultiplicativeEvolutionStrategy", "EnsembleKalmanFilter"])
def test_scale_and_offset_of_fitness_do_not_matter(name):
    _, plain, _ = evolve(OURS[name], "plain", 8)
    _, moved, _ = evolve(OURS[name], "moved", 8)
    np.testing.assert_allclose(np.asarray(plain), np.asarray(moved), rtol=1e-3, atol=1e-3)


@each(MEANS)
def test_the_order_of_the_population_does_not_matter_to_what_averages(name):
    strategy = the(name)
    states, _, _ = evolve(strategy, "plain", 5)
    state = jax.tree.map(lambda leaf: leaf[0], states)
    population = strategy.ask(state, jax.random.key(7))
    order = jax.random.permutation(jax.random.key(8), strategy.population)
    one = strategy.tell(state, population, sphere(population))
    two = strategy.tell(state, population[order], sphere(population)[order])
    np.testing.assert_allclose(np.asarray(strategy.best(one)), np.asarray(strategy.best(two)), rtol=1e-4, atol=1e-5)


def test_the_fittest_of_a_genetic_algorithm_do_not_depend_on_the_order():
    strategy = Genetic(hall_of_fame=5)
    state = strategy.init(FIRST, draw, jax.random.key(0))
    population = state.population
    order = jax.random.permutation(jax.random.key(8), strategy.population)
    one = strategy.tell(state, population, sphere(population))
    two = strategy.tell(state, population[order], sphere(population)[order])
    np.testing.assert_array_equal(np.asarray(one.hall), np.asarray(two.hall))
    np.testing.assert_array_equal(np.asarray(one.hall_fitness), np.sort(np.asarray(sphere(population)))[::-1][:5])


@pytest.mark.parametrize(
    ("first", "mean", "deviation"),
    [
        (FromPolicy(), FIRST, 0.5),
        (Around(0.2), FIRST, 0.2),
        (FromRange(-3.0, 1.0), jnp.full(5, -1.0), 4.0 / 12**0.5),
    ],
)
def test_first_generations(first: AbstractFirstGeneration, mean, deviation):
    made = np.asarray(first(FIRST, draw, 4000, jax.random.key(0)))
    np.testing.assert_allclose(made.mean(axis=0), np.asarray(mean), atol=4 * deviation / 4000**0.5)
    np.testing.assert_allclose(made.std(axis=0), deviation, rtol=0.06)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Genetic(population=3), r"Genetic\.tournament must be at most population = 3, got 4"),
        (lambda: Genetic(crossover_probability=1.5), r"Genetic\.crossover_probability must be between 0 and 1"),
        (lambda: Genetic(blend=-0.1), r"Genetic\.blend must be"),
        (lambda: FromRange(1.0, 0.0), r"FromRange\.high must be at least low = 1.0"),
        (lambda: MultiplicativeEvolutionStrategy(population=1), r"\.population must be a whole number of at least 2"),
        (lambda: CrossEntropy(elite=0.0), r"CrossEntropy\.elite must be above 0"),
        (lambda: CrossEntropy(smoothing=1.0), r"CrossEntropy\.smoothing must be at least 0 and below 1"),
        (lambda: ParallelTempering(coldest=5.0, hottest=1.0), r"hottest must be above coldest = 5.0"),
        (lambda: EnsembleKalmanFilter(replaced=0.7), r"EnsembleKalmanFilter\.replaced must be between 0 and 0.5"),
        (lambda: EnsembleKalmanFilter(variance=0.0), r"EnsembleKalmanFilter\.variance must be a positive"),
        (lambda: Evosax("xNES"), r"Evosax\.name must be one of Open_ES, PGPE, CMA_ES, SNES, Sep_CMA_ES, got 'xNES'"),
        (lambda: Evosax("PGPE", population=7), r"Evosax\.population must be even for PGPE, got 7"),
    ],
)
def test_mistakes_are_answered_in_one_line(make, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_missing_evosax_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "evosax.algorithms", None)
    with pytest.raises(InvalidInput, match=r"^Evosax needs evosax: pip install 'spikeloop\[evolution\]'$"):
        Evosax(population=18).init(FIRST, draw, jax.random.key(0))  # a size that nothing else made before

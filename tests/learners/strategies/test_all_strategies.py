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


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def evolve(strategy, fitness, generations, key):
    """The last state and what the strategy would use then."""
    first_key, key = jax.random.split(key)

    def step(state, key):
        population = strategy.ask(state, key)
        return strategy.tell(state, population, fitness(population)), None

    state, _ = jax.lax.scan(step, strategy.init(FIRST, draw, first_key), jax.random.split(key, generations))
    return state, strategy.best(state)


def flat(state):
    return [np.asarray(jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x)
            for x in jax.tree.leaves(state)]  # fmt: skip


@each(OURS | THEIRS)
def test_it_finds_the_top_of_a_sphere(name):
    """From a squared distance of 1.14 to one below 0.03, for every seed at once."""
    strategy = the(name)
    keys = jax.random.split(jax.random.key(1), SEEDS)
    _, best = jax.vmap(lambda key: evolve(strategy, sphere, GENERATIONS, key))(keys)
    assert best.shape == (SEEDS, 5) and best.dtype == jnp.float32
    assert (np.asarray(sphere(best)) > -0.03).all()


@each(OURS | THEIRS)
def test_every_function_keeps_shapes_and_types(name):
    strategy = the(name)
    state = strategy.init(FIRST, draw, jax.random.key(0))
    population = strategy.ask(state, jax.random.key(1))
    assert population.shape == (strategy.population, 5) and population.dtype == jnp.float32
    after = strategy.tell(state, population, sphere(population))
    assert jax.tree.structure(after) == jax.tree.structure(state)
    for old, new in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True):
        assert (old.shape, old.dtype, old.weak_type) == (new.shape, new.dtype, new.weak_type)
    again = strategy.tell(state, strategy.ask(state, jax.random.key(1)), sphere(population))
    for one, two in zip(flat(after), flat(again), strict=True):
        np.testing.assert_array_equal(one, two)  # nothing is remembered outside the state


@each(OURS | THEIRS)
def test_fitness_that_is_no_number_is_survived(name):
    """Two of every generation score NaN or infinity, a whole generation scores nothing, and the top is found all the same."""
    strategy = the(name)

    def broken(population):
        fitness = sphere(population)
        return fitness.at[0].set(jnp.nan).at[1].set(jnp.inf).at[2].set(-jnp.inf)

    state, best = evolve(strategy, broken, GENERATIONS, jax.random.key(2))
    assert np.isfinite(np.asarray(best)).all()
    assert float(sphere(best[None])[0]) > -0.2
    population = strategy.ask(state, jax.random.key(3))
    after = strategy.tell(state, population, jnp.full(strategy.population, jnp.nan))
    assert np.isfinite(np.asarray(strategy.best(after))).all()
    assert np.isfinite(np.asarray(strategy.ask(after, jax.random.key(4)))).all()


@each(OURS | THEIRS)
def test_nothing_known_at_all_is_survived_from_the_first_generation_on(name):
    _, best = evolve(the(name), lambda population: jnp.full(population.shape[0], jnp.nan), 5, jax.random.key(0))
    assert np.isfinite(np.asarray(best)).all()


@each(BY_RANK)
def test_only_the_order_of_fitness_matters_to_what_ranks(name):
    """A fitness squeezed by a strictly increasing function leads to the same individuals, bit for bit."""
    strategy = the(name)
    _, plain = evolve(strategy, sphere, 8, jax.random.key(5))
    _, squeezed = evolve(strategy, lambda p: 3.0 + 100.0 * jnp.exp(0.3 * sphere(p)), 8, jax.random.key(5))
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(squeezed))


@each(["MultiplicativeEvolutionStrategy", "EnsembleKalmanFilter"])
def test_scale_and_offset_of_fitness_do_not_matter(name):
    _, plain = evolve(OURS[name], sphere, 8, jax.random.key(5))
    _, moved = evolve(OURS[name], lambda p: 7.0 + 20.0 * sphere(p), 8, jax.random.key(5))
    np.testing.assert_allclose(np.asarray(plain), np.asarray(moved), rtol=1e-3, atol=1e-3)


@each(MEANS)
def test_the_order_of_the_population_does_not_matter_to_what_averages(name):
    strategy = the(name)
    state, _ = evolve(strategy, sphere, 5, jax.random.key(6))
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

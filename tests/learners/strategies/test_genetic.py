"""The operators of the genetic algorithm against their closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.learners.strategies import Clipped, Everyone, Genetic, OnlyChanged

N = 40_000  # genes: moments are known to a few parts in a hundred


def two(strategy, x, y, key=0):
    """The two children of a pair with the same gene at N places."""
    parents = jnp.stack([jnp.full(N, x), jnp.full(N, y)])
    return np.asarray(strategy.cross(parents, jax.random.key(key)))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_blend_crossover_has_the_moments_of_a_uniform_blend(alpha):
    """g ~ U(-alpha, 1 + alpha): mean 1/2, variance (1 + 2 alpha)^2 / 12; the children's sum is the parents'."""
    strategy = Genetic(population=2, tournament=2, crossover_probability=1.0, blend=alpha)
    one, other = two(strategy, 1.0, 5.0)
    np.testing.assert_allclose(one + other, 6.0, rtol=1e-5)
    assert one.mean() == pytest.approx(3.0, abs=0.05)
    assert one.std() == pytest.approx(4.0 * (1 + 2 * alpha) / 12**0.5, rel=0.02)
    assert one.min() >= 1.0 - 4.0 * alpha - 1e-5 and one.max() <= 5.0 + 4.0 * alpha + 1e-5
    assert one.min() < 1.0 - 3.9 * alpha + 0.1 and one.max() > 5.0 + 3.9 * alpha - 0.1


def test_crossover_happens_to_whole_pairs_with_its_probability():
    strategy = Genetic(population=20_001, crossover_probability=0.3)
    parents = jax.random.normal(jax.random.key(0), (20_001, 2))
    children = np.asarray(strategy.cross(parents, jax.random.key(1)))
    changed = (children != np.asarray(parents)).any(axis=1)
    np.testing.assert_array_equal(changed[0:20_000:2], changed[1:20_000:2])
    assert not changed[-1]  # nobody is left to be its partner
    assert changed[:-1].mean() == pytest.approx(0.3, abs=0.02)


def test_mutation_has_its_moments_and_its_probabilities():
    strategy = Genetic(population=2000, gene_probability=0.45, sigma=2.0)
    before = jnp.zeros((2000, 50))
    change = np.asarray(strategy.mutate(before, 0.7, jax.random.key(0)))
    mutated = change.any(axis=1)
    assert mutated.mean() == pytest.approx(0.7, abs=0.04)
    genes = change[mutated]
    assert (genes != 0).mean() == pytest.approx(0.45, abs=0.01)
    moved = genes[genes != 0]
    assert abs(moved.mean()) < 0.05 and moved.std() == pytest.approx(2.0, rel=0.02)


def test_what_lies_beyond_the_bounds_is_set_to_them_after_every_operator():
    strategy = Genetic(population=2, tournament=2, crossover_probability=1.0, sigma=5.0, bounds=Clipped(-1.0, 2.0))
    children = two(strategy, -1.0, 2.0)
    assert children.min() == -1.0 and children.max() == 2.0
    # a quarter of g lies below 0 and a quarter above 1
    assert (children == -1.0).mean() == pytest.approx(0.25, abs=0.02)
    mutated = np.asarray(strategy.mutate(jnp.zeros((2, N)), 1.0, jax.random.key(3)))
    assert mutated.min() == -1.0 and mutated.max() == 2.0


@pytest.mark.parametrize("size", [1, 2, 4])
def test_tournaments_choose_with_the_probability_of_the_closed_form(size):
    """With replacement, the r-th worst of N wins with probability (r/N)^t - ((r - 1)/N)^t."""
    count = 8
    strategy = Genetic(population=count, tournament=size)
    fitness = jnp.asarray([3.0, -1.0, 7.0, 0.5, 2.0, -jnp.inf, 9.0, 1.0])
    keys = jax.random.split(jax.random.key(0), 5000)
    chosen = np.asarray(jax.vmap(lambda key: strategy.select(fitness, key))(keys)).ravel()
    rank = np.argsort(np.argsort(np.asarray(fitness))) + 1
    expected = (rank / count) ** size - ((rank - 1) / count) ** size
    np.testing.assert_allclose(np.bincount(chosen, minlength=count) / chosen.size, expected, atol=0.008)


def test_equals_are_chosen_alike():
    strategy = Genetic(population=6)
    keys = jax.random.split(jax.random.key(0), 4000)
    chosen = np.asarray(jax.vmap(lambda key: strategy.select(jnp.ones(6), key))(keys)).ravel()
    np.testing.assert_allclose(np.bincount(chosen) / chosen.size, 1 / 6, atol=0.008)


def _after_one(strategy):
    state = strategy.init(jnp.zeros(3), lambda key: jax.random.normal(key, (3,)), jax.random.key(0))
    return strategy.tell(state, state.population, jnp.arange(6.0))


def test_the_unchanged_keep_the_fitness_they_had():
    """Fitness of the first generation is 0 to 5; in the second everybody scores 100, but only the changed are asked."""
    state = _after_one(Genetic(population=6, remeasuring=OnlyChanged()))
    population = state.population[jnp.asarray([4, 4, 1, 0, 2, 5])].at[0].add(0.5)
    fitness = Genetic(population=6).tell(state, population, jnp.full(6, 100.0)).fitness
    np.testing.assert_array_equal(np.asarray(fitness), [100.0, 4.0, 1.0, 0.0, 2.0, 5.0])
    fresh = Genetic(population=6, remeasuring=Everyone()).tell(state, population, jnp.full(6, 100.0)).fitness
    np.testing.assert_array_equal(np.asarray(fresh), 100.0)


def test_an_operator_that_never_acts_leaves_copies_of_parents():
    """And, with duplicates left alone as well, no fitness is ever measured again: the population drifts to one individual."""
    strategy = Genetic(
        population=6, crossover_probability=0.0, mutation_probability=0.0, duplicate_probability=0.0, tournament=3
    )
    state = first = _after_one(strategy)
    for key in jax.random.split(jax.random.key(1), 12):
        population = strategy.ask(state, key)
        state = strategy.tell(state, population, jnp.full(6, -50.0))
    np.testing.assert_array_equal(np.asarray(state.population), np.asarray(first.population)[[5] * 6])
    np.testing.assert_array_equal(np.asarray(state.fitness), 5.0)


def test_duplicates_are_mutated_once_more_and_the_first_of_them_is_spared():
    strategy = Genetic(
        population=400, crossover_probability=0.0, mutation_probability=0.0, gene_probability=1.0, tournament=400
    )
    state = strategy.init(jnp.zeros(3), lambda key: jax.random.normal(key, (3,)), jax.random.key(0))
    state = strategy.tell(state, state.population, jnp.arange(400.0).at[399].set(1e6))
    offspring = strategy.ask(state, jax.random.key(1))
    winners = np.asarray(strategy.select(state.fitness, jax.random.split(jax.random.key(1), 4)[0]))
    parents = np.asarray(state.population)[winners]
    first = np.unique(winners, return_index=True)[1]
    same = (np.asarray(offspring) == parents).all(axis=1)
    assert same[first].all()
    others = np.delete(same, first)
    assert others.size > 300 and 1.0 - others.mean() == pytest.approx(0.8, abs=0.07)


def test_the_first_generation_is_scored_as_it_was_drawn():
    strategy = Genetic(population=6)
    state = strategy.init(jnp.zeros(3), lambda key: jax.random.normal(key, (3,)), jax.random.key(0))
    np.testing.assert_array_equal(np.asarray(strategy.ask(state, jax.random.key(1))), np.asarray(state.population))


def test_the_hall_of_fame_holds_the_best_ever_once_each():
    strategy = Genetic(population=6, hall_of_fame=3)
    state = _after_one(strategy)
    np.testing.assert_array_equal(np.asarray(state.hall_fitness), [5.0, 4.0, 3.0])
    population = state.population.at[0].add(1.0)
    state = strategy.tell(state, population, jnp.asarray([4.5, 1, 2, 3, 4, 5]))
    np.testing.assert_array_equal(np.asarray(state.hall_fitness), [5.0, 4.5, 4.0])
    worse = state.population + 1.0
    after = strategy.tell(state, worse, jnp.full(6, -1.0))
    np.testing.assert_array_equal(np.asarray(after.hall), np.asarray(state.hall))  # though nobody of it lives on
    np.testing.assert_array_equal(np.asarray(strategy.best(after)), np.asarray(state.population[5]))

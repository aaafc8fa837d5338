"""Laws of the strategies one by one: factors, Gaussians, Metropolis' rule, and Kalman's posterior."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.interaction import Constant, LinearDecay
from spikeloop.learners.strategies import (
    Around,
    BeyondTheBest,
    CrossEntropy,
    EnsembleKalmanFilter,
    KnownOptimum,
    MultiplicativeEvolutionStrategy,
    ParallelTempering,
    Perturbed,
    SimulatedAnnealing,
    Unperturbed,
    kalman_update,
)
from spikeloop.learners.strategies.annealing import accepted, swapped

WEIGHTS = jnp.asarray([0.5, -2.0, 0.0, 1e-3])


def nowhere(key):
    raise AssertionError("it does not draw individuals")


def test_candidates_differ_by_factors():
    """Factors 1 + epsilon with epsilon of standard deviation sigma, never below 0.2; zero stays zero."""
    strategy = MultiplicativeEvolutionStrategy(population=5000, sigma=0.5)
    state = strategy.init(WEIGHTS, nowhere, jax.random.key(0))
    population = np.asarray(strategy.ask(state, jax.random.key(1)))
    assert (population[:, 2] == 0).all()
    factors = population[:, [0, 1, 3]] / np.asarray(WEIGHTS)[[0, 1, 3]]
    assert factors.min() == pytest.approx(0.2, abs=1e-5)
    assert (factors < 0.2001).mean() == pytest.approx(0.0548, abs=0.01)  # P(N(0, 1) < -1.6)
    assert np.median(factors) == pytest.approx(1.0, abs=0.03)


def test_the_multiplicative_update_is_the_equation():
    strategy = MultiplicativeEvolutionStrategy(population=4, learning_rate=0.7)
    state = strategy.init(WEIGHTS, nowhere, jax.random.key(0))
    epsilon = np.random.default_rng(0).normal(0, 0.1, (4, 4)).astype(np.float32)
    fitness = np.asarray([1.0, 5.0, -2.0, 8.0], np.float32)
    population = np.asarray(WEIGHTS) * (1 + epsilon)
    z = (fitness - fitness.mean()) / (fitness.std() + 1e-8)
    expected = np.asarray(WEIGHTS) * (1 + 0.7 * (z[:, None] * epsilon).mean(axis=0))
    after = strategy.tell(state, jnp.asarray(population), jnp.asarray(fitness))
    np.testing.assert_allclose(np.asarray(after.weights), expected, rtol=1e-4)


def test_signs_are_kept_whatever_the_learning_rate():
    strategy = MultiplicativeEvolutionStrategy(population=4, learning_rate=1e4)
    state = strategy.init(WEIGHTS, nowhere, jax.random.key(0))
    for key in jax.random.split(jax.random.key(1), 10):
        population = strategy.ask(state, key)
        state = strategy.tell(state, population, jnp.sum(population, axis=1))
        np.testing.assert_array_equal(np.sign(np.asarray(state.weights)), np.sign(np.asarray(WEIGHTS)))


def test_cross_entropy_fits_the_elite():
    strategy = CrossEntropy(population=10, elite=0.3, smoothing=0.25, sigma=2.0, noise=0.5, decay=0.5)
    state = strategy.init(jnp.zeros(2), nowhere, jax.random.key(0))
    population = jax.random.normal(jax.random.key(1), (10, 2))
    fitness = jnp.asarray([0.0, 9, 1, jnp.nan, 8, 2, jnp.inf, 7, 3, 4])
    elite = np.asarray(population)[[1, 4, 7]]
    after = strategy.tell(state, population, fitness)
    np.testing.assert_allclose(np.asarray(after.mean), 0.75 * elite.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.asarray(after.variance), 0.25 * 4.0 + 0.75 * elite.var(axis=0) + 0.5, rtol=1e-5)
    later = strategy.tell(after, population, fitness)
    expected = 0.25 * np.asarray(after.variance) + 0.75 * elite.var(axis=0) + 0.25  # the noise has halved
    np.testing.assert_allclose(np.asarray(later.variance), expected, rtol=1e-5)
    samples = np.asarray(CrossEntropy(population=4000).ask(state, jax.random.key(2)))
    np.testing.assert_allclose(samples.std(axis=0), 2.0, rtol=0.05)


@pytest.mark.parametrize("loss", [0.0, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_acceptance_is_metropolis(loss, temperature):
    """What is better is taken always, what is worse by d with probability exp(-d / T)."""
    count = 20_000
    now, proposed, t = jnp.full(count, 3.0), jnp.full(count, 3.0 - loss), jnp.full(count, temperature)
    taken = np.asarray(accepted(now, proposed, t, jax.random.key(0)))
    assert taken.mean() == pytest.approx(np.exp(-loss / temperature), abs=0.015)
    assert np.asarray(accepted(proposed, now, t, jax.random.key(1))).all()


def test_what_has_no_fitness_is_never_taken_and_always_left():
    unknown, known, t = jnp.full(9, -jnp.inf), jnp.zeros(9), jnp.ones(9)
    assert not np.asarray(accepted(known, unknown, t, jax.random.key(0))).any()
    assert not np.asarray(accepted(unknown, unknown, t, jax.random.key(0))).any()
    assert np.asarray(accepted(unknown, known - 1e6, t, jax.random.key(0))).all()


@pytest.mark.parametrize("strategy", [
    SimulatedAnnealing(population=64, temperature=Constant(0.5), step_size=Constant(1.0), first=Around(0.5)),
    ParallelTempering(population=4, coldest=0.25, hottest=2.0, step_size=Constant(1.0), first=Around(0.5)),
], ids=lambda strategy: type(strategy).__name__)  # fmt: skip
def test_at_constant_temperature_chains_are_distributed_as_boltzmann_says(strategy):
    """F = -x^2 / 2 at temperature T: x ~ N(0, T), with swaps as without."""

    @jax.jit
    def run(key):
        def step(state, key):
            population = strategy.ask(state, key)
            state = strategy.tell(state, population, -0.5 * population[:, 0] ** 2)
            return state, state.chains[:, 0]

        start = strategy.init(jnp.zeros(1), nowhere, jax.random.key(9))
        return jax.lax.scan(step, start, jax.random.split(key, 20_000))[1]

    seen = np.asarray(run(jax.random.key(0)))[500:]
    if isinstance(strategy, ParallelTempering):
        np.testing.assert_allclose(np.asarray(strategy.temperatures), [0.25, 0.5, 1.0, 2.0], rtol=1e-5)
        np.testing.assert_allclose(seen.var(axis=0), [0.25, 0.5, 1.0, 2.0], rtol=0.1)
    else:
        assert seen.var() == pytest.approx(0.5, rel=0.03)
    assert np.abs(seen.mean(axis=0)).max() < 0.15


def test_neighbours_swap_with_the_probability_of_the_closed_form():
    """A better state on the hotter side moves down for certain; a worse one with exp((F_i - F_j)(1/T_j - 1/T_i))."""
    ladder = jnp.asarray([1.0, 2.0, 4.0, 8.0])
    keys = jax.random.split(jax.random.key(0), 20_000)

    def orders(fitness, generation):
        return np.asarray(jax.vmap(lambda k: swapped(fitness, ladder, jnp.int32(generation), k))(keys))

    rising = orders(jnp.asarray([0.0, 1.0, 2.0, 3.0]), 0)
    np.testing.assert_array_equal(rising, np.tile([1, 0, 3, 2], (20_000, 1)))
    falling = orders(jnp.asarray([3.0, 2.0, 1.0, 0.0]), 0)
    assert (falling[:, 0] == 1).mean() == pytest.approx(np.exp(-0.5), abs=0.015)
    assert (falling[:, 2] == 3).mean() == pytest.approx(np.exp(-0.125), abs=0.015)
    np.testing.assert_array_equal(np.sort(falling, axis=1), np.tile([0, 1, 2, 3], (20_000, 1)))
    odd = orders(jnp.asarray([0.0, 1.0, 2.0, -jnp.inf]), 1)
    np.testing.assert_array_equal(odd, np.tile([0, 2, 1, 3], (20_000, 1)))  # now the inner pair; the ends stay


def test_annealing_follows_its_schedules_and_remembers_the_best():
    strategy = SimulatedAnnealing(population=8, step_size=LinearDecay(1.0, 0.0, 10), first=Around(1.0))
    state = strategy.init(jnp.zeros(200), nowhere, jax.random.key(0))
    np.testing.assert_array_equal(np.asarray(strategy.ask(state, jax.random.key(1))), np.asarray(state.chains))
    best = -np.inf
    for generation, key in enumerate(jax.random.split(jax.random.key(2), 12)):
        population = strategy.ask(state, key)
        if generation:
            step = np.asarray(population - state.chains).std()
            assert step == pytest.approx(max(0.0, 1.0 - generation / 10), rel=0.05, abs=1e-6)
        fitness = jnp.sin(100.0 * population[:, 0])
        state = strategy.tell(state, population, fitness)
        best = max(best, float(fitness.max()))
        assert float(state.best_fitness) == best
        assert float(jnp.sin(100.0 * strategy.best(state)[0])) == pytest.approx(best, abs=1e-6)


H = jnp.asarray([[1.0, 0.5, 0.0], [0.0, -1.0, 2.0]])
Y = jnp.asarray([0.7, -0.4])


@pytest.mark.parametrize("observation", [Perturbed(), Unperturbed()])
def test_a_large_ensemble_is_kalmans_posterior(observation):
    """Prior N(m, P), y = H u + N(0, 0.3): mean m + K (y - H m), covariance (1 - K H) P, K = P H^T (H P H^T + 0.3)^-1."""
    members, variance = 100_000, 0.3
    root = jnp.asarray([[1.0, 0.0, 0.0], [0.5, 0.8, 0.0], [-0.3, 0.2, 0.6]])
    mean = jnp.asarray([0.2, -1.0, 0.5])
    prior = mean[None] + jax.random.normal(jax.random.key(0), (members, 3)) @ root.T
    heard = observation(Y, members, variance, jax.random.key(1))
    posterior = np.asarray(kalman_update(prior, prior @ H.T, heard, variance))
    m, h, p = np.asarray(mean), np.asarray(H), np.asarray(root @ root.T)
    k = p @ h.T @ np.linalg.inv(h @ p @ h.T + variance * np.eye(2))
    left = np.eye(3) - k @ h
    np.testing.assert_allclose(posterior.mean(axis=0), m + k @ (np.asarray(Y) - h @ m), atol=0.02)
    covariance = left @ p if isinstance(observation, Perturbed) else left @ p @ left.T
    np.testing.assert_allclose(np.cov(posterior.T), covariance, atol=0.02)


def test_an_ensemble_fits_a_linear_regression():
    """200 data, 4 weights: the mean of the ensemble comes to the least squares solution."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    y = x @ [1.0, -2.0, 0.5, 3.0] + 0.1 * rng.normal(size=200)
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    strategy = EnsembleKalmanFilter(population=40, variance=0.01, inflation=0.0, replaced=0.0, first=Around(2.0))
    x, y = jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32)

    @jax.jit
    def fit(key):
        def step(state, key):
            population = strategy.ask(state, key)
            return strategy.assimilate(state, population, population @ x.T, y), None

        start = strategy.init(jnp.zeros(4), nowhere, key)
        return strategy.best(jax.lax.scan(step, start, jax.random.split(key, 5))[0])

    np.testing.assert_allclose(np.asarray(fit(jax.random.key(0))), solution, atol=0.01)


def test_an_update_stays_in_the_span_of_the_ensemble():
    ensemble = jax.random.normal(jax.random.key(0), (4, 10))
    outputs = jnp.sin(ensemble @ jax.random.normal(jax.random.key(1), (10, 3)))
    after = np.asarray(kalman_update(ensemble, outputs, jnp.ones((4, 3)), 0.1))
    assert np.linalg.matrix_rank(np.concatenate([np.asarray(ensemble), after]), tol=1e-4) == 4
    assert np.abs(after - np.asarray(ensemble)).max() > 0.1


def test_scalar_fitness_where_all_are_equal_moves_nobody():
    strategy = EnsembleKalmanFilter(population=6)
    state = strategy.init(jnp.zeros(3), nowhere, jax.random.key(0))
    population = strategy.ask(state, jax.random.key(1))
    np.testing.assert_array_equal(np.asarray(population), np.asarray(state.ensemble))  # as it was drawn
    after = strategy.tell(state, population, jnp.full(6, 7.0))
    np.testing.assert_allclose(np.asarray(after.ensemble), np.asarray(population), atol=1e-6)


def test_the_worst_are_replaced_by_noisy_copies_of_the_best():
    strategy = EnsembleKalmanFilter(population=10, replaced=0.2, copy_noise=0.01, inflation=0.0)
    state = strategy.init(jnp.zeros(3), nowhere, jax.random.key(0))
    fitness = jnp.asarray([5.0, jnp.nan, 7, 1, 9, 2, 6, 8, 4, 3])
    state = strategy.tell(state, state.ensemble, fitness)
    ensemble, population = np.asarray(state.ensemble), np.asarray(strategy.ask(state, jax.random.key(1)))
    np.testing.assert_allclose(population[[1, 3]], ensemble[[7, 4]], atol=0.05)  # the worst two by the best two
    kept = [0, 2, 4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(population[kept], ensemble[kept])
    inflated = strategy.with_fields(inflation=0.5, replaced=0.0)
    many = np.stack(
        [np.asarray(inflated.ask(state, key)) - ensemble for key in jax.random.split(jax.random.key(2), 200)]
    )
    assert many.std() == pytest.approx(0.5, rel=0.03)


def test_aims():
    best, mean, deviation = jnp.asarray(10.0), jnp.asarray(4.0), jnp.asarray(2.0)
    assert float(BeyondTheBest(0.5)(best, mean, deviation)) == 11.0
    assert float(KnownOptimum(500.0)(best, mean, deviation)) == 500.0

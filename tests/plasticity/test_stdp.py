"""STDP: the table of Labady's experiment, the window of one pair, bounds, traces, and that `FusedSTDP` moves one way."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.plasticity import STDP, FusedSTDP, NearestNeighbour

TICKS = 1000
# Twenty pairs in a second, at 10/20, 60/70, ..., 960/970 ms.
EARLY, LATE = np.zeros((TICKS, 1)), np.zeros((TICKS, 1))
EARLY[np.arange(10, TICKS, 50)] = 1.0
LATE[np.arange(20, TICKS, 50)] = 1.0


@eqx.filter_jit
def _run(rule, weights, pre, post):
    def tick(carry, fired):
        traces, w = carry
        traces, change = rule.step(traces, w, fired[0], fired[1], jnp.ones(()))
        return (traces, w + change), w + change

    return jax.lax.scan(tick, (rule.init(weights), weights), (pre, post))[1]


def run(rule, pre, post, start=500.0):
    """Weights after every tick [tick, pre, post], in double precision."""
    with jax.enable_x64(True):
        weights = jnp.full((pre.shape[1], post.shape[1]), start, jnp.float64)
        return np.asarray(_run(rule, weights, jnp.asarray(pre, jnp.float64), jnp.asarray(post, jnp.float64)))


def trains(seed, ticks=200, pre=3, post=2, rate=0.05):
    rng = np.random.default_rng(seed)
    return (rng.random((ticks, pre)) < rate).astype(float), (rng.random((ticks, post)) < rate).astype(float)


@pytest.mark.parametrize(
    ("rule", "pre_first", "post_first"),
    [
        (FusedSTDP(alpha=1.0), 8.6, 8.4),
        (FusedSTDP(alpha=-1.0), 985.9, 990.7),
        (STDP(alpha=1.0), 548.1, 451.9),
        (STDP(alpha=-1.0), 575.9, 583.8),
    ],
    ids=repr,
)
def test_weight_after_a_second_of_pairs(rule, pre_first, post_first):
    """From 500 of 1000, with rate 0.01 and time constants of 20 ms: recomputed from Labady 2023."""
    assert run(rule, EARLY, LATE)[-1, 0, 0] == pytest.approx(pre_first, abs=0.05)
    assert run(rule, LATE, EARLY)[-1, 0, 0] == pytest.approx(post_first, abs=0.05)


@pytest.mark.parametrize("alpha", [1.0, 0.5, -1.0, -0.3])
@pytest.mark.parametrize("seed", range(3))
def test_fused_moves_one_way_only(alpha, seed):
    weights = run(FusedSTDP(alpha=alpha), *trains(seed, rate=0.2))
    steps = np.diff(weights, axis=0)
    assert (steps <= 0).all() if alpha > 0 else (steps >= 0).all()
    assert steps.any() and (weights >= 0).all() and (weights <= 1000).all()


def one_pair(rule, lag, start=500.0):
    """The weight after one presynaptic spike at tick 50 and one postsynaptic spike `lag` ticks later."""
    pre, post = np.zeros((100, 1)), np.zeros((100, 1))
    pre[50], post[50 + lag] = 1.0, 1.0
    return run(rule, pre, post, start)[-1, 0, 0]


@pytest.mark.parametrize("rule", [STDP(), STDP(mu_plus=0.0, mu_minus=0.0), STDP(mu_plus=0.3, alpha=1.5)], ids=repr)
def test_window_of_one_pair(rule):
    for lag in (1, 7, 30):
        room, height = 0.5**rule.mu_plus, 0.5**rule.mu_minus
        assert one_pair(rule, lag) - 500.0 == pytest.approx(10.0 * room * math.exp(-lag / 20), rel=1e-9)
        assert one_pair(rule, -lag) - 500.0 == pytest.approx(
            -10.0 * rule.alpha * height * math.exp(-lag / 20), rel=1e-9
        )


def test_coincident_spikes_depress():
    """The postsynaptic spike comes first: it finds no presynaptic trace, and the presynaptic one finds a trace of one."""
    assert one_pair(STDP(), 0) == pytest.approx(500.0 - 10.0 * 0.5, rel=1e-12)


def test_time_constants_belong_to_their_sides():
    rule = STDP(tau_pre=10.0, tau_post=40.0)
    assert one_pair(rule, 8) - 500.0 == pytest.approx(5.0 * math.exp(-0.8), rel=1e-9)
    assert one_pair(rule, -8) - 500.0 == pytest.approx(-5.0 * math.exp(-0.2), rel=1e-9)
    finer = rule.with_fields(resolution=0.5)
    assert one_pair(finer, 8) == pytest.approx(one_pair(rule, 4), rel=1e-12)


def test_which_pairs_count():
    """Presynaptic spikes 30 and 10 ms before a postsynaptic one: all to all sees both, nearest neighbour the latter."""
    pre, post = np.zeros((60, 1)), np.zeros((60, 1))
    pre[[20, 40]], post[50] = 1.0, 1.0
    far, near = 5.0 * math.exp(-1.5), 5.0 * math.exp(-0.5)
    assert run(STDP(), pre, post)[-1, 0, 0] == pytest.approx(500.0 + far + near, rel=1e-12)
    assert run(STDP(trace=NearestNeighbour()), pre, post)[-1, 0, 0] == pytest.approx(500.0 + near, rel=1e-12)


@given(seed=st.integers(0, 10_000))
def test_weights_keep_their_bounds(seed):
    pre, post = trains(seed, rate=0.5)
    for rule in (STDP(rate=0.5, mu_plus=0.0, mu_minus=0.0, w_min=100.0), STDP(rate=0.5, alpha=-1.0)):
        weights = run(rule, pre, post)
        assert (weights >= rule.w_min).all() and (weights <= rule.w_max).all()


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), low=st.floats(-10.0, 10.0), width=st.floats(0.1, 20.0))
def test_any_bounds_are_those_of_zero_to_one_moved_and_stretched(seed, low, width):
    pre, post = trains(seed, rate=0.2)
    for rule in (STDP(rate=0.1, alpha=1.2, mu_plus=0.4), STDP(mu_plus=0.0, mu_minus=0.0), FusedSTDP(alpha=-1.0)):
        unit = run(rule.with_fields(w_min=0.0, w_max=1.0), pre, post, 0.3)
        moved = run(rule.with_fields(w_min=low, w_max=low + width), pre, post, low + 0.3 * width)
        np.testing.assert_allclose(moved, low + width * unit, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("side", [-1, 1], ids=["depression", "potentiation"])
def test_hard_bounds_are_met_and_soft_ones_approached(side):
    """40 pairs 2 ms apart in one order only, one every 25 ms; with traces of 1 ms, no pair sees another."""
    first, second = np.zeros((1000, 1)), np.zeros((1000, 1))
    first[0::25], second[2::25] = 1.0, 1.0
    pre, post = (first, second) if side > 0 else (second, first)
    rule = STDP(rate=0.5, tau_pre=1.0, tau_post=1.0, w_min=-2.0, w_max=3.0)
    step, bound, pairs = 0.5 * math.exp(-2.0), 3.0 if side > 0 else -2.0, np.arange(1, 41)
    soft = run(rule, pre, post, 0.5)[2::25, 0, 0]
    np.testing.assert_allclose(bound - soft, (bound - 0.5) * (1.0 - step) ** pairs, rtol=1e-6)
    hard = run(rule.with_fields(mu_plus=0.0, mu_minus=0.0), pre, post, 0.5)[2::25, 0, 0]
    np.testing.assert_allclose(hard, 0.5 + side * np.minimum(5.0 * step * pairs, 2.5), rtol=1e-6)
    assert hard[-1] == bound


@given(seed=st.integers(0, 10_000), start=st.sampled_from([-300.0, 1300.0]))
def test_a_weight_outside_the_bounds_comes_nearer_or_stays(seed, start):
    pre, post = trains(seed, rate=0.3)
    for rule in (STDP(rate=0.1), STDP(rate=0.1, mu_plus=0.0, mu_minus=0.0), STDP(rate=0.1, alpha=-1.0), FusedSTDP()):
        outside = np.concatenate([np.full((1, 3, 2), start), run(rule, pre, post, start)])
        distance = np.maximum(outside - 1000.0, 0.0) + np.maximum(-outside, 0.0)
        assert (np.diff(distance, axis=0) <= 0).all()


@pytest.mark.parametrize("cls", [STDP, FusedSTDP])
@pytest.mark.parametrize("start", [-300.0, 500.0, 1300.0])
def test_a_rate_of_zero_changes_nothing(cls, start):
    assert (run(cls(rate=0.0), *trains(6, rate=0.3), start) == start).all()


@pytest.mark.parametrize("mu", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("cls", [STDP, FusedSTDP])
def test_derivatives_are_finite_at_the_bounds(cls, mu):
    rule = cls(mu_plus=mu, mu_minus=mu)
    spikes = [jnp.asarray(train) for train in trains(7, ticks=50, rate=0.3)]
    for start in (0.0, 1000.0):
        gradient = jax.grad(lambda w: jnp.sum(_run(rule, w, *spikes)[-1]))(jnp.full((3, 2), start))
        assert np.isfinite(np.asarray(gradient)).all()


def test_every_synapse_sees_only_its_own_neurons():
    pre, post = trains(4)
    together = run(STDP(), pre, post)
    for i in range(pre.shape[1]):
        for j in range(post.shape[1]):
            alone = run(STDP(), pre[:, i : i + 1], post[:, j : j + 1])
            np.testing.assert_allclose(together[:, i, j], alone[:, 0, 0], rtol=1e-12)


@pytest.mark.parametrize("cls", [STDP, FusedSTDP])
def test_single_precision_and_vmap(cls):
    pre, post = trains(5)
    pre, post = jnp.asarray(pre, jnp.float32), jnp.asarray(post, jnp.float32)
    starts = jnp.asarray([100.0, 500.0])[:, None, None] * jnp.ones((1, 3, 2))
    many = jax.vmap(lambda w: _run(cls(), w, pre, post))(starts)
    assert many.dtype == jnp.float32
    np.testing.assert_allclose(np.asarray(many[1]), np.asarray(_run(cls(), starts[1], pre, post)), rtol=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rate": -0.1}, "rate must be a finite number of at least 0"),
        ({"tau_pre": -1.0}, "tau_pre must be a positive"),
        ({"mu_plus": -0.1}, "mu_plus must be a finite number of at least 0"),
        ({"w_min": 1000.0}, "w_min must be below w_max, 1000"),
        ({"alpha": math.inf}, "alpha must be a finite number"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=message):
        STDP().with_fields(**fields)

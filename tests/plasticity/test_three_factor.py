"""Three-factor plasticity against hand computations: tags in every order of spikes, eligibilities in closed form, bounds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.plasticity import (
    CentredPairs,
    ExponentialEligibility,
    HardBounds,
    HebbianPairs,
    LatestTag,
    LogisticBounds,
    MeanRescaling,
    NearestTags,
    NoBounds,
    Seen,
    SoftBounds,
    SpikePairs,
    SquarePulse,
    TargetRates,
    ThreeFactor,
    WindowSum,
)

TICKS = 40
TAGS = NearestTags(a_plus=2.0, a_minus=0.5, window=5.0, ignored=1.0)


def train(*ticks, length=TICKS):
    fired = np.zeros((length, 1))
    fired[list(ticks)] = 1.0
    return fired


@eqx.filter_jit
def _course(rule, pre, post, expected):
    """What a modulator of 1 would change after every tick [tick, pre, post]; no weight ever changes."""
    weights = jnp.full((pre.shape[1], post.shape[1]), 0.5)

    def tick(traces, now):
        traces = rule.see(traces, weights, jax.tree.map(lambda leaf: leaf[None], now))
        return traces, rule.change(traces, weights, jnp.ones(()))[1]

    return jax.lax.scan(tick, rule.init(weights), Seen(pre, post, expected))[1]


def course(rule, pre, post, expected=None):
    with jax.enable_x64(True):
        arrays = (None if x is None else jnp.asarray(x, jnp.float64) for x in (pre, post, expected))
        return np.asarray(_course(rule, *arrays))


def rule(pairs, eligibility, **fields):
    return ThreeFactor(**{"rate": 1.0, "pairs": pairs, "eligibility": eligibility, "bounds": NoBounds(), **fields})


@pytest.mark.parametrize("lag", range(-8, 9))
def test_nearest_tags_are_square_pulses_of_the_intervals_that_count(lag):
    """Post `lag` ms after pre: the first order tags by 2 from 2 to 5 ms, the other by -0.5; a tag lives 12 ms and its own tick."""
    pre, post = 10, 10 + lag
    seen = course(rule(TAGS, SquarePulse(12.0)), train(pre), train(post))[:, 0, 0]
    expected = np.zeros(TICKS)
    if 2 <= abs(lag) <= 5:
        later = max(pre, post)
        expected[later : later + 13] = 2.0 if lag > 0 else -0.5
    np.testing.assert_allclose(seen, expected)


def by_hand(pre, post, duration):
    """The published procedure, spike by spike: latest spikes, latest tags, and a reward of 1 after every tick."""
    last_pre = last_post = hebb = anti = -np.inf
    changes = []
    for now in range(len(pre)):
        if post[now] and 1 < now - last_pre <= 5:
            hebb = now
        if pre[now] and 1 < now - last_post <= 5:
            anti = now
        last_pre, last_post = now if pre[now] else last_pre, now if post[now] else last_post
        changes.append(2.0 * (now - hebb <= duration) - 0.5 * (now - anti <= duration))
    return np.asarray(changes)


def test_nearest_tags_against_the_published_procedure():
    rng = np.random.default_rng(0)
    pre, post = ((rng.random((300, n)) < 0.15).astype(float) for n in (3, 2))
    seen = course(rule(TAGS, SquarePulse(9.0)), pre, post)
    for i in range(3):
        for j in range(2):
            np.testing.assert_allclose(seen[:, i, j], by_hand(pre[:, i], post[:, j], 9))
    assert {-0.5, 0.0, 1.5, 2.0} == set(np.unique(seen).tolist())


def test_eligibilities_of_one_pair_in_closed_form():
    """Pre at 3, post at 7 and again at 20 with nothing near: what is left after every tick."""
    pre, post = train(3, 18), train(7, 20)
    t = np.arange(TICKS)
    first, second = np.where(t >= 7, t - 7.0, np.inf), np.where(t >= 20, t - 20.0, np.inf)
    tags = NearestTags(a_minus=0.0)
    fading = course(rule(tags, ExponentialEligibility(6.0)), pre, post)[:, 0, 0]
    np.testing.assert_allclose(fading, np.exp(-first / 6.0) + np.exp(-second / 6.0))
    latest = course(rule(tags, LatestTag(6.0)), pre, post)[:, 0, 0]
    np.testing.assert_allclose(latest, np.exp(-np.minimum(first, second) / 6.0))
    pulse = course(rule(tags, SquarePulse(5.0)), pre, post)[:, 0, 0]
    np.testing.assert_allclose(pulse, (np.minimum(first, second) <= 5).astype(float))


def all_pairs(pairs, pre, post):
    """Of every synapse, STDP's window summed over all pairs of spikes."""
    lag = np.arange(len(post))[None, :] - np.arange(len(pre))[:, None]
    plus = pairs.a_plus * np.exp(-lag / pairs.tau_pre) * (lag > 0)
    minus = pairs.a_minus * np.exp(np.minimum(lag, 0) / pairs.tau_post) * (lag <= 0)
    return pre.T @ (plus - minus) @ post


def test_a_window_sums_the_window_of_stdp_over_all_pairs_and_begins_anew_after_a_reward():
    rng = np.random.default_rng(1)
    pre, post = ((rng.random((TICKS, n)) < 0.2).astype(float) for n in (3, 2))
    summed = rule(SpikePairs(0.7, 1.1, 8.0, 15.0), WindowSum())
    with jax.enable_x64(True):
        weights = jnp.full((3, 2), 0.5, jnp.float64)
        seen = Seen(jnp.asarray(pre), jnp.asarray(post))
        traces, change = summed.change(summed.see(summed.init(weights), weights, seen), weights, jnp.ones(()))
        np.testing.assert_allclose(np.asarray(change), all_pairs(summed.pairs, pre, post), rtol=1e-10)
        assert not summed.change(traces, weights, jnp.ones(()))[1].any()


@pytest.mark.parametrize(
    "pairs", [SpikePairs(), HebbianPairs(3.0), CentredPairs(), TAGS], ids=lambda pairs: type(pairs).__name__
)
@pytest.mark.parametrize("eligibility", [ExponentialEligibility(7.0), SquarePulse(7.0), LatestTag(7.0), WindowSum()])
def test_ticks_may_be_seen_one_by_one_or_together(pairs, eligibility):
    rng = np.random.default_rng(2)
    pre, post = ((rng.random((12, n)) < 0.4).astype(np.float32) for n in (3, 2))
    one = rule(pairs, eligibility)
    seen = Seen(*map(jnp.asarray, (pre, post, rng.random((12, 2)).astype(np.float32))))
    weights = jnp.full((3, 2), 0.5)
    together = one.see(one.init(weights), weights, seen)
    apart = one.init(weights)
    for part in (slice(0, 5), slice(5, 6), slice(6, 12)):
        apart = one.see(apart, weights, jax.tree.map(lambda leaf, part=part: leaf[part], seen))
    for a, b in zip(jax.tree.leaves(apart), jax.tree.leaves(together), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-6)
    assert np.asarray(one.change(together, weights, jnp.ones(()))[1]).any()


def eligible(bounds=None, rate=0.3):
    """A rule with something to change, its traces and its weights."""
    one = rule(HebbianPairs(), WindowSum(), rate=rate, bounds=bounds or NoBounds())
    weights = jnp.asarray([[0.2, -0.4], [0.9, 0.0]])
    return one, one.see(one.init(weights), weights, Seen(jnp.ones((3, 2)), jnp.ones((3, 2)))), weights


def test_change_is_odd_in_the_modulator_and_none_without():
    one, traces, weights = eligible()
    gain = one.change(traces, weights, jnp.asarray(0.7))[1]
    np.testing.assert_allclose(np.asarray(gain), 0.3 * 0.7 * 3.0, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(one.change(traces, weights, jnp.asarray(-0.7))[1]), -np.asarray(gain))
    assert not one.change(traces, weights, jnp.zeros(()))[1].any()


def test_modulator_may_be_one_number_for_each_neuron_or_synapse():
    one, traces, weights = eligible()
    of_all = np.asarray(one.change(traces, weights, jnp.ones(()))[1])
    for told in (np.asarray([1.0, -0.5], np.float32), np.asarray([[1.0, 2.0], [0.0, -1.0]], np.float32)):
        np.testing.assert_allclose(np.asarray(one.change(traces, weights, jnp.asarray(told))[1]), told * of_all)


@pytest.mark.parametrize("bounds", [HardBounds(-0.5, 1.0), SoftBounds(-0.5, 1.0), LogisticBounds(-0.5, 1.0)])
@settings(max_examples=20)
@given(told=st.lists(st.floats(-50.0, 50.0, width=32), min_size=1, max_size=4))
def test_weights_never_leave_their_bounds(bounds, told):
    one, traces, weights = eligible(bounds, rate=1.0)
    for m in told:
        weights = weights + one.bounds(weights, m * one.eligibility.read(traces.eligibility))
        assert np.asarray(weights).min() >= -0.5 - 1e-6 and np.asarray(weights).max() <= 1.0 + 1e-6


def test_how_bounds_damp_a_change():
    w, up = jnp.asarray([[0.25]]), jnp.asarray([[0.01]])
    assert HardBounds(-1.0, 1.0)(w, up)[0, 0] == pytest.approx(0.01, rel=1e-5)
    assert SoftBounds(-1.0, 1.0)(w, up)[0, 0] == pytest.approx(0.01 * 0.375, rel=1e-5)
    assert SoftBounds(-1.0, 1.0)(w, -up)[0, 0] == pytest.approx(-0.01 * 0.625, rel=1e-5)
    assert LogisticBounds(-1.0, 1.0)(w, up)[0, 0] == pytest.approx(0.01 * 0.625 * 0.375, rel=1e-5)
    outside = jnp.asarray([[3.0]])
    assert not HardBounds(-1.0, 1.0)(outside, up).any()  # never further out; inwards it may go
    assert HardBounds(-1.0, 1.0)(outside, -up)[0, 0] == pytest.approx(-0.01, rel=1e-4)


def test_homeostasis_rescales_to_the_first_mean_and_moves_it_towards_the_target():
    first, now = jnp.asarray([[1.0, 2.0], [3.0, 4.0]]), jnp.asarray([[2.0, 1.0], [4.0, 1.0]])
    keep = MeanRescaling(every=2)
    state, weights = keep.step(keep.init(first), now, jnp.zeros(2))
    np.testing.assert_array_equal(np.asarray(weights), np.asarray(now))
    state, weights = keep.step(state, weights, jnp.zeros(2))
    np.testing.assert_allclose(np.asarray(weights), [[4.0 / 3.0, 3.0], [8.0 / 3.0, 3.0]], rtol=1e-6)
    move = TargetRates(every=1, target=1.0, adapt_every=1, step_size=0.1, window=2.0)
    state, weights = move.step(move.init(first), first, jnp.asarray([0.0, 5.0]))  # one fires too little, one too much
    np.testing.assert_allclose(np.asarray(weights), np.asarray(first) * np.asarray([1.1, 0.9]), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ExponentialEligibility(0.0),
            r"^ExponentialEligibility\.tau must be a positive finite number, got 0\.0$",
        ),
        (lambda: SquarePulse(0.0), r"^SquarePulse\.duration must be a positive finite number"),
        (lambda: NearestTags(window=1.0, ignored=1.0), r"^NearestTags\.ignored must be at least 0 and below window, 1"),
        (lambda: HardBounds(1.0, 1.0), r"^HardBounds\.w_min must be below w_max, 1"),
        (
            lambda: rule(CentredPairs(), WindowSum()).step(
                None, jnp.ones((1, 1)), jnp.ones(1), jnp.ones(1), jnp.ones(())
            ),
            r"^ThreeFactor needs the probability of spikes, which is not known here$",
        ),
    ],
)
def test_mistakes_are_answered_in_one_line(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()

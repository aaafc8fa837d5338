"""Running statistics of observations, against NumPy's over all of them at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.interaction import NoNormalisation, RunningStandardisation
from spikeloop.policies import DeepPolicy, StandardisedPolicy

BATCHES = [
    np.random.default_rng(n).normal([3.0, -50.0, 0.0], [0.1, 20.0, 1.0], (size, 3)) for n, size in enumerate((1, 7, 50))
]


def observed(normalisation, batches):
    known = normalisation.init(3)
    for batch in batches:
        known = normalisation.observe(known, jnp.asarray(batch, jnp.float32))
    return known


def test_batch_by_batch_gives_mean_and_deviation_of_everything():
    known, everything = observed(RunningStandardisation(), BATCHES), np.concatenate(BATCHES)
    assert known.count == len(everything)
    np.testing.assert_allclose(known.mean, everything.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(1.0 / known.scale, everything.std(axis=0), rtol=1e-4)


def test_how_observations_are_cut_into_batches_does_not_matter():
    everything = np.concatenate(BATCHES)
    in_ones = observed(RunningStandardisation(), [row[None] for row in everything])
    at_once = observed(RunningStandardisation(), [everything])
    np.testing.assert_allclose(in_ones.scale, at_once.scale, rtol=1e-4)
    np.testing.assert_allclose(in_ones.mean, at_once.mean, rtol=1e-4, atol=1e-5)


def test_a_long_run_far_from_zero_keeps_its_precision():
    """A million observations in batches of 50, at 1000 +- 1: single precision must not wash out the deviation."""
    batches = 1000.0 + jax.random.normal(jax.random.key(0), (20_000, 50, 1))
    normalisation = RunningStandardisation()
    known, _ = jax.lax.scan(
        lambda known, batch: (normalisation.observe(known, batch), None), normalisation.init(1), batches
    )
    np.testing.assert_allclose(1.0 / known.scale, 1.0, rtol=0.01)
    np.testing.assert_allclose(known.mean, 1000.0, rtol=1e-5)


def test_standardised_within_the_limit():
    normalisation = RunningStandardisation(limit=2.0)
    known = observed(normalisation, BATCHES)
    seen = normalisation(known, jnp.asarray([3.1, 1e6, -1e6]))
    everything = np.concatenate(BATCHES)
    np.testing.assert_allclose(seen[0], (3.1 - everything[:, 0].mean()) / everything[:, 0].std(), rtol=1e-3)
    np.testing.assert_allclose(seen[1:], [2.0, -2.0])


def test_before_anything_was_seen_only_the_limit_applies():
    normalisation = RunningStandardisation()
    seen = normalisation(normalisation.init(3), jnp.asarray([0.5, -7.0, 2.0]))
    np.testing.assert_allclose(seen, [0.5, -3.0, 2.0], rtol=1e-6)


def test_a_variable_that_never_changes_is_no_infinity():
    known = observed(RunningStandardisation(), [np.full((50, 3), 0.1)] * 3)
    assert np.isfinite(RunningStandardisation()(known, jnp.full(3, 0.1))).all()


@pytest.mark.parametrize("normalisation", [RunningStandardisation(limit=1.5), NoNormalisation()])
def test_the_policy_that_is_handed_over_does_the_same_to_raw_observations(normalisation):
    policy, known, obs = DeepPolicy((8,)), observed(normalisation, BATCHES), jnp.asarray([2.9, -90.0, 5.0])
    params = policy.init(3, 2, jax.random.key(0))
    inside = policy(params, None, normalisation(known, obs), None)[1].output
    outside = normalisation.policy(policy)(normalisation.params(known, params), None, obs, None)[1].output
    np.testing.assert_array_equal(inside, outside)


def test_no_gradient_reaches_the_standardisation():
    policy = StandardisedPolicy(DeepPolicy((8,)))
    params = policy.init(3, 2, jax.random.key(0))
    gradient = jax.grad(lambda params: jnp.sum(policy(params, None, jnp.ones(3), None)[1].output))(params)
    assert not gradient.mean.any() and not gradient.scale.any()
    assert all(leaf.any() for leaf in jax.tree.leaves(gradient.policy)[-2:])


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_must_be_positive(limit):
    with pytest.raises(InvalidInput, match=r"RunningStandardisation\.limit must be a positive finite number"):
        RunningStandardisation(limit)

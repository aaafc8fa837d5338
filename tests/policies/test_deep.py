"""The deep policy: a plain network of rectified linear units; and the policy that sees nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from spikeloop.errors import InvalidInput
from spikeloop.policies import BlindPolicy, DeepPolicy

OBS = jnp.asarray([0.5, -1.0, 2.0])


def test_equals_the_formula():
    policy = DeepPolicy((4, 5), gain=2.0)
    params = policy.init(3, 2, jax.random.key(0))
    x = 2.0 * np.asarray(OBS, float)
    for layer in params[:-1]:
        x = np.maximum(x @ np.asarray(layer.weight, float) + np.asarray(layer.bias, float), 0.0)
    expected = x @ np.asarray(params[-1].weight, float) + np.asarray(params[-1].bias, float)
    _, decision = policy(params, None, OBS, None)
    np.testing.assert_allclose(np.asarray(decision.output), expected, rtol=1e-5, atol=1e-6)
    assert decision.spikes == () and policy.populations(2) == ()


def test_without_hidden_layers_it_is_linear():
    policy = DeepPolicy(())
    params = policy.init(3, 2, jax.random.key(0))

    def output(x):
        return policy(params, None, x, None)[1].output

    zero = output(jnp.zeros(3))
    np.testing.assert_allclose(np.asarray(output(OBS) + output(-OBS)), np.asarray(2.0 * zero), rtol=1e-5, atol=1e-6)
    assert float(jnp.abs(output(OBS) - zero).max()) > 0.01


def test_gradient_equals_finite_differences():
    policy = DeepPolicy((16,))
    params = policy.init(3, 1, jax.random.key(0))
    check_grads(lambda p: policy(p, None, OBS, None)[1].output, (params,), order=1, modes=["rev"], rtol=0.05)


def test_trace_is_one_tick_of_the_output():
    policy = DeepPolicy((4,))
    params = policy.init(3, 2, jax.random.key(0))
    _, traced = policy.trace(params, None, OBS, None)
    np.testing.assert_array_equal(np.asarray(traced.trace.evidence), np.asarray(traced.decision.output)[None])
    assert traced.trace.spikes == () and policy.ticks_per_decision == 1


def test_blind_policy_does_not_look():
    _, one = BlindPolicy()((), None, OBS, None)
    _, two = BlindPolicy()((), None, -OBS, None)
    assert float(one.output[0]) == float(two.output[0]) == 0.0


@pytest.mark.parametrize("fields", [{"widths": (0,)}, {"widths": (-4,)}, {"gain": float("nan")}])
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match="DeepPolicy"):
        DeepPolicy(**fields)

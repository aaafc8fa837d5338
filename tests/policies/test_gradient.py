"""Back-propagation through time and spikes (STBP), by hand, on one input, one hidden neuron and one output.

v_t = leak u_{t-1} + w x + b      o_t = 1[v_t >= 1]      u_t = v_t (1 - o_t)      y_t = y_{t-1} + (W o_t + B - y_{t-1})/tau
e_t = dy_T/dv_t = h(v_t - 1) dy_T/do_t + leak (1 - o_t) e_{t+1}
dy_T/do_t = W (1 - 1/tau)^(T - t) / tau - leak v_t e_{t+1}      (the last term only if the reset is not detached)
dy_T/dw = x sum e_t,   dy_T/db = sum e_t
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.decoders import LastMembrane
from spikeloop.networks import FeedForward, Layer, Linear
from spikeloop.neurons import Detached, HardReset, IntegrateAndFire, LeakyIntegrateAndFire, LeakyIntegrator, Sigmoid
from spikeloop.policies import SpikingParams, SpikingPolicy

TICKS, TAU, SLOPE = 3, 4.0, 4.0
X, READ_WEIGHT, READ_BIAS = 1.5, 0.8, -0.3


def by_hand(w, b, leak, detached):
    """dy/dw, dy/db, dy/dW and dy/dB from the equations above."""
    u, v, o = 0.0, [], []
    for _ in range(TICKS):
        v.append(leak * u + w * X + b)
        o.append(1.0 if v[-1] >= 1.0 else 0.0)
        u = v[-1] * (1.0 - o[-1])
    assert 0.0 in o and 1.0 in o  # the neuron fires, but not always
    kernel = [(1 - 1 / TAU) ** (TICKS - 1 - t) / TAU for t in range(TICKS)]
    error, errors = 0.0, []
    for t in reversed(range(TICKS)):
        s = 1.0 / (1.0 + np.exp(-SLOPE * (v[t] - 1.0)))
        through_spike = READ_WEIGHT * kernel[t] - (0.0 if detached else leak * v[t] * error)
        error = SLOPE * s * (1 - s) * through_spike + leak * (1 - o[t]) * error
        errors.append(error)
    total = sum(errors)
    return X * total, total, float(np.dot(kernel, o)), sum(kernel)


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("leak", [1.0, 0.5])
@pytest.mark.parametrize(("w", "b"), [(0.5, 0.1), (0.4, 0.2), (0.7, -0.2)])
def test_gradient_equals_stbp_by_hand(w, b, leak, detached):
    reset = Detached(HardReset()) if detached else HardReset()
    if leak == 1.0:
        neuron = IntegrateAndFire(1.0, reset, Sigmoid(SLOPE))
    else:
        neuron = LeakyIntegrateAndFire(1 / (1 - leak), 1.0, reset, Sigmoid(SLOPE))
    policy = SpikingPolicy(network=FeedForward((1,), neuron), decoder=LastMembrane(LeakyIntegrator(TAU)), ticks=TICKS)
    params = SpikingParams(
        None,
        (Layer(jnp.full((1, 1), w), jnp.full(1, b)),),
        Linear(jnp.full((1, 1), READ_WEIGHT), jnp.full(1, READ_BIAS)),
    )

    def output(params):
        return policy(params, policy.init_state(params), jnp.asarray([X]), None)[1].output[0]

    gradient = jax.grad(output)(params)
    found = [
        *gradient.network[0].weight[0],
        *gradient.network[0].bias,
        *gradient.decoder.weight[0],
        *gradient.decoder.bias,
    ]
    np.testing.assert_allclose(np.asarray(found), by_hand(w, b, leak, detached), rtol=1e-4)


def test_gradient_of_the_readout_equals_finite_differences():
    """The output is linear in the readout's weights, so a difference of any size is the derivative."""
    policy = SpikingPolicy(network=FeedForward((8,), IntegrateAndFire(0.3)), ticks=5)
    params = policy.init(2, 1, jax.random.key(0))

    def output(readout):
        changed = SpikingParams(params.encoder, params.network, readout)
        return policy(changed, policy.init_state(params), jnp.asarray([1.0, -2.0]), None)[1].output[0]

    gradient = jax.grad(output)(params.decoder)
    move = Linear(jax.random.normal(jax.random.key(1), (8, 1)), jnp.ones(1))
    slope = sum(jnp.sum(g * m) for g, m in zip(jax.tree.leaves(gradient), jax.tree.leaves(move), strict=True))
    moved = jax.tree.map(lambda p, m: p + m, params.decoder, move)
    assert float(output(moved) - output(params.decoder)) == pytest.approx(float(slope), rel=1e-4)
    assert abs(float(slope)) > 0.1

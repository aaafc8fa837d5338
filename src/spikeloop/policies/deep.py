"""A deep network under the contract of a policy: the ANN twin that every spiking result stands beside."""

import jax
import jax.numpy as jnp

from spikeloop.component import require_counts
from spikeloop.encoders.direct import check_gain, require_gain
from spikeloop.networks import Linear
from spikeloop.policies._base import AbstractPolicy, Decision, Trace, TracedDecision


class AbstractTimelessPolicy(AbstractPolicy):
    """What the policies share that have no ticks, no spikes and no state."""

    @property
    def stochastic(self):
        return False

    @property
    def carries_state(self):
        return False

    @property
    def ticks_per_decision(self):
        return 1

    def populations(self, out_size):
        return ()

    def init_state(self, params):
        return None

    def trace(self, params, state, obs, key):
        state, decision = self(params, state, obs, key)
        return state, TracedDecision(decision, Trace((), decision.output[None, :]))


class DeepPolicy(AbstractTimelessPolicy):
    """Fully connected network of rectified linear units: the ANN twin of a spiking policy of the same widths."""

    widths: tuple[int, ...] = (64,)  # units of each hidden layer
    gain: float | tuple[float, ...] = 1.0  # factor on the observation: one for all variables, or one for each

    def __check_init__(self):
        require_counts(self, "widths", least=0)
        require_gain(self)

    def init(self, obs_size, out_size, key):
        check_gain(self.gain, obs_size)
        sizes = (obs_size, *self.widths, out_size)
        keys = jax.random.split(key, len(sizes) - 1)
        return tuple(Linear.init(n, m, k) for n, m, k in zip(sizes[:-1], sizes[1:], keys, strict=True))

    def __call__(self, params, state, obs, key):
        x = jnp.ravel(obs) * jnp.asarray(self.gain, obs.dtype)
        for layer in params[:-1]:
            x = jax.nn.relu(layer(x))
        return state, Decision(params[-1](x), ())


class BlindPolicy(AbstractTimelessPolicy):
    """No network at all: puts out a zero whatever it sees. Random actions stand on it."""

    def init(self, obs_size, out_size, key):
        return ()

    def __call__(self, params, state, obs, key):
        return state, Decision(jnp.zeros(1), ())

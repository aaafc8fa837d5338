"""A deep network under the contract of a policy: the ANN twin that every spiking result stands beside."""

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import require_counts
from spikeloop.encoders.direct import check_gain, require_gain
from spikeloop.networks import Linear
from spikeloop.policies._base import AbstractPolicy, Activity, Decision, Trace, TracedDecision, Traffic


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
        return state, Decision(params[-1](self._heard(params, obs)[-1]), ())

    def activity(self, params, state, obs, key):
        heard = self._heard(params, obs)
        decision = Decision(params[-1](heard[-1]), ())
        return state, Activity(decision, layered_traffic(params, heard), tuple(x[None] for x in heard[1:]))

    def _heard(self, params, obs):
        """What each layer hears, the first one first."""
        heard = [jnp.ravel(obs) * jnp.asarray(self.gain, obs.dtype)]
        for layer in params[:-1]:
            heard.append(jax.nn.relu(layer(heard[-1])))
        return heard


class BlindPolicy(AbstractTimelessPolicy):
    """No network at all: puts out a zero whatever it sees. Random actions stand on it."""

    def init(self, obs_size, out_size, key):
        return ()

    def __call__(self, params, state, obs, key):
        return state, Decision(jnp.zeros(1), ())


def layered_traffic(layers: Sequence[Linear], heard: Sequence[Float[Array, " _"]]) -> tuple[Traffic, ...]:
    """What a stack of layers sends in a decision, given what each of them hears."""
    names = ["inputs", *(f"layer {place}" for place in range(len(layers) - 1)), "output"]
    ways = (f"{pre} to {post}" for pre, post in itertools.pairwise(names))
    return tuple(Traffic(layer.weight, x[None], way) for layer, x, way in zip(layers, heard, ways, strict=True))

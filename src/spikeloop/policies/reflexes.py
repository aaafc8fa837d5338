"""Controllers without learning for vehicles: two reflexes, and a policy made of two that take turns.

    away from what is near    turn = clip(gain sum_i c_i s_i, -1, 1)     s_i: nearness by the sensors, from left to right
                              c_i = sign(x_i) (1 - |x_i| / 2)            x_i: their places, evenly from -1 to 1
    towards the target        turn = clip(gain b, -1, 1)                 b: direction of the target

The first is Braitenberg's vehicle with crossed inhibition ("Vehicles", 1984): what is near on one side turns it to the other, the
more the nearer to straight ahead. Positive turns go left. Both have no parameters; together they are the teacher that the
controllers of Bing et al. 2019 imitate.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.component import require_count, require_finite, require_positive
from spikeloop.errors import InvalidInput
from spikeloop.policies._base import AbstractPolicy, Activity, Decision, Trace, TracedDecision, Traffic
from spikeloop.policies.deep import AbstractTimelessPolicy


class AbstractReflex(AbstractTimelessPolicy):
    """A policy without parameters whose one output is a turn, or the same turn for each of several outputs."""

    def init(self, obs_size, out_size, key):
        return ()


class TurnAway(AbstractReflex):
    """Turns away from the side on which more is near: a Braitenberg vehicle."""

    gain: float = 3.0  # turn for one unit of difference between the sides

    def __check_init__(self):
        require_positive(self, "gain")

    def __call__(self, params, state, obs, key):
        across = np.linspace(-1.0, 1.0, obs.size) if obs.size > 1 else np.zeros(1)
        connections = np.sign(across) * (1.0 - 0.5 * np.abs(across))
        turn = self.gain * jnp.sum(obs.ravel() * jnp.asarray(connections, obs.dtype))
        return state, Decision(jnp.clip(turn, -1.0, 1.0)[None], ())


class TurnTowards(AbstractReflex):
    """Turns towards the target, whose direction is the first number that it sees."""

    gain: float = 3.0  # turn for one unit of direction

    def __check_init__(self):
        require_positive(self, "gain")

    def __call__(self, params, state, obs, key):
        return state, Decision(jnp.clip(self.gain * obs.ravel()[:1], -1.0, 1.0), ())


class NearOrFarParams(eqx.Module):
    """Parameters of both policies; or their states."""

    near: Any
    far: Any


class NearOrFar(AbstractPolicy):
    """Two policies of which one decides: the first where any of its sensors reaches a threshold, else the second.

    The first sees the first `sensors` numbers of an observation, the second the others. Both are computed; only the one that
    decides is heard, and its spikes alone are counted.
    """

    near: AbstractPolicy = TurnAway()  # decides where something is near
    far: AbstractPolicy = TurnTowards()  # decides elsewhere
    sensors: int = 1  # numbers of the observation that the first policy sees
    threshold: float = 0.5  # of the largest of them, from which on the first decides

    def __check_init__(self):
        require_count(self, "sensors")
        require_finite(self, "threshold")

    @property
    def stochastic(self):
        return self.near.stochastic or self.far.stochastic

    @property
    def carries_state(self):
        return self.near.carries_state or self.far.carries_state

    @property
    def ticks_per_decision(self):
        return max(self.near.ticks_per_decision, self.far.ticks_per_decision)

    def is_near(self, obs: Float[Array, "..."]) -> Array:
        """Whether the first policy decides."""
        return jnp.max(obs.ravel()[: self.sensors]) >= self.threshold

    def seen(self, obs: Float[Array, "..."]) -> tuple[Float[Array, " near"], Float[Array, " far"]]:
        """What each of the two sees."""
        return obs.ravel()[: self.sensors], obs.ravel()[self.sensors :]

    def populations(self, out_size):
        return (*self.near.populations(out_size), *self.far.populations(out_size))

    def init(self, obs_size, out_size, key):
        if obs_size <= self.sensors:
            raise InvalidInput(f"sensors must be below {obs_size}, the numbers of an observation, got {self.sensors}")
        near_key, far_key = jax.random.split(key)
        near = self.near.init(self.sensors, out_size, near_key)
        return NearOrFarParams(near, self.far.init(obs_size - self.sensors, out_size, far_key))

    def init_state(self, params):
        return NearOrFarParams(self.near.init_state(params.near), self.far.init_state(params.far))

    def __call__(self, params, state, obs, key):
        state, near, far = self._both("__call__", params, state, obs, key)
        return state, self._decided(self.is_near(obs), near, far)

    def memory(self, params):
        return self.near.memory(params.near), self.far.memory(params.far)

    def activity(self, params, state, obs, key):
        state, near, far = self._both("activity", params, state, obs, key)
        named = [(name, one) for name, part in (("near: ", near), ("far: ", far)) for one in part.traffic]
        return state, Activity(
            self._decided(self.is_near(obs), near.decision, far.decision),
            tuple(Traffic(one.weights, one.inputs, name + one.name, one.constant) for name, one in named),
            (*near.outputs, *far.outputs),
            (*near.potentials, *far.potentials),
        )

    def trace(self, params, state, obs, key):
        return self._laid_out("trace", params, state, obs, key)

    def probe(self, params, state, obs, key):
        """The potentials of both policies, also of the one that is not heard."""
        return self._laid_out("probe", params, state, obs, key)

    def _both(self, how, params, state, obs, key):
        """What the method of that name of each policy says, and the state of both."""
        near_key, far_key = (None, None) if key is None else jax.random.split(key)
        near_obs, far_obs = self.seen(obs)
        look, look_far = getattr(self.near, how), getattr(self.far, how)
        near_state, near = look(params.near, state.near, near_obs, near_key if self.near.stochastic else None)
        far_state, far = look_far(params.far, state.far, far_obs, far_key if self.far.stochastic else None)
        return NearOrFarParams(near_state, far_state), near, far

    def _laid_out(self, how, params, state, obs, key):
        """The decision tick by tick; the policy that is not heard is silent."""
        state, near, far = self._both(how, params, state, obs, key)
        first = self.is_near(obs)
        one, other = (self._ticks(trace.trace.evidence) for trace in (near, far))
        spikes = (
            *(jnp.where(first, self._ticks(fired, 0.0), 0.0) for fired in near.trace.spikes),
            *(jnp.where(first, 0.0, self._ticks(fired, 0.0)) for fired in far.trace.spikes),
        )
        membranes = tuple(
            None if v is None else self._ticks(v)
            for trace in (near.trace, far.trace)
            for v in trace.membranes or (None,) * len(trace.spikes)
        )
        decision = self._decided(first, near.decision, far.decision)
        evidence = jnp.where(first, one, other)
        return state, TracedDecision(decision, Trace(spikes, evidence, membranes if how == "probe" else ()))

    def _decided(self, first, near, far):
        spikes = (
            *(jnp.where(first, counts, 0.0) for counts in near.spikes),
            *(jnp.where(first, 0.0, counts) for counts in far.spikes),
        )
        return Decision(jnp.where(first, near.output, far.output), spikes)

    def _ticks(self, rows: Float[Array, "ticks _"], then: float | None = None) -> Float[Array, "all _"]:
        """As many ticks as the longer of the two has: no spikes then, or the last reading."""
        missing = self.ticks_per_decision - rows.shape[0]
        last = jnp.broadcast_to(rows[-1:], (missing, rows.shape[1]))
        return jnp.concatenate([rows, last if then is None else jnp.full_like(last, then)])

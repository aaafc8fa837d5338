"""Tiny worlds with known answers."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32

from spikeloop.environments import AbstractEnvironment, Box, Discrete, Spec, Step


class WorldState(eqx.Module):
    """What the agent sees, and the steps taken in this episode."""

    obs: Float[Array, "..."]
    steps: Int32[Array, ""]


class AbstractWorld(AbstractEnvironment):
    """A world of `lasts` steps, two actions and one number to see."""

    lasts = 1

    @property
    def spec(self):
        return Spec(type(self).__name__, (1,), Discrete(2), self.lasts)

    def reset(self, key):
        state = WorldState(self._first(key), jnp.zeros((), jnp.int32))
        return state, state.obs

    def step(self, state, action, key):
        steps = state.steps + 1
        after = WorldState(self._next(state), steps)
        over = steps >= self.lasts
        return after, Step(after.obs, self._reward(state, action), over, jnp.zeros((), bool))

    def _first(self, key):
        return jnp.ones(1)

    def _next(self, state):
        return state.obs

    def _reward(self, state, action):
        return jnp.ones(())


def _sign(key):
    return jnp.where(jax.random.bernoulli(key), 1.0, -1.0)[None]


class ConstantReward(AbstractWorld):
    """One step, reward 1: Q = 1 for either action."""


class ObservationReward(AbstractWorld):
    """One step, the reward is what was seen, 1 or -1: Q = obs."""

    def _first(self, key):
        return _sign(key)

    def _reward(self, state, action):
        return state.obs[0]


class DelayedReward(AbstractWorld):
    """Two steps, reward 1 at the second only: Q = discount at the first observation (-1), 1 at the second (1)."""

    lasts = 2

    def _first(self, key):
        return -jnp.ones(1)

    def _next(self, state):
        return jnp.ones(1)

    def _reward(self, state, action):
        return state.steps.astype(jnp.float32)


class ActionReward(AbstractWorld):
    """One step, reward 1 for action 1 and -1 for action 0."""

    def _reward(self, state, action):
        return jnp.where(action == 1, 1.0, -1.0)


class MatchingReward(AbstractWorld):
    """One step, reward 1 if the action is the sign of what is seen, else -1."""

    def _first(self, key):
        return _sign(key)

    def _reward(self, state, action):
        return jnp.where((action == 1) == (state.obs[0] > 0), 1.0, -1.0)


class Cut(AbstractWorld):
    """One step with reward 1, then the time limit: Q = 1 + discount Q = 1 / (1 - discount)."""

    def step(self, state, action, key):
        state, step = super().step(state, action, key)
        return state, Step(step.obs, step.reward, step.truncated, step.terminated)


class Corridor(AbstractEnvironment):
    """Walk until `end` (terminated) or the time limit (truncated).

    Sees (place, steps); every episode begins at a random place from 0 to 3. Action 1 walks on by 1, action 0 stays. The
    reward is the place one leaves, plus a tenth of the action.
    """

    end: int = 6
    limit: int = 8

    @property
    def spec(self):
        return Spec("Corridor", (2,), Discrete(2), self.limit)

    def reset(self, key):
        place = jax.random.randint(key, (), 0, 4).astype(jnp.float32)
        state = WorldState(jnp.stack([place, jnp.zeros(())]), jnp.zeros((), jnp.int32))
        return state, state.obs

    def step(self, state, action, key):
        place, walked = state.obs[0], action.astype(jnp.float32)
        steps = state.steps + 1
        after = WorldState(jnp.stack([place + walked, steps.astype(jnp.float32)]), steps)
        terminated = place + walked >= self.end
        return after, Step(after.obs, place + 0.1 * walked, terminated, ~terminated & (steps >= self.limit))


class Bullseye(AbstractEnvironment):
    """One step; the action is a point of a box, the reward minus its squared distance from (0.5, -1)."""

    @property
    def spec(self):
        return Spec("Bullseye", (1,), Box((-1.0, -2.0), (1.0, 2.0)), 1)

    def reset(self, key):
        state = WorldState(jnp.ones(1), jnp.zeros((), jnp.int32))
        return state, state.obs

    def step(self, state, action, key):
        miss = action - jnp.asarray([0.5, -1.0])
        after = WorldState(state.obs, state.steps + 1)
        return after, Step(after.obs, -jnp.sum(miss**2), jnp.ones((), bool), jnp.zeros((), bool))


class Cart(AbstractEnvironment):
    """Twenty steps; a cart begins at -1 or 1 and is moved by up to 0.2 a step; the reward is minus its squared place."""

    @property
    def spec(self):
        return Spec("Cart", (1,), Box((-0.2,), (0.2,)), 20)

    def reset(self, key):
        state = WorldState(_sign(key), jnp.zeros((), jnp.int32))
        return state, state.obs

    def step(self, state, action, key):
        after = WorldState(state.obs + jnp.clip(action, -0.2, 0.2), state.steps + 1)
        return after, Step(after.obs, -(after.obs[0] ** 2), jnp.zeros((), bool), after.steps >= 20)

"""What policies have in common that stand around another one: all that they do not change goes through to it."""

from typing import Any

from spikeloop.policies._base import AbstractPolicy


class AbstractWrappedPolicy(AbstractPolicy):
    """A policy around another, `policy`: the same decisions, unless a subclass changes what it sees or what it begins with."""

    policy: AbstractPolicy

    def inner(self, params: Any) -> Any:
        """The parameters of the wrapped policy: all, unless overridden."""
        return params

    def seen(self, params: Any, obs: Any) -> Any:
        """What the wrapped policy sees: the observation, unless overridden."""
        return obs

    @property
    def stochastic(self):
        return self.policy.stochastic

    @property
    def carries_state(self):
        return self.policy.carries_state

    @property
    def ticks_per_decision(self):
        return self.policy.ticks_per_decision

    def populations(self, out_size):
        return self.policy.populations(out_size)

    def init(self, obs_size, out_size, key):
        return self.policy.init(obs_size, out_size, key)

    def init_state(self, params):
        return self.policy.init_state(self.inner(params))

    def __call__(self, params, state, obs, key):
        return self.policy(self.inner(params), state, self.seen(params, obs), key)

    def trace(self, params, state, obs, key):
        return self.policy.trace(self.inner(params), state, self.seen(params, obs), key)

    def probe(self, params, state, obs, key):
        return self.policy.probe(self.inner(params), state, self.seen(params, obs), key)

    def memory(self, params):
        return self.policy.memory(self.inner(params))

    def activity(self, params, state, obs, key):
        return self.policy.activity(self.inner(params), state, self.seen(params, obs), key)

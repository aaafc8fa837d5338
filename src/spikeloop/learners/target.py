"""Target networks: when a copy of the parameters follows the ones that learn."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PyTree

from spikeloop.component import Component, require_between, require_count


class TargetClock(eqx.Module):
    """What a target update may go by: counts after this iteration, and whether an episode ended in it."""

    updates: Int[Array, ""]
    episodes: Int[Array, ""]
    episode_ended: Bool[Array, ""]


class AbstractTarget(Component):
    """How the target parameters follow the online parameters."""

    @abc.abstractmethod
    def __call__(self, target: PyTree, online: PyTree, clock: TargetClock) -> PyTree:
        """The new target parameters."""


class Immediate(AbstractTarget):
    """No lag: always the online parameters themselves."""

    def __call__(self, target, online, clock):
        return online


class SoftTarget(AbstractTarget):
    """A small step towards the online parameters at every update (Polyak averaging)."""

    rate: float = 0.005  # fraction of the distance covered at each update

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "rate")

    def __call__(self, target, online, clock):
        return jax.tree.map(lambda old, new: old + self.rate * (new - old), target, online)


class HardTarget(AbstractTarget):
    """A copy at every so many updates (Mnih et al. 2015)."""

    every: int = 500  # updates between two copies

    def __check_init__(self):
        require_count(self, "every")

    def __call__(self, target, online, clock):
        return _copy_if(clock.updates % self.every == 0, target, online)


class EpisodicTarget(AbstractTarget):
    """A copy at the end of episodes 0, N, 2N and so on (SpikingJelly's DQSN example, N = 10)."""

    every: int = 10  # episodes between two copies

    def __check_init__(self):
        require_count(self, "every")

    def __call__(self, target, online, clock):
        # The episode that has just ended is number `episodes` - 1, counted from zero.
        return _copy_if(clock.episode_ended & ((clock.episodes - 1) % self.every == 0), target, online)


def _copy_if(condition, target, online):
    return jax.tree.map(lambda old, new: jnp.where(condition, new, old), target, online)

"""At whom a reward is aimed: the same modulator for all neurons, or for those that acted.

    Everywhere       m for every neuron
    MotorTargeting   m for the neurons of the action that was taken, -opposite m for those of the others, others m for all neurons
                     that belong to no action

The second is that of Hasegan et al. 2022 (kappa and rho in our digest of their code).
"""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import Component, require_finite


class AbstractTargeting(Component):
    """The modulator that each postsynaptic neuron hears."""

    @abc.abstractmethod
    def __call__(
        self, modulator: Float[Array, ""], action: Int[Array, ""], group: Int[Array, " post"]
    ) -> Float[Array, " post"]:
        """For neurons that belong to the actions `group`, -1 being none of them."""


class Everywhere(AbstractTargeting):
    """All neurons hear the same."""

    def __call__(self, modulator, action, group):
        return jnp.full(group.shape, modulator)


class MotorTargeting(AbstractTargeting):
    """The motor group that acted is rewarded, the others are punished, or the other way round (Hasegan et al. 2022)."""

    opposite: float = 1.0  # kappa: how strongly the groups of other actions hear the opposite
    others: float = 0.0  # rho: how strongly neurons of no action hear the reward

    def __check_init__(self):
        require_finite(self, "opposite", "others")

    def __call__(self, modulator, action, group):
        factor = jnp.where(group == action, 1.0, jnp.where(group < 0, self.others, -self.opposite))
        return factor * modulator

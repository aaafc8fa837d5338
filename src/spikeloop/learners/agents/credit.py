"""What a unit's score is multiplied by before the broadcast error: how far its module answers for the action taken.

With o_i the spike of output unit i and a the action that was executed, for unit i and the hidden units of its module:

    Coagent           c_i = 1
    Agreement         c_i = +1 if (i = a) = (o_i = 1), else -1
    ExecutedModule    c_a = +1; the others as in Agreement

With 1, the sum of all units' scores times the return is an unbiased estimate of the network's policy gradient (Thomas 2011).
The other two are those of the public code (gridworld; CartPole). They let a module that was overruled, or that a random
action passed over, learn as if it had voted for what was done: a bias with less variance.
"""

import abc

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import Component


class AbstractCredit(Component):
    """The factor on the scores of the units behind each output."""

    @abc.abstractmethod
    def __call__(self, fired: Float[Array, "actors actions"], action: Int[Array, ""]) -> Float[Array, "actors actions"]:
        """The factors; ``fired`` is how often an output unit fired, as a share of its ticks (0 or 1 if there is one)."""


class Coagent(AbstractCredit):
    """Every unit answers for the action as it is: the unbiased rule of coagent networks."""

    def __call__(self, fired, action):
        return jnp.ones_like(fired)


class Agreement(AbstractCredit):
    """1 for the modules whose vote is what was done, -1 for the others; in between for a vote of several ticks."""

    def __call__(self, fired, action):
        executed = jnp.arange(fired.shape[1])[None, :] == action
        return jnp.where(executed, 2.0 * fired - 1.0, 1.0 - 2.0 * fired)


class ExecutedModule(AbstractCredit):
    """As `Agreement`, but the module of the action that was executed is always reinforced, whether it fired or not."""

    def __call__(self, fired, action):
        executed = jnp.arange(fired.shape[1])[None, :] == action
        return jnp.where(executed, 1.0, 1.0 - 2.0 * fired)

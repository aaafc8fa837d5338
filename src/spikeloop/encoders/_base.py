"""The contract of an encoder: an observation becomes the input of the network at every tick."""

import abc
from typing import Any, ClassVar

from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component


class AbstractEncoder(Component):
    """Observation in, network input out, one tick at a time."""

    stochastic: ClassVar[bool] = False  # whether `step` draws random numbers; only then does it get a key
    constant: ClassVar[bool] = False  # whether every tick of a decision gives the same input: then it is computed once

    @abc.abstractmethod
    def size(self, obs_size: int) -> int:
        """How many inputs the network gets for an observation of `obs_size` numbers. Raises InvalidInput if it can't."""

    def init(self, obs_size: int, key: PRNGKeyArray) -> Any:
        """The trainable parameters; None, unless overridden."""
        return None

    def init_state(self, params: Any) -> Any:
        """The state before the first tick; None, unless overridden."""
        return None

    @abc.abstractmethod
    def step(self, params: Any, state: Any, obs: Float[Array, " obs"], key: Any) -> tuple[Any, Float[Array, " input"]]:
        """One tick: the new state and the network's input."""

"""How an action changes a weight. Actions are -1, 0 and 1; `step` is the paper's alpha."""

import abc

from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_positive


class AbstractChange(Component):
    """What an action does to a weight."""

    @abc.abstractmethod
    def __call__(self, weight: Float[Array, "..."], action: Float[Array, "..."]) -> Float[Array, "..."]:
        """The weight after the action."""


class Additive(AbstractChange):
    """w + alpha a: the rule of Bhargava et al. 2022, section 2, that Zheng's cites; it can change a weight's sign."""

    step: float = 0.01  # alpha

    def __check_init__(self):
        require_positive(self, "step")

    def __call__(self, weight, action):
        return weight + self.step * action


class Multiplicative(AbstractChange):
    """w + w alpha a: Zheng et al. 2026, section 3.2.1, as printed; a weight never changes its sign, and zero stays zero."""

    step: float = 0.01  # alpha

    def __check_init__(self):
        require_positive(self, "step")
        require(self, "step", lambda step: step < 1, "below 1, or a weight could change its sign")

    def __call__(self, weight, action):
        return weight * (1.0 + self.step * action)

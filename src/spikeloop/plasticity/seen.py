"""What the synapses between two populations see in a number of ticks."""

import equinox as eqx
from jaxtyping import Array, Float


class Seen(eqx.Module):
    """Spikes (0 or 1) of both populations tick by tick, and what was expected of the receiving one before it drew them."""

    pre: Float[Array, "ticks pre"]
    post: Float[Array, "ticks post"]
    expected: Float[Array, "ticks post"] | None = None  # probability of every spike of `post`; None: not known

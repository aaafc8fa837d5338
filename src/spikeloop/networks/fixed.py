"""Parts of the parameters that belong to an individual, but that nothing trains."""

from typing import Generic, TypeVar

import equinox as eqx

Value = TypeVar("Value")


class Fixed(eqx.Module, Generic[Value]):
    """Arrays drawn along with the parameters and never trained: which synapses there are, for example.

    A network must not let a gradient through them; `Evolution` keeps them as they were first drawn, and rules of plasticity never
    see them. Hill climbing and synapse agents change every parameter and do not know of it.
    """

    value: Value

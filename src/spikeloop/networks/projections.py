"""Populations and projections: a circuit as data, and how its wiring is drawn.

A projection gives every neuron of its target `convergence` presynaptic neurons, all different and none itself, drawn uniformly. Its
weights are w U(1 - spread, 1 + spread), its delays uniform in a range and rounded to whole ticks; both belong to a synapse, which
may have receptors of several kinds at once (AMPA and NMDA of a glutamatergic synapse).
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component, require, require_between, require_count
from spikeloop.errors import InvalidInput
from spikeloop.neurons.rule_based import RECEPTORS, RuleBasedNeuron


class Population(Component):
    """Equal neurons under one name."""

    name: str = "neurons"  # by which projections find it
    size: int = 10  # neurons
    neuron: RuleBasedNeuron = RuleBasedNeuron()  # every one of them

    def __check_init__(self):
        require_count(self, "size")


class Wiring(eqx.Module):
    """The synapses of a projection as drawn: 1 where there is one of that delay, and its strength relative to the mean."""

    synapses: Float[Array, "delays pre post"]
    strength: Float[Array, "pre post"]


class AbstractProjection(Component):
    """The synapses from one population onto another, drawn at random."""

    pre: str = "in"  # name of the population that sends
    post: str = "out"  # name of the one that receives
    convergence: int = 1  # presynaptic neurons of every postsynaptic one
    ampa: float = 0.0  # mean weights of the kinds of receptors, mV at rest; 0: none of this kind
    ampa2: float = 0.0
    nmda: float = 0.0
    nmda2: float = 0.0
    gaba: float = 0.0
    gaba2: float = 0.0
    spread: float = 0.0  # weights are U(1 - spread, 1 + spread) times the mean
    delay: tuple[float, float] = (1.8, 2.2)  # shortest and longest, ms

    def __check_init__(self):
        require_count(self, "convergence")
        for name in RECEPTORS:
            require(self, name, lambda w: math.isfinite(w) and w >= 0, "a finite number of at least 0")
        require_between(self, 0.0, 1.0, "spread")
        rule = "two positive finite numbers, the shortest and the longest delay in ms"
        require(self, "delay", lambda d: len(d) == 2 and 0 < d[0] <= d[1] < math.inf, rule)

    @property
    def receptors(self) -> dict[str, float]:
        """The mean weights of the kinds that there are, by name."""
        return {name: getattr(self, name) for name in RECEPTORS if getattr(self, name) > 0}

    def delays(self, resolution: float) -> range:
        """The delays that occur, in ticks."""
        shortest, longest = (math.floor(ms / resolution + 0.5) for ms in self.delay)
        if shortest < 1:
            raise InvalidInput(f"delays from {self.pre} to {self.post} must be at least {resolution:g} ms, a tick")
        return range(shortest, longest + 1)

    def draw(self, pre: int, post: int, resolution: float, key: PRNGKeyArray) -> Wiring:
        """The wiring between populations of these sizes."""
        same = self.pre == self.post
        if self.convergence > pre - same:
            raise InvalidInput(
                f"a neuron of {self.post} cannot have {self.convergence} different inputs from {self.pre}, "
                f"which has {pre} neurons{', itself among them' if same else ''}"
            )
        place_key, weight_key, delay_key = jax.random.split(key, 3)
        lot = jax.random.uniform(place_key, (pre, post)) + (2.0 * jnp.eye(pre, post) if same else 0.0)
        drawn = jnp.argsort(jnp.argsort(lot, axis=0), axis=0) < self.convergence
        strength = jax.random.uniform(weight_key, (pre, post), minval=1.0 - self.spread, maxval=1.0 + self.spread)
        ms = jax.random.uniform(delay_key, (pre, post), minval=self.delay[0], maxval=self.delay[1])
        delays = self.delays(resolution)
        ticks = jnp.clip(jnp.floor(ms / resolution + 0.5), delays[0], delays[-1])
        at = jnp.stack([ticks == delay for delay in delays])
        return Wiring((at & drawn[None]).astype(jnp.float32), strength)


class FixedProjection(AbstractProjection):
    """Synapses whose weights nothing changes."""


class TrainableProjection(AbstractProjection):
    """Synapses whose weights are parameters: those of its one kind of AMPA or GABA; those of NMDA keep theirs.

    The NMDA part does not take part in `spread` either.
    """

    ampa2: float = 10.0  # one of the four kinds that are trained must be above 0
    spread: float = 0.5  # first weights are U(1 - spread, 1 + spread) times the mean

    def __check_init__(self):
        if not all(math.isfinite(getattr(self, name)) for name in RECEPTORS):
            return  # which the other check says better
        found = [name for name in self.receptors if not name.startswith("nmda")]
        if len(found) != 1:
            raise InvalidInput(
                f"the trainable projection from {self.pre} to {self.post} needs one of ampa, ampa2, gaba and gaba2 above 0, "
                f"got {len(found)}"
            )

    @property
    def trained(self) -> str:
        """The kind of receptor whose weights are trained."""
        return next(name for name in self.receptors if not name.startswith("nmda"))

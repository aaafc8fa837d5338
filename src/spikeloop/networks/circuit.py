"""A circuit: populations of rule-based neurons, and sparse random projections with delays among them, recurrent or not.

    rates of the inputs --regular pulses, one to one--> population 0        any population --projections--> any population

A spike fired in tick k reaches a synapse of delay d in tick k + d. The weights of trainable projections are the parameters; which
synapses there are, their delays and all other weights are drawn along with them, once for each seed, and stay as they are
(`Fixed`). The last population is the one that a decoder reads.

All neurons are one vector, and what a population sends is one matrix product for all of its targets, receptors and
delays. Within the shortest delay of the circuit no spike can reach another neuron, so so many ticks are one product too.

A weight never turns its sign: excitation and inhibition are kinds of receptors, and what would be below zero counts as zero.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.component import require
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork, Connection
from spikeloop.networks.fixed import Fixed
from spikeloop.networks.projections import AbstractProjection, Population, TrainableProjection, Wiring
from spikeloop.networks.sources import RegularSource
from spikeloop.neurons.rule_based import RECEPTORS, RuleBasedNeuron, RuleBasedState, Synapses


class CircuitParams(eqx.Module):
    """The weights of the trainable projections, and what was drawn of every projection."""

    weights: tuple[Float[Array, "_ _"], ...]
    wiring: Fixed[tuple[Wiring, ...]]


class CircuitState(eqx.Module):
    """The neurons of all populations side by side, their latest spikes, and the source of the inputs."""

    neurons: RuleBasedState
    history: Float[Array, "longest_delay _"]  # spikes of the latest ticks, the oldest first
    wait: Float[Array, " first"]  # of the source: ticks until its next pulse
    coming: Float[Array, "_ first"]  # pulses on their way, next to arrive first


class Circuit(AbstractNetwork):
    """Populations of rule-based neurons and random projections with delays among them."""

    in_blocks = True

    populations: tuple[Population, ...] = (Population("in", 5), Population("out", 3))
    projections: tuple[AbstractProjection, ...] = (TrainableProjection("in", "out", 3, ampa2=10.0),)
    source: RegularSource = RegularSource()  # what turns the inputs, rates in Hz, into pulses onto the first population

    def __check_init__(self):
        names = [population.name for population in self.populations]
        require(
            self, "populations", lambda _: names and len(set(names)) == len(names), "populations of different names"
        )
        for projection in self.projections:
            for name in (projection.pre, projection.post):
                if name not in names:
                    raise InvalidInput(f"there is no population {name!r}; there are {', '.join(names)}")
            projection.delays(self.resolution)
        resolutions = {population.neuron.resolution for population in self.populations}
        require(self, "populations", lambda _: len(resolutions) == 1, "of one resolution")
        ticks = self.source.delay / self.resolution
        if abs(ticks - round(ticks)) > 1e-6 or round(ticks) < 1:
            raise InvalidInput(f"RegularSource.delay must be a multiple of {self.resolution:g} ms, a tick")

    @property
    def resolution(self) -> float:
        """Length of a tick, ms."""
        return self.populations[0].neuron.resolution

    @property
    def stochastic(self):
        return False

    def sizes(self, output_population):
        sizes = tuple(population.size for population in self.populations)
        if output_population not in (None, sizes[-1]):
            raise InvalidInput(
                f"the last population, {self.populations[-1].name}, must have {output_population} neurons, the "
                f"decoder's, and has {sizes[-1]}"
            )
        return sizes

    def init(self, in_size, output_population, key):
        sizes = self.sizes(output_population)
        if in_size != sizes[0]:
            raise InvalidInput(
                f"the first population must have {in_size} neurons, one for each input, and has {sizes[0]}"
            )
        keys = jax.random.split(key, max(1, len(self.projections)))
        wiring = tuple(
            projection.draw(sizes[self._place(projection.pre)], sizes[self._place(projection.post)], self.resolution, k)
            for projection, k in zip(self.projections, keys, strict=False)
        )
        weights = tuple(
            projection.receptors[projection.trained] * drawn.strength * _present(drawn)
            for projection, drawn in zip(self.projections, wiring, strict=True)
            if isinstance(projection, TrainableProjection)
        )
        return CircuitParams(weights, Fixed(wiring))

    def init_state(self, params):
        ends = self._ends()
        used = {name for projection in self.projections for name in projection.receptors} | {"ampa"}
        rest = self._neuron().init(ends[-1])
        potentials = Synapses(**{name: value for name, value in rest.potentials.present().items() if name in used})
        neurons = RuleBasedState(potentials, rest.hyperpolarisation, rest.raised, rest.refractory)
        first, longest = self.populations[0].size, max(self._delays(), default=1)
        coming = jnp.zeros((round(self.source.delay / self.resolution), first))
        return CircuitState(neurons, jnp.zeros((longest, ends[-1])), self.source.init(first), coming)

    def silence(self, params):
        return tuple(jnp.zeros(population.size) for population in self.populations)

    def drive(self, params, inputs):
        return inputs

    def step(self, params, state, current, key):
        state, spikes = self.run(params, state, current[None])
        return state, tuple(fired[0] for fired in spikes)

    def run(self, params, state, currents):
        ticks, ends = currents.shape[0], self._ends()
        matrices = self._matrices(params)
        neuron = self._neuron()
        wait, pulses = jax.lax.scan(
            lambda wait, rates: self.source.step(wait, rates, self.resolution), state.wait, currents
        )
        both = jnp.concatenate([state.coming, pulses])
        arriving, coming = self.source.weight * both[:ticks], both[ticks:]

        def block(carry, arriving):
            neurons, history = carry
            came = self._arrived(matrices, history, arriving)
            # A loop, not straight-line code, in which XLA would compute a tick again for each of the things made of it.
            neurons, spikes = jax.lax.scan(lambda neurons, now: neuron.step(neurons, now, None), neurons, came)
            history = jnp.concatenate([history, spikes])[len(spikes) :]
            return (neurons, history), spikes

        size = min(min(self._delays(), default=ticks), ticks)
        whole = ticks // size * size
        blocks = arriving[:whole].reshape(-1, size, arriving.shape[1])
        carry, spikes = jax.lax.scan(block, (state.neurons, state.history), blocks)
        spikes = spikes.reshape(whole, ends[-1])
        if whole < ticks:
            carry, last = block(carry, arriving[whole:])
            spikes = jnp.concatenate([spikes, last])
        neurons, history = carry
        state = CircuitState(neurons, history, wait, coming)
        return state, tuple(jnp.split(spikes, ends[:-1], axis=1))

    def connections(self, params):
        trained = [p for p in self.projections if isinstance(p, TrainableProjection)]
        return tuple(
            Connection(weights, self._place(projection.pre), self._place(projection.post))
            for projection, weights in zip(trained, params.weights, strict=True)
        )

    def with_weights(self, params, weights):
        wiring = [
            drawn
            for projection, drawn in zip(self.projections, params.wiring.value, strict=True)
            if isinstance(projection, TrainableProjection)
        ]
        weights = tuple(new * _present(drawn) for new, drawn in zip(weights, wiring, strict=True))
        return CircuitParams(weights, params.wiring)

    def _place(self, name: str) -> int:
        return [population.name for population in self.populations].index(name)

    def _ends(self) -> list[int]:
        return np.cumsum([population.size for population in self.populations]).tolist()

    def _delays(self) -> list[int]:
        return [tick for projection in self.projections for tick in projection.delays(self.resolution)]

    def _neuron(self) -> RuleBasedNeuron:
        """One neuron with the fields of every population's, as vectors over all neurons."""
        neurons = [population.neuron for population in self.populations]
        sizes = [population.size for population in self.populations]

        def spread(*values):
            if all(isinstance(value, float | int) and value == values[0] for value in values):
                return values[0]
            filled = [jnp.broadcast_to(jnp.asarray(v, jnp.float32), (n,)) for v, n in zip(values, sizes, strict=True)]
            return jnp.concatenate(filled)

        return jax.tree.map(spread, *neurons)

    def _matrices(self, params: CircuitParams) -> dict[str, dict[tuple[str, str], Array]]:
        """What a spike does: for each sending population, by target and receptor, a matrix [delay, pre, post]."""
        trained = iter(params.weights)
        found: dict[str, dict[tuple[str, str], Any]] = {}
        for projection, drawn in zip(self.projections, params.wiring.value, strict=True):
            weights = {name: mean * drawn.strength for name, mean in projection.receptors.items()}
            if isinstance(projection, TrainableProjection):
                weights = {name: jnp.full_like(drawn.strength, mean) for name, mean in projection.receptors.items()}
                weights[projection.trained] = next(trained)
            start, longest = projection.delays(self.resolution)[0], max(self._delays())
            for name, weight in weights.items():
                matrix = jnp.maximum(weight, 0.0)[None] * jax.lax.stop_gradient(drawn.synapses)
                # Delay d is place longest - d of the history; all of a sender share the places that any of its synapses needs.
                place = longest - start
                key = (projection.post, name)
                sender = found.setdefault(projection.pre, {})
                laid = {place - step: matrix[step] for step in range(matrix.shape[0])}
                sender[key] = _together(sender.get(key), laid)
        return found

    def _arrived(self, matrices, history, pulses) -> Synapses:
        """The weights that arrive in each tick of a block, from the spikes before it and the pulses of the source."""
        ticks, ends = pulses.shape[0], [0, *self._ends()]
        totals: dict[str, list[Any]] = {name: [0.0] * len(self.populations) for name in RECEPTORS}
        totals["ampa"][0] = pulses
        for pre, targets in matrices.items():
            sender = self._place(pre)
            fired = history[:, ends[sender] : ends[sender + 1]]
            places = sorted({place for laid in targets.values() for place in laid})
            rows = jnp.concatenate([fired[place : place + ticks] for place in places], axis=1)
            columns = [self._column(laid, places) for laid in targets.values()]
            sent = jnp.matmul(rows, jnp.concatenate(columns, axis=1), precision=jax.lax.Precision.HIGHEST)
            widths = np.cumsum([column.shape[1] for column in columns])[:-1].tolist()
            for (post, name), part in zip(targets, jnp.split(sent, widths, axis=1), strict=True):
                place = self._place(post)
                totals[name][place] = totals[name][place] + part
        return Synapses(**{name: self._side_by_side(parts, ticks) for name, parts in totals.items() if _any(parts)})

    def _column(self, laid, places):
        blank = jnp.zeros_like(next(iter(laid.values())))
        return jnp.concatenate([laid.get(place, blank) for place in places])

    def _side_by_side(self, parts, ticks):
        sizes = [population.size for population in self.populations]
        filled = [
            jnp.zeros((ticks, n)) if isinstance(part, float) else part for part, n in zip(parts, sizes, strict=True)
        ]
        return jnp.concatenate(filled, axis=1)


def _present(drawn: Wiring) -> Float[Array, "pre post"]:
    """1 where there is a synapse, whatever its delay."""
    return jax.lax.stop_gradient(jnp.sum(drawn.synapses, axis=0))


def _together(one, other):
    """Two sets of matrices by place, added where they meet."""
    if one is None:
        return other
    return {place: one.get(place, 0.0) + other.get(place, 0.0) for place in one | other}


def _any(parts):
    return any(not isinstance(part, float) for part in parts)

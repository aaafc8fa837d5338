"""A circuit: populations of rule-based neurons, and sparse random projections with delays among them, recurrent or not.

    rates of the inputs --regular pulses, one to one--> population 0        any population --projections--> any population

A spike fired in tick k reaches a synapse of delay d in tick k + d. The weights of trainable projections are the parameters; which
synapses there are, their delays and all other weights are drawn along with them, once for each seed, and stay as they are
(`Fixed`). The last population is the one that a decoder reads.

All neurons are one vector, and what a population sends is one matrix product for all of its targets, receptors and
delays. Within the shortest delay of the circuit no spike can reach another neuron, so so many ticks are one product too.

A weight never turns its sign: excitation and inhibition are kinds of receptors, and what would be below zero counts as zero.
"""

from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spikeloop.component import require
from spikeloop.errors import InvalidInput
from spikeloop.networks._base import AbstractNetwork, Connection, Pathway
from spikeloop.networks.fixed import Fixed
from spikeloop.networks.projections import AbstractProjection, Population, TrainableProjection, Wiring
from spikeloop.networks.sources import RegularSource
from spikeloop.neurons.rule_based import RuleBasedNeuron, RuleBasedState, Synapses


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


class Outgoing(eqx.Module):
    """What the spikes of one population do: a matrix from its latest spikes to all of its targets."""

    matrix: Float[
        Array, "rows columns"
    ]  # rows: a block of neurons for each place of the history; columns: one for each target
    pre: int = eqx.field(static=True)  # place of the population
    places: tuple[int, ...] = eqx.field(static=True)  # of the history, one for each delay that occurs
    targets: tuple[tuple[str, str], ...] = eqx.field(static=True)  # populations and kinds of synapses


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
        outgoing = self._outgoing(params)
        neuron = self._neuron()
        wait, pulses = jax.lax.scan(
            lambda wait, rates: self.source.step(wait, rates, self.resolution), state.wait, currents
        )
        both = jnp.concatenate([state.coming, pulses])
        arriving, coming = self.source.weight * both[:ticks], both[ticks:]

        def block(carry, arriving):
            neurons, history = carry
            came = self._arrived(outgoing, history, arriving)
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

    def potentials(self, params, state):
        return tuple(jnp.split(self._neuron().potential(state.neurons), self._ends()[:-1]))

    def pathways(self, params, state):
        """One for each kind of receptor of a projection: a spike that reaches two of them is two operations."""
        trained, found = iter(params.weights), []
        for place, (projection, drawn) in enumerate(zip(self.projections, params.wiring.value, strict=True)):
            pre, post = self._place(projection.pre), self._place(projection.post)
            for kind, weights in self._weights(projection, drawn, trained).items():
                there = jnp.maximum(weights, 0.0) * _present(drawn)
                found.append(Pathway(there, pre, post, f"{kind}, {place}", kind.startswith("gaba")))
        return tuple(found)

    def muted(self, params, alive):
        wiring = tuple(
            Wiring(drawn.synapses * alive[self._place(projection.pre)][None, :, None], drawn.strength)
            for projection, drawn in zip(self.projections, params.wiring.value, strict=True)
        )
        return CircuitParams(params.weights, Fixed(wiring))

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

    def _outgoing(self, params: CircuitParams) -> tuple["Outgoing", ...]:
        """What a spike of each population that sends any does to the others."""
        trained, longest = iter(params.weights), max(self._delays(), default=1)
        found: dict[str, dict[tuple[str, str], dict[int, Any]]] = {}
        wiring = jax.lax.stop_gradient(params.wiring.value)
        for projection, drawn in zip(self.projections, wiring, strict=True):
            for name, weight in self._weights(projection, drawn, trained).items():
                laid = found.setdefault(projection.pre, {}).setdefault((projection.post, name), {})
                for delay, there in zip(projection.delays(self.resolution), drawn.synapses, strict=True):
                    # What was fired d ticks ago is at place longest - d of the history.
                    place = longest - delay
                    laid[place] = laid.get(place, 0.0) + jnp.maximum(weight, 0.0) * there
        return tuple(self._joined(pre, targets) for pre, targets in found.items())

    def _weights(self, projection: AbstractProjection, drawn: Wiring, trained: Iterator[Any]) -> dict[str, Any]:
        """The weights of each kind of receptor of a projection, as if there were synapses everywhere."""
        if not isinstance(projection, TrainableProjection):
            return {name: mean * drawn.strength for name, mean in projection.receptors.items()}
        weights = {name: jnp.full_like(drawn.strength, mean) for name, mean in projection.receptors.items()}
        return {**weights, projection.trained: next(trained)}

    def _joined(self, pre: str, targets: dict[tuple[str, str], dict[int, Any]]) -> "Outgoing":
        """All that one population sends as one matrix."""
        places = tuple(sorted({place for laid in targets.values() for place in laid}))
        columns = []
        for laid in targets.values():
            blank = jnp.zeros_like(next(iter(laid.values())))
            columns.append(jnp.concatenate([laid.get(place, blank) for place in places]))
        return Outgoing(jnp.concatenate(columns, axis=1), self._place(pre), places, tuple(targets))

    def _arrived(self, outgoing: tuple["Outgoing", ...], history: Array, pulses: Array) -> Synapses:
        """The weights that arrive in each tick of a block, from the spikes before it and the pulses of the source."""
        ticks, ends = pulses.shape[0], [0, *self._ends()]
        sizes = {population.name: population.size for population in self.populations}
        parts: dict[str, dict[str, Any]] = {"ampa": {self.populations[0].name: pulses}}
        for sent in outgoing:
            fired = history[:, ends[sent.pre] : ends[sent.pre + 1]]
            rows = jnp.concatenate([fired[place : place + ticks] for place in sent.places], axis=1)
            arrived = jnp.matmul(rows, sent.matrix, precision=jax.lax.Precision.HIGHEST)
            edges = np.cumsum([sizes[post] for post, _ in sent.targets])[:-1].tolist()
            for (post, name), part in zip(sent.targets, jnp.split(arrived, edges, axis=1), strict=True):
                kind = parts.setdefault(name, {})
                kind[post] = kind[post] + part if post in kind else part
        side_by_side = {
            name: jnp.concatenate([kind.get(who, jnp.zeros((ticks, n))) for who, n in sizes.items()], axis=1)
            for name, kind in parts.items()
        }
        return Synapses(**side_by_side)


def _present(drawn: Wiring) -> Float[Array, "pre post"]:
    """1 where there is a synapse, whatever its delay."""
    return jax.lax.stop_gradient(jnp.sum(drawn.synapses, axis=0))

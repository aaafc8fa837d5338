"""A circuit: populations of rule-based neurons, and sparse random projections with delays among them, recurrent or not.

    rates of the inputs --regular pulses, one to one--> population 0        any population --projections--> any population

A spike fired in tick k reaches a synapse of delay d in tick k + d. The weights of trainable projections are the parameters; which
synapses there are, their delays and all other weights are drawn along with them, once for each seed, and stay as they are
(`Fixed`). The last population is the one that a decoder reads.

Populations that reach each other are one group, and all of its neurons one vector. Groups are run one after the other: what the
groups before it send is known for all ticks, and is one matrix product for all ticks, targets, receptors and delays. Within the
shortest delay of a group no spike can reach another of its neurons, so so many ticks are one product too.

A weight never turns its sign: excitation and inhibition are kinds of receptors, and what would be below zero counts as zero.
"""

from collections.abc import Collection, Mapping

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
from spikeloop.networks.sending import (
    CircuitParams,
    Column,
    Outgoing,
    arriving,
    event_sizes,
    outgoing,
    side_by_side,
    weights_by_kind,
)
from spikeloop.networks.sources import RegularSource
from spikeloop.neurons.rule_based import RuleBasedNeuron, RuleBasedState, Synapses


class CircuitState(eqx.Module):
    """The neurons of each group side by side, the latest spikes of all, and the source of the inputs."""

    neurons: tuple[RuleBasedState, ...]
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
        first, longest = self.populations[0].size, max(self._delays(), default=1)
        coming = jnp.zeros((round(self.source.delay / self.resolution), first))
        neurons = tuple(self._resting(group) for group in self._groups())
        return CircuitState(neurons, jnp.zeros((longest, self._ends()[-1])), self.source.init(first), coming)

    def silence(self, params):
        return tuple(jnp.zeros(population.size) for population in self.populations)

    def drive(self, params, inputs):
        return inputs

    def step(self, params, state, current, key):
        state, spikes = self.run(params, state, current[None])
        return state, tuple(fired[0] for fired in spikes)

    def run(self, params, state, currents):
        ticks, ends, longest = currents.shape[0], [0, *self._ends()], len(state.history)
        wait, pulses = jax.lax.scan(
            lambda wait, rates: self.source.step(wait, rates, self.resolution), state.wait, currents
        )
        pulses = jnp.concatenate([state.coming, pulses])
        first, names = Column(self.populations[0].name, "ampa"), [one.name for one in self.populations]
        from_source = {first: self.source.weight * pulses[:ticks], first._replace(counted=True): pulses[:ticks]}
        fired = {name: state.history[:, a:b] for name, a, b in zip(names, ends[:-1], ends[1:], strict=True)}
        after = []
        for group, neurons in zip(self._groups(), state.neurons, strict=True):
            members = {one.name: one.size for one in group}
            sent = self.outgoing(params, members)
            known = arriving([one for one in sent if one.pre not in members], fired, ticks, members)
            known = _added(known, from_source) if first.post in members else known
            inside = [one for one in sent if one.pre in members]
            neurons, spikes = self._run_group(
                group, neurons, known, inside, {name: fired[name] for name in members}, ticks
            )
            after.append(neurons)
            fired |= {name: jnp.concatenate([fired[name], now]) for name, now in spikes.items()}
        history = jnp.concatenate([fired[name] for name in names], axis=1)[ticks:]
        return CircuitState(tuple(after), history, wait, pulses[ticks:]), tuple(fired[name][longest:] for name in names)

    def _run_group(self, group, neurons, known, inside, history, ticks):
        """The neurons of a group after these ticks, and the spikes of its populations in each of them.

        `known` is what arrives from elsewhere, `inside` what its populations send to each other, `history` their latest spikes.
        """
        members = {one.name: one.size for one in group}
        neuron, edges = side_by_side_neuron(group), np.cumsum(list(members.values()))[:-1].tolist()

        def block(carry, known, length):
            neurons, history = carry
            came = _added(known, arriving(inside, history, length, members))
            arrivals = side_by_side(came, group, length, self.event_sizes())
            # A loop, not straight-line code, in which XLA would compute a tick again for each of the things made of it.
            neurons, fired = jax.lax.scan(lambda neurons, now: neuron.step(neurons, now, None), neurons, arrivals)
            spikes = dict(zip(members, jnp.split(fired, edges, axis=1), strict=True))
            history = {name: jnp.concatenate([history[name], spikes[name]])[length:] for name in members}
            return (neurons, history), spikes

        size = min([ticks, *(self._delays(members) if inside else ())])
        whole = ticks // size * size
        blocks = {column: part[:whole].reshape(-1, size, part.shape[1]) for column, part in known.items()}
        carry, spikes = jax.lax.scan(
            lambda carry, known: block(carry, known, size), (neurons, history), blocks, length=whole // size
        )
        spikes = {name: now.reshape(whole, members[name]) for name, now in spikes.items()}
        if whole < ticks:
            carry, last = block(carry, {column: part[whole:] for column, part in known.items()}, ticks - whole)
            spikes = {name: jnp.concatenate([now, last[name]]) for name, now in spikes.items()}
        return carry[0], spikes

    def potentials(self, params, state):
        found = {}
        for group, neurons in zip(self._groups(), state.neurons, strict=True):
            edges = np.cumsum([one.size for one in group])[:-1].tolist()
            parts = jnp.split(side_by_side_neuron(group).potential(neurons), edges)
            found |= dict(zip([one.name for one in group], parts, strict=True))
        return tuple(found[one.name] for one in self.populations)

    def outgoing(self, params: CircuitParams, members: Collection[str]) -> tuple[Outgoing, ...]:
        """What a spike of each population does in these."""
        longest = max(self._delays(), default=1)
        return outgoing(self.projections, params, members, self.resolution, longest, self.event_sizes())

    def event_sizes(self) -> dict[tuple[str, str], float | None]:
        """The weight of every synapse of a kind onto a population; None where they differ, or where pulses arrive as well."""
        return {**event_sizes(self.projections), (self.populations[0].name, "ampa"): None}

    def pathways(self, params, state):
        """One for each kind of receptor of a projection: a spike that reaches two of them is two operations."""
        trained, found = iter(params.weights), []
        for place, (projection, drawn) in enumerate(zip(self.projections, params.wiring.value, strict=True)):
            pre, post = self._place(projection.pre), self._place(projection.post)
            for kind, weights in weights_by_kind(projection, drawn, trained).items():
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

    def _delays(self, members: Collection[str] | None = None) -> list[int]:
        """The delays that occur, in ticks; of projections among these populations alone, where they are given."""
        among = [one for one in self.projections if members is None or (one.pre in members and one.post in members)]
        return [tick for projection in among for tick in projection.delays(self.resolution)]

    def _groups(self) -> tuple[tuple[Population, ...], ...]:
        """Populations that reach each other together, and no group before one that sends to it."""
        reached = {one.name: {one.name} for one in self.populations}
        for _ in self.populations:
            for projection in self.projections:
                reached[projection.pre] |= reached[projection.post]
        left, groups = list(self.populations), []
        while left:
            ready = next(
                one
                for one in left
                if all(one.name not in reached[other.name] or other.name in reached[one.name] for other in left)
            )
            groups.append(
                tuple(one for one in left if one.name in reached[ready.name] and ready.name in reached[one.name])
            )
            left = [one for one in left if one not in groups[-1]]
        return tuple(groups)

    def _resting(self, group: tuple[Population, ...]) -> RuleBasedState:
        members = {one.name for one in group}
        used = {kind for one in self.projections if one.post in members for kind in one.receptors}
        used |= {"ampa"} if self.populations[0] in group else set()
        rest = side_by_side_neuron(group).init(sum(one.size for one in group))
        potentials = {kind: value for kind, value in rest.potentials.present().items() if kind in used}
        return eqx.tree_at(lambda state: state.potentials, rest, Synapses(**potentials))


def side_by_side_neuron(group: tuple[Population, ...]) -> RuleBasedNeuron:
    """One neuron with the fields of every population's, as vectors over all neurons of the group."""

    def spread(*values):
        if all(isinstance(value, float | int) and value == values[0] for value in values):
            return values[0]
        filled = [jnp.full(one.size, jnp.asarray(v, jnp.float32)) for v, one in zip(values, group, strict=True)]
        return jnp.concatenate(filled)

    return jax.tree.map(spread, *(one.neuron for one in group))


def _added(known: Mapping[Column, Array], more: Mapping[Column, Array]) -> dict[Column, Array]:
    """All that arrives of both."""
    both = {column: known[column] + part if column in known else part for column, part in more.items()}
    return {**known, **both}


def _present(drawn: Wiring) -> Float[Array, "pre post"]:
    """1 where there is a synapse, whatever its delay."""
    return jax.lax.stop_gradient(jnp.sum(drawn.synapses, axis=0))

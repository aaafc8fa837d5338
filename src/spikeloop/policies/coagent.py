"""A population of actors made of stochastic neurons, whose votes are pooled: the network of "every neuron is an agent".

    each actor    input -> hidden units -> one output unit for each action, fully connected, all firing by chance
    a unit        hears the last `taps` ticks of its inputs, and a constant; fires from the first tick with so many before it
    output_a      the actors' mean of what output unit a sends, summed over its ticks: a vote for action a
    wiring        `ModulePerAction`: hidden units of its own for every action; `SharedHidden`: the same for all

A unit's synapse has a weight for each tick that it hears, so with `taps` = 3 and a logistic neuron every unit is the
generalised linear model of Aenugu et al. 2019 with learned filters; with one tick and one tap it is memoryless. A train of
T ticks leaves a layer as one of T - taps + 1.

A decision keeps a record of what every unit heard and did. `log_probabilities` says how probable that was for the parameters,
unit by unit, which is all that a learner of neurons needs: its derivative is each unit's own score, and crosses no unit.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require, require_count, require_counts, require_finite
from spikeloop.encoders import AbstractEncoder, Direct
from spikeloop.errors import InvalidInput
from spikeloop.neurons import AbstractLogisticNeuron, Ising
from spikeloop.policies._base import AbstractPolicy, Activity, Decision, Trace, TracedDecision, Traffic


class AbstractWiring(Component):
    """Which hidden units an output unit listens to."""

    hidden: tuple[int, ...] = (2,)  # units of each hidden layer, of every module

    def __check_init__(self):
        require_counts(self, "hidden", least=0)

    @abc.abstractmethod
    def modules(self, actions: int) -> int:
        """How many separate networks an actor has."""


class ModulePerAction(AbstractWiring):
    """Every action has a network of its own, with one output unit."""

    def modules(self, actions):
        return actions


class SharedHidden(AbstractWiring):
    """One network, whose output units listen to the same hidden units."""

    def modules(self, actions):
        return 1


class Firing(eqx.Module):
    """What the units heard and did in one decision; the outputs' spikes are the last."""

    inputs: Float[Array, "ticks inputs"]
    spikes: tuple[Float[Array, "_ actors modules _"], ...]


class LogProbabilities(eqx.Module):
    """How probable the firing was, summed over ticks: of all hidden units of a module together, and of each output unit."""

    hidden: Float[Array, "actors modules"]
    output: Float[Array, "actors actions"]


class CoagentParams(eqx.Module):
    """The weights of every layer of all actors; in a unit's column its synapses, oldest tick first, and its bias."""

    encoder: Any
    weights: tuple[Float[Array, "actors modules _ _"], ...]  # [actor, module, taps x inputs and a bias, unit]
    alive: tuple[Float[Array, "actors modules _"], ...] | None = None  # 0 for units that are silenced; None: none is


class CoagentPolicy(AbstractPolicy):
    """Actors of stochastic neurons that vote for actions; the output is the mean vote."""

    encoder: AbstractEncoder = Direct()  # observation to input
    neuron: AbstractLogisticNeuron = Ising()  # of every unit
    wiring: AbstractWiring = ModulePerAction()  # of every actor
    actors: int = 10  # whose votes are pooled
    ticks: int = 1  # of input in a decision
    taps: int = 1  # ticks of its inputs that a unit hears
    constant: float = 1.0  # an input that is always there, whose weights are the biases; 0 for none
    least: float = -0.1  # weights begin at random between this ...
    most: float = 0.1  # ... and this

    def __check_init__(self):
        require_count(self, "actors", "ticks", "taps")
        require_finite(self, "constant", "least", "most")
        require(self, "most", lambda most: most >= self.least, f"at least `least`, {self.least:g}")
        layers = len(self.wiring.hidden) + 1
        if self.ticks - layers * (self.taps - 1) < 1:
            raise InvalidInput(
                f"CoagentPolicy.ticks must be at least {layers * (self.taps - 1) + 1}: each of {layers} layers waits for "
                f"{self.taps} ticks; got {self.ticks}"
            )

    @property
    def stochastic(self):
        return True

    @property
    def carries_state(self):
        return False

    @property
    def ticks_per_decision(self):
        return self.ticks

    def populations(self, out_size):
        modules = self.wiring.modules(out_size)
        return (*(self.actors * modules * units for units in self.wiring.hidden), self.actors * out_size)

    def init(self, obs_size, out_size, key):
        encoder_key, key = jax.random.split(key)
        modules = self.wiring.modules(out_size)
        sizes = (self.encoder.size(obs_size), *self.wiring.hidden, out_size // modules)
        keys = jax.random.split(key, len(sizes) - 1)
        weights = tuple(
            jax.random.uniform(k, (self.actors, modules, self.taps * n + 1, m), minval=self.least, maxval=self.most)
            for n, m, k in zip(sizes[:-1], sizes[1:], keys, strict=True)
        )
        return CoagentParams(self.encoder.init(obs_size, encoder_key), weights)

    def init_state(self, params):
        return None

    def __call__(self, params, state, obs, key):
        firing, _ = self._fire(params, obs, key)
        return state, Decision(self._votes(firing.spikes[-1]), self._counts(firing), firing)

    def trace(self, params, state, obs, key):
        state, traced = self.probe(params, state, obs, key)
        return state, TracedDecision(traced.decision, Trace(traced.trace.spikes, traced.trace.evidence))

    def probe(self, params, state, obs, key):
        """Units have no membrane: in its place the sum of a unit's inputs, which says how probable its spike is."""
        firing, currents = self._fire(params, obs, key)

        def laid(layers):
            # Along the ticks of the input; a unit is silent before it has heard enough.
            late = [jnp.pad(part, ((self.ticks - len(part), 0), (0, 0), (0, 0), (0, 0))) for part in layers]
            return tuple(part.reshape(self.ticks, -1) for part in late)

        wait = self.ticks - len(firing.spikes[-1])
        evidence = [self._votes(firing.spikes[-1][: max(0, tick + 1 - wait)]) for tick in range(self.ticks)]
        decision = Decision(self._votes(firing.spikes[-1]), self._counts(firing), firing)
        return state, TracedDecision(decision, Trace(laid(firing.spikes), jnp.stack(evidence), laid(currents)))

    def activity(self, params, state, obs, key):
        firing, _ = self._fire(params, obs, key)
        traffic, heard = [], firing.inputs[:, None, None, :]
        for place, (weights, spikes) in enumerate(zip(params.weights, firing.spikes, strict=True)):
            actors, modules, rows, units = weights.shape
            calls = len(heard) - self.taps + 1
            taps = jnp.concatenate([heard[tap : tap + calls] for tap in range(self.taps)], axis=-1)
            sent = jnp.broadcast_to(taps, (calls, actors, modules, rows - 1)).reshape(calls, -1)
            # The last row is of the constant: biases.
            traffic.append(Traffic(weights[:, :, :-1].reshape(-1, units), sent, f"onto layer {place}"))
            heard = self.neuron.signal(spikes)
        outputs = tuple(spikes.reshape(len(spikes), -1) for spikes in firing.spikes)
        decision = Decision(self._votes(firing.spikes[-1]), self._counts(firing), firing)
        return state, Activity(decision, tuple(traffic), outputs)

    def log_probabilities(self, params: CoagentParams, firing: Firing) -> LogProbabilities:
        """How probable what the units did was, given what each of them heard."""
        heard = firing.inputs[:, None, None, :]
        logs = []
        for weights, spikes in zip(params.weights, firing.spikes, strict=True):
            currents = self._currents(weights, heard)

            def tick(state, now):
                return self.neuron.log_probability(state, *now)

            flat = (currents.reshape(len(spikes), -1), spikes.reshape(len(spikes), -1))
            _, log = jax.lax.scan(tick, self.neuron.init(flat[0].shape[1]), flat, unroll=True)
            logs.append(jnp.sum(log.reshape(spikes.shape), axis=0))
            heard = self.neuron.signal(spikes)
        zero = jnp.zeros(logs[-1].shape[:2])
        return LogProbabilities(
            sum((jnp.sum(log, axis=-1) for log in logs[:-1]), zero), logs[-1].reshape(self.actors, -1)
        )

    def _fire(self, params, obs, key) -> tuple[Firing, tuple[Any, ...]]:
        """What the units heard and did, and the sum of the inputs of each, layer by layer."""
        encoder_key, key = jax.random.split(key)
        inputs = self._inputs(params, jnp.ravel(obs), encoder_key)
        heard, fired, summed = inputs[:, None, None, :], [], []
        for weights, layer_key in zip(params.weights, jax.random.split(key, len(params.weights)), strict=True):
            currents = self._currents(weights, heard)
            flat = currents.reshape(len(currents), -1)

            def tick(state, now):
                return self.neuron.step(state, *now)

            keys = jax.random.split(layer_key, len(flat))
            _, spikes = jax.lax.scan(tick, self.neuron.init(flat.shape[1]), (flat, keys), unroll=True)
            spikes = spikes.reshape(currents.shape)
            summed.append(currents)
            fired.append(spikes if params.alive is None else spikes * params.alive[len(fired)][None])
            heard = self.neuron.signal(fired[-1])
        return Firing(inputs, tuple(fired)), tuple(summed)

    def _inputs(self, params, obs, key):
        def tick(state, tick_key):
            return self.encoder.step(params.encoder, state, obs, tick_key)

        keys = jax.random.split(key, self.ticks) if self.encoder.stochastic else None
        state = self.encoder.init_state(params.encoder)
        return jax.lax.scan(tick, state, keys, length=self.ticks, unroll=True)[1]

    def _currents(self, weights: Float[Array, "actors modules taps_inputs units"], heard: Any) -> Any:
        ticks = len(heard) - self.taps + 1
        heard = jnp.concatenate([heard[tap : tap + ticks] for tap in range(self.taps)], axis=-1)
        heard = jnp.concatenate([heard, jnp.full((*heard.shape[:-1], 1), self.constant, heard.dtype)], axis=-1)
        return jnp.einsum(
            "tami,amiu->tamu", jnp.broadcast_to(heard, (ticks, *weights.shape[:2], heard.shape[-1])), weights
        )

    def _votes(self, spikes):
        sent = self.neuron.signal(spikes)
        return jnp.sum(jnp.mean(sent.reshape(len(sent), self.actors, sent.shape[2] * sent.shape[3]), axis=1), axis=0)

    def _counts(self, firing):
        return tuple(jnp.sum(spikes, axis=0).ravel() for spikes in firing.spikes)

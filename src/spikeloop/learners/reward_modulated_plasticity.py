"""Learning by a local three-factor rule alone: spikes tag synapses, and what is broadcast after every step turns tags to changes.

    at every tick       tags <- rule(tags, spikes of both ends)              in every plastic connection
    at every step       m <- modulator(s, a, r, s')                          one number, for all
                        w <- w + rule.change(tags, targeting(m, a))
                        w <- homeostasis(w, spikes)
    as episodes end     tags begin anew

No gradient runs through the network, no weight is carried to another place, and nothing is stored but the tags: memory and time are
those of the synapses, whatever the length of an episode. With `RewardPredictionError` this is an actor-critic in continuous use
of every step (Barto, Sutton & Anderson 1983; with spikes Fremaux, Sprekeler & Gerstner 2013), with `Reward` reward-modulated STDP
as most libraries have it.

What is plastic is what the network names as its connections: wrap it in `SpikingInputs` where the synapses from a spiking encoder
should learn. Through a network with delays a presynaptic spike is seen in the tick in which it was fired, a postsynaptic one
`dendritic_delay` ticks after it, as in `Plastic`.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from spikeloop.component import require, require_count
from spikeloop.decoders import MotorGroups, SpikeCountChoice, SpikeRate
from spikeloop.encoders import RegularPlaceCells
from spikeloop.environments import AbstractEnvironment, Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.interaction import (
    AbstractSelection,
    Actor,
    Interaction,
    RandomAmongLargest,
    WatchedActor,
    begin,
    interact,
)
from spikeloop.learners._base import AbstractLearner, Report, firing_rates
from spikeloop.learners.modulators import AbstractModulator, RewardPredictionError
from spikeloop.learners.targeting import AbstractTargeting, Everywhere
from spikeloop.networks import Connection, FeedForward, SpikingInputs
from spikeloop.neurons import SoftWinnerTakeAll
from spikeloop.plasticity import (
    AbstractHomeostasis,
    AbstractModulatedPlasticity,
    CentredPairs,
    ExponentialEligibility,
    NoBounds,
    NoHomeostasis,
    Seen,
    ThreeFactor,
)
from spikeloop.policies import SpikingParams, SpikingPolicy


class PlasticSynapses(eqx.Module):
    """What a plastic connection keeps beside its weights."""

    traces: Any  # of the rule
    post: Float[Array, "delay post"]  # postsynaptic spikes on their way to the synapses
    expected: Float[Array, "delay post"] | None  # what was expected of them
    homeostasis: Any


class RewardModulatedState(eqx.Module):
    """Everything that changes while a network learns by a local rule."""

    params: PyTree
    synapses: tuple[PlasticSynapses, ...]
    modulator: Any
    interaction: Interaction
    env_steps: Int[Array, ""]


class RewardModulatedPlasticity(AbstractLearner):
    """A three-factor rule in every synapse, and one modulator for all: reward-modulated STDP and local actor-critics."""

    fixed_env_steps = True

    policy: SpikingPolicy = SpikingPolicy(
        RegularPlaceCells(), SpikingInputs(81, FeedForward((), SoftWinnerTakeAll())), MotorGroups(), ticks=4
    )  # what acts
    rule: AbstractModulatedPlasticity = ThreeFactor(
        0.1, CentredPairs(), ExponentialEligibility(40.0), NoBounds()
    )  # how synapses change
    modulator: AbstractModulator = RewardPredictionError()  # what they are told after every step
    targeting: AbstractTargeting = Everywhere()  # which neurons are told
    homeostasis: AbstractHomeostasis = NoHomeostasis()  # of the incoming weights of a neuron
    selection: AbstractSelection = RandomAmongLargest()  # from the output to an action, in learning and in evaluation
    only: tuple[int, ...] | None = None  # places of the connections that learn, the first being 0; None: all
    dendritic_delay: int = 0  # ticks until the rule sees a postsynaptic spike
    steps_per_iteration: int = 1  # environment steps per iteration

    def __check_init__(self):
        require_count(self, "steps_per_iteration")
        require_count(self, "dendritic_delay", least=0)
        rule = "None or a non-empty tuple of different whole numbers of at least 0"
        require(self, "only", lambda only: only is None or _are_places(only), rule)

    def typical_env_steps(self, environment):
        return self.steps_per_iteration

    def init(self, environment, key):
        spec = environment.spec
        if not isinstance(spec.actions, Discrete):
            raise InvalidInput(f"{type(self).__name__} needs discrete actions, and those of {spec.name} are continuous")
        params_key, begin_key, modulator_key = jax.random.split(key, 3)
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        synapses = tuple(self._begin(connection, params) for connection in self._plastic(params))
        return RewardModulatedState(
            params=params,
            synapses=synapses,
            modulator=self.modulator.init(spec, modulator_key),
            interaction=begin(environment, self._watched(spec, params), begin_key),
            env_steps=jnp.zeros((), jnp.int32),
        )

    def step(self, environment, state, key):
        keys = jax.random.split(key, self.steps_per_iteration)
        state, (episodes, metrics) = jax.lax.scan(lambda s, k: self._live(environment, s, k), state, keys)
        metrics = {name: jnp.mean(values) for name, values in metrics.items()}
        return state, Report(jnp.asarray(self.steps_per_iteration, jnp.int32), episodes, metrics)

    def taken_over(self, state):
        """The same weights, and synapses that remember nothing: no tags, and no weights that were the first ones before."""
        synapses = tuple(self._begin(connection, state.params) for connection in self._plastic(state.params))
        return eqx.tree_at(lambda now: now.synapses, state, synapses)

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions, self.selection)

    def _live(self, environment: AbstractEnvironment, state: RewardModulatedState, key: Any) -> tuple[Any, Any]:
        """One step of the environment, and what the synapses make of it."""
        spec = environment.spec
        actor = self._watched(spec, state.params)
        interaction, moment = interact(environment, actor, state.interaction, state.env_steps, key)
        modulator, told = self.modulator.hear(state.modulator, moment)
        connections = self._plastic(state.params)
        after = []
        for connection, synapses in zip(connections, state.synapses, strict=True):
            heard = self.targeting(told, moment.transition.action, self._group(spec, state.params, connection))
            after.append(self._learn(connection, synapses, moment.decision.record, (heard, told), moment.episode.ended))
        params = self._with_weights(state.params, [weights for weights, _ in after])
        sizes = jnp.stack([jnp.mean(jnp.abs(weights)) for weights, _ in after])
        metrics = {
            "modulator": told,
            "modulator_size": jnp.abs(told),
            "weight_size": jnp.mean(sizes),
            **firing_rates(self.policy, moment.decision),
        }
        synapses = tuple(kept for _, kept in after)
        state = RewardModulatedState(params, synapses, modulator, interaction, state.env_steps + 1)
        return state, (moment.episode, metrics)

    def _learn(self, connection, synapses, watched, heard, ended):
        """The weights of one connection after a decision and its reward, aimed and as it was, and what it keeps."""
        post = jnp.concatenate([synapses.post, watched.spikes[connection.post]])
        expected = None
        if synapses.expected is not None:
            expected = jnp.concatenate([synapses.expected, watched.expected[connection.post]])
        ticks, weights = self.policy.ticks, connection.weights
        now = None if expected is None else expected[:ticks]
        seen = Seen(watched.spikes[connection.pre], post[:ticks], now)
        traces, change = self.rule.change(self.rule.see(synapses.traces, weights, seen), weights, *heard)
        spikes = watched.decision.spikes[connection.post]
        homeostasis, weights = self.homeostasis.step(synapses.homeostasis, weights + change, spikes)
        kept = PlasticSynapses(traces, post[ticks:], None if expected is None else expected[ticks:], homeostasis)
        rest = PlasticSynapses(
            self.rule.forget(traces, weights),
            jnp.zeros_like(kept.post),
            jax.tree.map(jnp.zeros_like, kept.expected),
            homeostasis,
        )
        return weights, jax.tree.map(lambda new, old: jnp.where(ended, new, old), rest, kept)

    def _begin(self, connection: Connection, params: Any) -> PlasticSynapses:
        weights = connection.weights
        on_their_way = jnp.zeros((self.dendritic_delay, weights.shape[1]))
        expected = None
        if self.rule.needs_expectation:
            network = self.policy.network
            if network.expected(params.network, network.init_state(params.network))[connection.post] is None:
                raise InvalidInput(
                    f"{type(self.rule).__name__} needs neurons that fire by chance and know how probably, such as EscapeNoise "
                    f"or SoftWinnerTakeAll, and population {connection.post} does not"
                )
            expected = on_their_way
        return PlasticSynapses(self.rule.init(weights), on_their_way, expected, self.homeostasis.init(weights))

    def _plastic(self, params: Any) -> tuple[Connection, ...]:
        """The connections that learn."""
        connections = self.policy.network.connections(params.network)
        inside = type(self.policy.network).__name__
        if not connections:
            raise InvalidInput(
                f"there is no connection between two populations of this {inside}; SpikingInputs makes one"
            )
        if self.only is None:
            return connections
        if max(self.only) >= len(connections):
            raise InvalidInput(f"only must be below {len(connections)}, the connections of {inside}, got {self.only}")
        return tuple(connections[place] for place in self.only)

    def _with_weights(self, params, changed):
        weights = [connection.weights for connection in self.policy.network.connections(params.network)]
        for place, new in zip(range(len(weights)) if self.only is None else self.only, changed, strict=True):
            weights[place] = new
        network = self.policy.network.with_weights(params.network, tuple(weights))
        return SpikingParams(params.encoder, network, params.decoder)

    def _group(self, spec: Spec, params: Any, connection: Connection) -> Int[Array, " post"]:
        """The action of every postsynaptic neuron; -1 where it has none."""
        size, last = connection.weights.shape[1], len(self.policy.network.silence(params.network)) - 1
        decoder, actions = self.policy.decoder, spec.actions.output_size
        if connection.post == last and isinstance(decoder, MotorGroups):
            return jnp.asarray(decoder.membership(actions), jnp.int32)
        if connection.post == last and isinstance(decoder, SpikeRate | SpikeCountChoice):
            return jnp.arange(actions, dtype=jnp.int32)
        return jnp.full(size, -1, jnp.int32)

    def _watched(self, spec: Spec, params: Any) -> WatchedActor:
        return WatchedActor(self.policy, params, spec.actions, self.selection)


def _are_places(only):
    whole = all(isinstance(place, int) and not isinstance(place, bool) and place >= 0 for place in only)
    return whole and len(set(only)) == len(only) > 0

"""A spiking policy: encoder, network and decoder, and the tick loop that joins them.

    for each tick:  input = encoder(obs);  spikes = network(input);  the decoder takes in the last population's spikes
    output = decoder's reading after the last tick

What becomes of the network's state between two decisions of an episode is a component of its own:
`ResetBetweenDecisions` starts every decision at rest (all the Q-learning papers), `KeepBetweenDecisions` lets
potentials live on (Labady 2023). An episode always begins at rest.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spikeloop.component import Component, require_count
from spikeloop.decoders import AbstractDecoder, LastMembrane
from spikeloop.encoders import AbstractEncoder, Direct
from spikeloop.networks import AbstractNetwork, FeedForward
from spikeloop.policies._base import AbstractPolicy, Activity, Decision, Trace, TracedDecision, Traffic, WatchedDecision

# Ticks laid out as straight-line code, which XLA fuses into one kernel: 3 times the speed of a loop on a CPU at 16 ticks.
UNROLLED_TICKS = 64
# Longer decisions are a loop, so many ticks a round: a hundred would take 40 s to compile otherwise.
TICKS_A_ROUND = 4
# Of a network that takes many ticks at once, the largest divisor of a decision's ticks up to this: what fits the cache.
TICKS_A_BLOCK = 25


class AbstractBetweenDecisions(Component):
    """What becomes of a spiking network's state between two decisions of one episode."""

    @property
    @abc.abstractmethod
    def keeps(self) -> bool:
        """Whether the state of one decision is where the next begins."""


class ResetBetweenDecisions(AbstractBetweenDecisions):
    """Every decision starts at rest."""

    @property
    def keeps(self):
        return False


class KeepBetweenDecisions(AbstractBetweenDecisions):
    """Potentials and encoder state live on from one decision to the next; the decoder starts afresh."""

    @property
    def keeps(self):
        return True


class SpikingState(eqx.Module):
    """State of a spiking policy between decisions."""

    encoder: Any
    network: Any


class SpikingParams(eqx.Module):
    """Trainable parameters of a spiking policy."""

    encoder: Any
    network: Any
    decoder: Any


class _Tick(eqx.Module):
    """What the tick loop carries."""

    brain: SpikingState
    decoder: Any
    counts: tuple[Float[Array, " _"], ...]


class SpikingPolicy(AbstractPolicy):
    """Encoder, spiking network and decoder, run for a number of ticks a decision."""

    encoder: AbstractEncoder = Direct()  # observation to input
    network: AbstractNetwork = FeedForward()  # input to spikes
    decoder: AbstractDecoder = LastMembrane()  # spikes to output
    ticks: int = 16  # network steps per decision (the papers' T)
    between_decisions: AbstractBetweenDecisions = ResetBetweenDecisions()  # what becomes of potentials

    def __check_init__(self):
        require_count(self, "ticks")

    @property
    def stochastic(self):
        return self.encoder.stochastic or self.network.stochastic

    @property
    def carries_state(self):
        return self.between_decisions.keeps

    @property
    def ticks_per_decision(self):
        return self.ticks

    def populations(self, out_size):
        return self.network.sizes(self.decoder.population(out_size))

    def init(self, obs_size, out_size, key):
        encoder_key, network_key, decoder_key = jax.random.split(key, 3)
        output_population = self.decoder.population(out_size)
        last = self.network.sizes(output_population)[-1]
        return SpikingParams(
            encoder=self.encoder.init(obs_size, encoder_key),
            network=self.network.init(self.encoder.size(obs_size), output_population, network_key),
            decoder=self.decoder.init(last, out_size, decoder_key),
        )

    def init_state(self, params):
        return SpikingState(self.encoder.init_state(params.encoder), self.network.init_state(params.network))

    def __call__(self, params, state, obs, key):
        end, _ = self._run(params, state, obs, key, lambda tick, spikes, inputs: None)
        return end.brain, self._decide(params, end, key)

    def trace(self, params, state, obs, key):
        def keep(tick, spikes, inputs):
            return Trace(spikes, self.decoder.read(params.decoder, tick.decoder, self.ticks))

        end, trace = self._run(params, state, obs, key, keep)
        return end.brain, TracedDecision(self._decide(params, end, key), trace)

    def probe(self, params, state, obs, key):
        def keep(tick, spikes, inputs):
            evidence = self.decoder.read(params.decoder, tick.decoder, self.ticks)
            return Trace(spikes, evidence, self.network.potentials(params.network, tick.brain.network))

        # Tick by tick: a network that takes many at once says nothing of its potentials in between.
        end, trace = self._run(params, state, obs, key, keep, every_tick=True)
        return end.brain, TracedDecision(self._decide(params, end, key), trace)

    def watch(self, params: SpikingParams, state: SpikingState, obs: Any, key: Any) -> tuple[Any, WatchedDecision]:
        """The same decision with what a local rule sees of it: all spikes, and how probable they were."""

        def keep(tick, spikes, inputs):
            known = self.network.stochastic  # a network that takes many ticks at once leaves nothing to chance
            expected = self.network.expected(params.network, tick.brain.network) if known else (None,) * len(spikes)
            return spikes, expected

        end, (spikes, expected) = self._run(params, state, obs, key, keep)
        return end.brain, WatchedDecision(self._decide(params, end, key), spikes, expected)

    def memory(self, params):
        last = self.network.silence(params.network)[-1].shape[0]
        readout = self.decoder.potential(params.decoder, self.decoder.init_state(params.decoder, last))
        return self.init_state(params), readout

    def activity(self, params, state, obs, key):
        def keep(tick, spikes, inputs):
            potentials = self.network.potentials(params.network, tick.brain.network)
            readout = self.decoder.potential(params.decoder, tick.decoder)
            return inputs, spikes, tuple(v for v in (*potentials, readout) if v is not None)

        # As they are at the start: what a local rule changes within the decision is seen at the next.
        start = state if self.between_decisions.keeps else self.init_state(params)
        pathways = self.network.pathways(params.network, start.network)
        end, (inputs, spikes, potentials) = self._run(params, state, obs, key, keep, every_tick=True)
        traffic = [
            Traffic(
                way.weights,
                inputs if way.pre is None else spikes[way.pre],
                way.name,
                way.pre is None and self.encoder.constant,
            )
            for way in pathways
        ]
        readout = self.decoder.synapses(params.decoder)
        if readout is not None:
            heard = spikes[-1] if self.decoder.every_tick else end.counts[-1][None] / self.ticks
            traffic.append(Traffic(readout, heard, f"population {len(spikes) - 1} to readout"))
        return end.brain, Activity(self._decide(params, end, key), tuple(traffic), spikes, potentials)

    def _decide(self, params, end, key):
        output = self.decoder.read(params.decoder, end.decoder, self.ticks)
        return Decision(output, end.counts, key if self.stochastic else None)

    def _run(self, params, state, obs, key, keep, every_tick=False):
        """The ticks of a decision, and what is to be kept of each; with `every_tick` never many of them as one."""
        if not self.between_decisions.keeps:
            state = self.init_state(params)
        obs, in_blocks = jnp.ravel(obs), self.network.in_blocks

        def drive(encoder_state, encoder_key):
            encoder_state, inputs = self.encoder.step(params.encoder, encoder_state, obs, encoder_key)
            return encoder_state, (inputs, self.network.drive(params.network, inputs))

        constant = drive(state.encoder, None) if self.encoder.constant else None

        def take(carry, brain, spikes, inputs=None):
            """The decoder takes in the spikes of a tick."""
            counts = tuple(count + fired for count, fired in zip(carry.counts, spikes, strict=True))
            carry = _Tick(brain, self.decoder.step(params.decoder, carry.decoder, spikes[-1]), counts)
            return carry, keep(carry, spikes, inputs)

        def tick(carry, tick_key):
            encoder_key, network_key = (tick_key, None) if tick_key is None or in_blocks else jax.random.split(tick_key)
            encoder_state, (inputs, current) = constant or drive(carry.brain.encoder, encoder_key)
            network_state, spikes = self.network.step(params.network, carry.brain.network, current, network_key)
            return take(carry, SpikingState(encoder_state, network_state), spikes, inputs)

        def block(carry, keys):
            if constant is None:
                encoder_state, (_, currents) = jax.lax.scan(drive, carry.brain.encoder, keys, length=ticks)
            else:
                encoder_state, (_, current) = constant
                currents = jnp.broadcast_to(current, (ticks, *current.shape))
            network_state, spikes = self.network.run(params.network, carry.brain.network, currents)
            brain = SpikingState(encoder_state, network_state)
            return jax.lax.scan(lambda carry, spikes: take(carry, brain, spikes), carry, spikes, unroll=ticks)

        silence = self.network.silence(params.network)
        start = _Tick(state, self.decoder.init_state(params.decoder, silence[-1].shape[0]), silence)
        keys = jax.random.split(key, self.ticks) if self.stochastic else None
        if every_tick or not in_blocks:
            unroll = self.ticks if self.ticks <= UNROLLED_TICKS else TICKS_A_ROUND
            unroll = 1 if in_blocks else unroll
            return jax.lax.scan(tick, start, keys, length=self.ticks, unroll=unroll)
        ticks = max(n for n in range(1, TICKS_A_BLOCK + 1) if self.ticks % n == 0)
        blocks = self.ticks // ticks
        end, kept = jax.lax.scan(block, start, None if keys is None else keys.reshape(blocks, ticks), length=blocks)
        return end, jax.tree.map(lambda leaf: leaf.reshape(self.ticks, *leaf.shape[2:]), kept)

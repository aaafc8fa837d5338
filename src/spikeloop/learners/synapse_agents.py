"""Every synapse is an agent (Zheng et al. 2026, Strategy A; Bhargava et al. 2022 for networks that do not spike).

One iteration: every synapse looks at its state and strengthens its weight, weakens it or leaves it; the policy plays
`episodes` episodes with the new weights; their mean return becomes a reward that all synapses share, and the value
function that they share learns from it. No gradient runs through the network.

The papers do not say what an iteration is on a control task, nor what the loss of a network that plays is. This is the
reading that fits both: the loss is minus the mean return.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from spikeloop.component import require_count
from spikeloop.interaction import Actor, play_episode
from spikeloop.learners._base import AbstractLearner, Report, played_rates
from spikeloop.learners.synapses import SynapsesState, SynapticRule, places
from spikeloop.learners.synapses.rule import synapse_rates
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class SynapseAgentsState(eqx.Module):
    """The weights, and what the synapses remember and have learned."""

    params: Any
    synapses: SynapsesState


class SynapseAgents(AbstractLearner):
    """Every synapse chooses its own weight changes; all share one value function and one reward."""

    fixed_env_steps = False

    policy: AbstractPolicy = SpikingPolicy()  # whose synapses act
    rule: SynapticRule = SynapticRule()  # how they see, choose, act and learn
    episodes: int = 1  # played in every iteration

    def __check_init__(self):
        require_count(self, "episodes")

    def typical_env_steps(self, environment):
        return self.episodes * 20

    def init(self, environment, key):
        params_key, rule_key = jax.random.split(key)
        spec = environment.spec
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        return SynapseAgentsState(params, self.rule.init(places(params), rule_key))

    def step(self, environment, state, key):
        act_key, play_key, learn_key = jax.random.split(key, 3)
        where = places(state.params)
        before, unravel = ravel_pytree(state.params)
        synapses, weights = self.rule.act(where, state.synapses, before, act_key)
        actor = Actor(self.policy, unravel(weights), environment.spec.actions)
        played = jax.vmap(lambda k: play_episode(environment, actor, k))(jax.random.split(play_key, self.episodes))
        score = jnp.mean(played.episode.episode_return)
        rates = played_rates(self.policy, played)
        synapses, reward = self.rule.hear(where, synapses, weights, score, synapse_rates(where, rates), learn_key)
        metrics = {"score": score, "reward": reward, "weight_change": jnp.mean(jnp.abs(weights - before))}
        metrics |= {f"firing_rate_{place}": jnp.mean(rate) for place, rate in enumerate(rates, start=1)}
        env_steps = jnp.sum(played.episode.length, dtype=jnp.int32)
        return SynapseAgentsState(unravel(weights), synapses), Report(env_steps, played.episode, metrics)

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions)

    def lessons(self, state):
        return self.rule.value.lessons(state.synapses.value)

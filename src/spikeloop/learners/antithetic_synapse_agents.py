"""Synapse agents that try before they act: each learns from its own trials which way it should go.

In `SynapseAgents` all synapses act at once and are told one number, so that what a synapse hears of its own action is
drowned by what all others did. Here every synapse first tries, in `pairs` of trials that differ in nothing but their
sign, and keeps the correlation of its own trials with the reward that all are told; then it acts on that.

    trial k        w +/- sigma e_k, with e_ki = -1 or 1 drawn by every synapse i; both play the same beginning
    reward         delta_k from the two returns (broadcast; mean square 1 over the pairs of an iteration)
    credit         c_i <- beta c_i + (1 - beta) mean_k(delta_k e_ki),  in units of its standard deviation by chance
    value          Q(s_i, e_ki) learns from delta_k, and Q(s_i, -e_ki) from -delta_k; s_i is the state before the trials
    action         a_i = argmax_a Q(s_i', a), or at random with probability epsilon;  w_i <- w_i + alpha a_i

Nothing but delta_k is shared on the way in, and nothing but Q on the way out. With `FollowCredit` as the value the action
is the sign of the credit: simultaneous perturbation (Spall 1992) with antithetic evaluation, or an evolution strategy
(Salimans et al. 2017) with momentum and sign steps, read as a society of synapses as in Seung's (2003) hedonistic
synapse. With a table the synapses have to find out by themselves that credit is to be followed: most runs do
(`synapses/table` in the results), and the default is what 40 runs on CartPole agree on.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from spikeloop.component import Component, require_between, require_count, require_positive
from spikeloop.interaction import AbstractSchedule, Actor, Constant, play_episode
from spikeloop.learners._base import AbstractLearner, Report, played_rates
from spikeloop.learners.synapses import (
    AbstractChange,
    AbstractValue,
    Additive,
    Credit,
    Experience,
    Places,
    Rates,
    SignReward,
    SynapseState,
    packaged_table,
    places,
)
from spikeloop.learners.synapses.rule import choose, see, synapse_rates
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class AbstractTrialReward(Component):
    """What all synapses are told of the two trials of every pair."""

    @abc.abstractmethod
    def __call__(self, plus: Float[Array, " pairs"], minus: Float[Array, " pairs"]) -> Float[Array, " pairs"]:
        """The reward of the first trial of each pair (the second's is its negative), from the returns."""


class SignOfDifference(AbstractTrialReward):
    """Which of the two was better: 1, 0 or -1."""

    def __call__(self, plus, minus):
        return jnp.sign(plus - minus)


class Difference(AbstractTrialReward):
    """By how much the first was better."""

    def __call__(self, plus, minus):
        return plus - minus


class DifferenceOfRanks(AbstractTrialReward):
    """By how many places the first was better, among all trials of the iteration: no trial counts more for its scale."""

    def __call__(self, plus, minus):
        everyone = jnp.concatenate([plus, minus])

        def rank(value):
            return jnp.mean(jnp.sign(value - everyone))

        return jax.vmap(rank)(plus) - jax.vmap(rank)(minus)


class AntitheticState(eqx.Module):
    """The weights, and what the synapses remember and have learned."""

    params: Any
    credit: Float[Array, " synapses"]
    actions: Float[Array, "depth synapses"]
    rewards: Float[Array, " depth"]  # 1 where the mean return rose, else -1, the latest first
    score: Float[Array, ""]  # the last mean return
    rates: Rates
    value: Any
    iterations: Int[Array, ""]


class AntitheticSynapseAgents(AbstractLearner):
    """Every synapse tries both ways, keeps what it is credited with, and chooses its own weight change from it."""

    fixed_env_steps = False

    policy: AbstractPolicy = SpikingPolicy()  # whose synapses act
    state: SynapseState = SynapseState((Credit(),))  # what a synapse knows when it acts
    value: AbstractValue = packaged_table("credit")  # what it expects of its actions; one for all
    reward: AbstractTrialReward = DifferenceOfRanks()  # what it is told of a trial
    change: AbstractChange = Additive(0.06)  # what its actions do
    exploration: AbstractSchedule = Constant(0.0)  # epsilon: probability of a random action, by iterations
    pairs: int = 4  # of trials in every iteration, an episode each
    trial_size: float = 0.3  # sigma: by how much a weight differs in a trial
    memory: float = 0.8  # beta: what is left of the credit after an iteration

    def __check_init__(self):
        require_count(self, "pairs")
        require_positive(self, "trial_size")
        require_between(self, 0.0, 0.999, "memory")

    def typical_env_steps(self, environment):
        return 2 * self.pairs * 20

    def init(self, environment, key):
        params_key, value_key = jax.random.split(key)
        spec = environment.spec
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        where = places(params)
        self.state.fixed(where)
        count, depth = where.count, self.state.depth
        return AntitheticState(
            params=params,
            credit=jnp.zeros(count),
            actions=jnp.zeros((depth, count)),
            rewards=jnp.zeros(depth),
            score=SignReward().init(),
            rates=Rates(jnp.zeros(count), jnp.zeros(count)),
            value=self.value.init(self.state.width, 2 * self.pairs * count, value_key),
            iterations=jnp.zeros((), jnp.int32),
        )

    def step(self, environment, state, key):
        trial_key, play_key, learn_key, act_key = jax.random.split(key, 4)
        where = places(state.params)
        weights, unravel = ravel_pytree(state.params)
        trials = jax.random.rademacher(trial_key, (self.pairs, where.count), jnp.float32)

        def play(weights, key):
            return play_episode(environment, Actor(self.policy, unravel(weights), environment.spec.actions), key)

        tried = weights[None] + self.trial_size * jnp.concatenate([trials, -trials])
        keys = jax.random.split(play_key, self.pairs)
        played = jax.vmap(play)(tried, jnp.concatenate([keys, keys]))
        plus, minus = jnp.split(played.episode.episode_return, 2)
        told = self.reward(plus, minus)
        told = jnp.where(jnp.isfinite(told), told, 0.0)  # a return that is no number says nothing
        told = told / jnp.maximum(jnp.sqrt(jnp.mean(told**2)), 1e-6)

        value = self._learn(state, where, weights, trials, told, learn_key)
        heard = jnp.mean(told[:, None] * trials, axis=0)
        credit = self.memory * state.credit + (1.0 - self.memory) * heard
        score, reward = SignReward().step(state.score, jnp.mean(played.episode.episode_return))
        rewards = jnp.concatenate([reward[None], state.rewards])[: self.state.depth]
        rates = played_rates(self.policy, played)
        known = (credit, synapse_rates(where, rates), rewards)
        after = eqx.tree_at(lambda s: (s.credit, s.rates, s.rewards), state, known)
        values = jax.vmap(lambda seen: self.value(value, seen))(self._see(after, where, weights))
        actions = choose(values, self.exploration(state.iterations), act_key).astype(jnp.float32)
        state = AntitheticState(
            params=unravel(self.change(weights, actions)),
            credit=credit,
            actions=jnp.concatenate([actions[None], state.actions])[: self.state.depth],
            rewards=rewards,
            score=score,
            rates=after.rates,
            value=value,
            iterations=state.iterations + 1,
        )
        follows = jnp.mean(actions * jnp.sign(credit))
        metrics = {"score": score, "follows_credit": follows}
        metrics |= {f"firing_rate_{place}": jnp.mean(rate) for place, rate in enumerate(rates, start=1)}
        return state, Report(jnp.sum(played.episode.length, dtype=jnp.int32), played.episode, metrics)

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions)

    def lessons(self, state):
        return self.value.lessons(state.value)

    def _see(self, state: AntitheticState, where: Places, weights: Float[Array, " synapses"]):
        # The variance of the mean of `pairs` products of variance 1, through a filter of gain 1: by chance alone.
        chance = ((1.0 - self.memory) / (1.0 + self.memory) / self.pairs) ** 0.5
        rewards = jnp.broadcast_to(state.rewards[:, None], state.actions.shape)
        return see(self.state, where, state.actions, rewards, weights, state.rates, state.credit / chance)

    def _learn(self, state, where, weights, trials, told, key):
        states = jnp.tile(self._see(state, where, weights), (2 * self.pairs, 1))
        actions = jnp.concatenate([trials, -trials]).astype(jnp.int32).ravel()
        rewards = jnp.repeat(jnp.concatenate([told, -told]), where.count)
        return self.value.learn(state.value, Experience(states, actions, rewards, states, jnp.zeros(())), key)

"""Every synapse an agent: the rule by which synapses change their weights, whatever it is that they serve.

    a_t    epsilon-greedy over Q(s_t, .), of each synapse by itself            (Zheng et al. 2026, section 3.2.4)
    w_t    after the action: w + alpha a_t, or w + w alpha a_t                 (section 3.2.1)
    r_t    from the score of the whole, the same for every synapse             (section 3.2.3)
    Q      one for all synapses; a table (Bhargava et al. 2022) or a network with replay (Zheng et al. 2026)

It is asked and told: `act` gives new weights, and `hear` takes their score. What the weights do between the two is
nobody's business: a spiking policy plays an episode (`SynapseAgents`), a regression has a loss. Between equal values a
synapse chooses at random; the papers do not say.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.component import Component, require_between
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSchedule, Constant
from spikeloop.learners.synapses.change import AbstractChange, Additive
from spikeloop.learners.synapses.place import Places
from spikeloop.learners.synapses.returns import AbstractReturn, Deed, SingleStep, states_of
from spikeloop.learners.synapses.reward import AbstractReward, SignReward
from spikeloop.learners.synapses.senses import Credit, SynapseState, View
from spikeloop.learners.synapses.turn import AbstractTurn, AllAtOnce
from spikeloop.learners.synapses.value import AbstractValue, Table


class Rates(eqx.Module):
    """Firing rates of the neurons before and behind every synapse, in spikes per tick."""

    pre: Float[Array, " synapses"]
    post: Float[Array, " synapses"]


class SynapsesState(eqx.Module):
    """Everything that changes in the synapses but their weights."""

    actions: Float[Array, "depth synapses"]  # the latest first
    rewards: Float[Array, "depth synapses"]  # those that followed its own actions
    rates: Rates
    deed: Deed  # of the iteration in progress
    reward: Any
    returns: Any
    value: Any
    iterations: Int[Array, ""]


class SynapticRule(Component):
    """How synapses see, choose, act and learn."""

    state: SynapseState = SynapseState()  # what a synapse knows
    value: AbstractValue = Table()  # what it expects of its actions; one for all
    reward: AbstractReward = SignReward()  # what it is told
    change: AbstractChange = Additive()  # what its actions do
    returns: AbstractReturn = SingleStep()  # what its actions are judged by
    exploration: AbstractSchedule = Constant(0.1)  # epsilon: probability of a random action, by iterations
    turn: AbstractTurn = AllAtOnce()  # who acts in an iteration
    discount: float = 0.9  # gamma: weight of the next iteration's value

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "discount")
        if any(isinstance(sense, Credit) for sense in self.state.senses):
            raise InvalidInput("SynapticRule has no trials to credit; Credit() is for AntitheticSynapseAgents")

    def init(self, places: Places, key: PRNGKeyArray) -> SynapsesState:
        """The synapses before the first iteration: no past actions, no past rewards. Raises InvalidInput as its parts do."""
        self.state.fixed(places)
        count, depth = places.count, self.state.depth
        zero = jnp.zeros((), jnp.int32)
        who = self.turn(count, zero)
        deed = Deed(jnp.zeros((len(who), self.state.width)), jnp.zeros(len(who), jnp.int32), who)
        rates = Rates(jnp.zeros(count), jnp.zeros(count))
        return SynapsesState(
            actions=jnp.zeros((depth, count)),
            rewards=jnp.zeros((depth, count)),
            rates=rates,
            deed=deed,
            reward=self.reward.init(),
            returns=self.returns.init(deed),
            value=self.value.init(self.state.width, len(who), key),
            iterations=zero,
        )

    def act(
        self, places: Places, synapses: SynapsesState, weights: Float[Array, " synapses"], key: PRNGKeyArray
    ) -> tuple[SynapsesState, Float[Array, " synapses"]]:
        """Every synapse whose turn it is sees its state and acts: the synapses and their new weights."""
        who = self.turn(places.count, synapses.iterations)
        states = states_of(who, self.see(places, synapses, weights))
        epsilon = self.exploration(synapses.iterations)
        values = jax.vmap(lambda state: self.value(synapses.value, state))(states)
        chosen = choose(values, epsilon, key)
        acted = _spread(chosen.astype(jnp.float32), who, places.count)
        actions = _remember(synapses.actions, acted, who)
        synapses = eqx.tree_at(lambda s: (s.actions, s.deed), synapses, (actions, Deed(states, chosen, who)))
        return synapses, self.change(weights, acted)

    def hear(
        self,
        places: Places,
        synapses: SynapsesState,
        weights: Float[Array, " synapses"],
        score: Float[Array, ""],
        rates: Rates,
        key: PRNGKeyArray,
    ) -> tuple[SynapsesState, Float[Array, ""]]:
        """The synapses after they heard the score of their weights and learned from it, and the reward they were given."""
        memory, reward = self.reward.step(synapses.reward, score)
        reward = jnp.where(jnp.isfinite(reward), reward, 0.0)  # a return that is no number says nothing
        rewards = _remember(synapses.rewards, reward, synapses.deed.who)
        synapses = eqx.tree_at(lambda s: (s.rewards, s.rates), synapses, (rewards, rates))
        states = self.see(places, synapses, weights)
        returns, judged = self.returns.step(synapses.returns, synapses.deed, reward, states, self.discount)
        learned = self.value.learn(synapses.value, judged.experience, key)
        value = jax.tree.map(lambda new, old: jnp.where(judged.ready, new, old), learned, synapses.value)
        after = SynapsesState(
            synapses.actions, rewards, rates, synapses.deed, memory, returns, value, synapses.iterations + 1
        )
        return after, reward

    def see(
        self, places: Places, synapses: SynapsesState, weights: Float[Array, " synapses"]
    ) -> Float[Array, "synapses width"]:
        """The state of every synapse."""
        return see(
            self.state, places, synapses.actions, synapses.rewards, weights, synapses.rates, jnp.zeros_like(weights)
        )


def see(
    state: SynapseState,
    places: Places,
    actions: Float[Array, "depth synapses"],
    rewards: Float[Array, "depth synapses"],
    weights: Float[Array, " synapses"],
    rates: Rates,
    credit: Float[Array, " synapses"],
) -> Float[Array, "synapses width"]:
    """The state of every synapse, from everything that it may look at."""

    def one(actions, rewards, weight, pre, post, credit, fixed):
        return state(View(actions, rewards, weight, pre, post, credit), fixed)

    fixed = tuple(jnp.asarray(known) for known in state.fixed(places))
    return jax.vmap(one, in_axes=(1, 1, 0, 0, 0, 0, 0))(actions, rewards, weights, rates.pre, rates.post, credit, fixed)


def _spread(values: Float[Array, " acting"], who: Int[Array, " acting"], count: int) -> Float[Array, " synapses"]:
    return values if len(who) == count else jnp.zeros(count).at[who].set(values)


def _remember(history: Float[Array, "depth synapses"], latest: Float[Array, "..."], who: Int[Array, " acting"]):
    """The history with the latest first; that of synapses that waited stays as it is."""
    depth, count = history.shape
    newer = jnp.concatenate([jnp.broadcast_to(latest, (count,))[None], history])[:depth]
    if len(who) == count:
        return newer
    return jnp.where(jnp.zeros(count, bool).at[who].set(True), newer, history)


def choose(values: Float[Array, "n 3"], epsilon: Float[Array, ""], key: PRNGKeyArray) -> Int[Array, " n"]:
    """Epsilon-greedy, of each synapse by itself, -1, 0 or 1; between equal values at random."""
    explore_key, order_key = jax.random.split(key)
    order = jax.random.uniform(order_key, values.shape)
    explores = jax.random.uniform(explore_key, values.shape[:1]) < epsilon
    best = values == jnp.max(values, axis=-1, keepdims=True)
    return jnp.argmax(jnp.where(best | explores[:, None], order, -1.0), axis=-1).astype(jnp.int32) - 1


def synapse_rates(places: Places, rates: tuple[Float[Array, " _"], ...]) -> Rates:
    """From the firing rates of populations to those before and behind every synapse.

    Population l is what layer l drives. Inputs and readouts count as 0, a bias's unit as 1 (it is always on).
    """
    pre, post = jnp.zeros(places.count).at[places.bias].set(1.0), jnp.zeros(places.count)
    for layer in range(places.layers):
        here = places.layer == layer
        if layer < len(rates) and len(rates[layer]) == places.size(layer)[1]:
            post = post.at[here].set(rates[layer][places.post[here]])
        here &= ~places.bias
        if 0 < layer <= len(rates) and len(rates[layer - 1]) == np.max(places.pre[here], initial=-1) + 1:
            pre = pre.at[here].set(rates[layer - 1][places.pre[here]])
    return Rates(pre, post)

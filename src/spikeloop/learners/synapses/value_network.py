"""A value function shared by all synapses as a small network, trained from a replay: the DQN of Zheng et al. 2026."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from spikeloop.component import require_count
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Replay, ReplayState
from spikeloop.learners.optimizer import Adam
from spikeloop.learners.synapses.value import ACTIONS, AbstractValue
from spikeloop.learners.target import AbstractTarget, HardTarget, TargetClock
from spikeloop.objectives import AbstractLoss, Huber, q_learning_error
from spikeloop.policies import AbstractPolicy, DeepPolicy


class QNetworkState(eqx.Module):
    """Everything that changes while the network learns."""

    online: Any
    target: Any
    optimizer: Any
    updates: Int[Array, ""]
    replay: ReplayState


class QNetwork(AbstractValue):
    """A network from the state to three values, one for all synapses; every experience of every synapse is replayed.

    The paper gives neither widths nor settings: they are those of the simulator's DQN example, but for a single hidden
    layer of 64 units and a fixed number of updates per iteration. The learning rate's schedule goes by updates.
    """

    network: AbstractPolicy = DeepPolicy((64,))  # from a state to the values of the three actions
    optimizer: Adam = Adam()
    replay: Replay = Replay(10_000)
    target: AbstractTarget = HardTarget(100)  # how the target parameters follow, in updates
    loss: AbstractLoss = Huber()
    batch_size: int = 128  # experiences per update
    updates: int = 10  # per iteration

    def __check_init__(self):
        require_count(self, "batch_size", "updates")
        if self.network.stochastic or self.network.carries_state:
            raise InvalidInput(
                "QNetwork.network must be a policy that neither draws random numbers nor carries a state"
            )

    def init(self, width, synapses, key):
        if self.replay.capacity < synapses:
            raise InvalidInput(
                f"QNetwork.replay must hold at least one iteration's {synapses} transitions; its capacity is "
                f"{self.replay.capacity}"
            )
        params = self.network.init(width, len(ACTIONS), key)
        item = (jnp.zeros(width), jnp.zeros((), jnp.int32), jnp.zeros(()), jnp.zeros(width), jnp.zeros(()))
        zero = jnp.zeros((), jnp.int32)
        return QNetworkState(params, params, self.optimizer.direction().init(params), zero, self.replay.init(item))

    def __call__(self, learned, state):
        return self._values(learned.online, state)

    def learn(self, learned, experience, key):
        discount = jnp.broadcast_to(experience.discount, experience.rewards.shape)
        replay = self.replay.extend(
            learned.replay,
            (experience.states, experience.actions + 1, experience.rewards, experience.next_states, discount),
        )

        def update(carry, sample_key):
            online, target, optimizer, updates = carry
            states, actions, rewards, next_states, discounts = jax.tree.map(
                lambda leaf: leaf[:, 0], self.replay.sample(replay, self.batch_size, 1, sample_key)
            )

            def batch_loss(params):
                values = jax.vmap(lambda state: self._values(params, state))(states)
                next_values = jax.vmap(lambda state: self._values(target, state))(next_states)
                errors = jax.vmap(q_learning_error)(values, actions, rewards, discounts, jnp.max(next_values, axis=-1))
                return jnp.mean(self.loss(errors))

            gradient = jax.grad(batch_loss)(online)
            direction, optimizer = self.optimizer.direction().update(gradient, optimizer, online)
            rate = self.optimizer.learning_rate(updates)
            online = jax.tree.map(lambda param, move: param + rate * move, online, direction)
            # There are no episodes here: a target that goes by episodes would never be copied, so every update ends one.
            clock = TargetClock(updates + 1, updates + 1, jnp.ones((), bool))
            return (online, self.target(target, online, clock), optimizer, updates + 1), None

        carry = (learned.online, learned.target, learned.optimizer, learned.updates)
        (online, target, optimizer, updates), _ = jax.lax.scan(update, carry, jax.random.split(key, self.updates))
        return QNetworkState(online, target, optimizer, updates, replay)

    def _values(self, params, state):
        return self.network(params, self.network.init_state(params), state, None)[1].output

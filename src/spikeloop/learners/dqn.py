"""Deep Q-learning (Mnih et al. 2015), for spiking and deep networks alike.

    Q(s, a) is the policy's output;   delta = r + gamma v(s') - Q(s, a);   minimise the mean loss of delta over a batch
    v(s') = max_a Q_target(s', a), or with double Q-learning Q_target(s', argmax_a Q(s', a)); 0 where the task ended
    with n-step returns r is sum_k gamma^k r_k over n steps, gamma becomes gamma^n, and s' is n steps ahead

With a spiking policy this is the deep spiking Q-network (DQSN) of Zheng et al. 2026, Strategy B, and of the
SpikingJelly example that it follows; the gradient runs through all ticks with surrogate derivatives. A truncated
episode is not a terminated one: its last state keeps its value.

One iteration: `steps_per_update` environment steps, then one update once the replay holds `learning_starts`
transitions.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from spikeloop.component import require_count
from spikeloop.environments import AbstractEnvironment, Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import (
    AbstractSelection,
    Actor,
    EpsilonGreedy,
    Interaction,
    Replay,
    ReplayState,
    Transition,
    begin,
    interact,
)
from spikeloop.learners._base import AbstractLearner, Report, firing_rates, require_replayable
from spikeloop.learners.optimizer import Adam
from spikeloop.learners.target import AbstractTarget, HardTarget, Immediate, TargetClock
from spikeloop.objectives import AbstractBootstrap, AbstractLoss, Huber, MaxBootstrap, n_step_return, q_learning_error
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class Learned(eqx.Module):
    """What an update changes."""

    online: PyTree
    target: PyTree
    acting: PyTree
    optimizer: PyTree
    updates: Int[Array, ""]


class DQNState(eqx.Module):
    """Everything that changes while a DQN learns."""

    learned: Learned
    interaction: Interaction
    replay: ReplayState
    env_steps: Int[Array, ""]
    episodes: Int[Array, ""]


class DQN(AbstractLearner):
    """Q-learning with a network, a replay and a target network; with a spiking policy, the deep spiking Q-network."""

    fixed_env_steps = True

    policy: AbstractPolicy = SpikingPolicy()  # its output is Q(s, .), one value an action
    optimizer: Adam = Adam()  # of the online parameters
    exploration: AbstractSelection = EpsilonGreedy()  # how actions are chosen while learning
    replay: Replay = Replay()  # the transitions that updates are made from
    target: AbstractTarget = HardTarget()  # how the target parameters follow the online ones
    acting: AbstractTarget = Immediate()  # how the policy that is evaluated and kept follows the one that learns
    bootstrap: AbstractBootstrap = MaxBootstrap()  # how a successor's value is estimated
    loss: AbstractLoss = Huber()  # of the temporal-difference error
    discount: float = 0.99  # gamma: weight of the next step's value
    n_step: int = 1  # steps whose rewards are summed before the value of a successor is used
    batch_size: int = 128  # transitions per update
    learning_starts: int = 128  # transitions in the replay before the first update
    steps_per_update: int = 1  # environment steps per iteration

    def __check_init__(self):
        require_count(self, "steps_per_update")
        require_replayable(self)

    def typical_env_steps(self, environment):
        return self.steps_per_update

    def init(self, environment, key):
        actions = environment.spec.actions
        if not isinstance(actions, Discrete):
            raise InvalidInput(f"DQN needs discrete actions, and those of {environment.spec.name} are continuous")
        params_key, begin_key = jax.random.split(key)
        params = self.policy.init(environment.spec.observation_size, actions.output_size, params_key)
        interaction = begin(environment, self._actor(environment, params), begin_key)
        zero = jnp.zeros((), jnp.int32)
        item = jax.eval_shape(lambda: self._interact(environment, params, interaction, zero, begin_key)[1].transition)
        learned = Learned(params, params, params, self.optimizer.init(params), zero)
        return DQNState(learned, interaction, self.replay.init(item), zero, zero)

    def step(self, environment, state, key):
        collect_key, sample_key, update_key = jax.random.split(key, 3)

        def collect(carry, step_key):
            interaction, replay, env_steps = carry
            interaction, moment = self._interact(environment, state.learned.online, interaction, env_steps, step_key)
            return (interaction, self.replay.add(replay, moment.transition), env_steps + 1), moment

        carry = (state.interaction, state.replay, state.env_steps)
        keys = jax.random.split(collect_key, self.steps_per_update)
        (interaction, replay, env_steps), moments = jax.lax.scan(collect, carry, keys, unroll=min(4, len(keys)))
        episodes = state.episodes + jnp.sum(moments.episode.ended, dtype=jnp.int32)

        ready = self.replay.size(replay) >= self.learning_starts
        clock = TargetClock(state.learned.updates + 1, episodes, jnp.any(moments.episode.ended))

        # Computed also while the replay fills, and thrown away: XLA would copy the whole replay into a conditional branch at
        # every iteration, which costs more than the few updates of the warm-up.
        batch = self.replay.sample(replay, self.batch_size, self.n_step, sample_key)
        updated, loss, value = self._update(state.learned, batch, clock, env_steps, update_key)
        learned = jax.tree.map(lambda new, old: jnp.where(ready, new, old), updated, state.learned)
        rates = firing_rates(self.policy, moments.decision)
        state = DQNState(learned, interaction, replay, env_steps, episodes)
        return state, Report(
            env_steps=jnp.asarray(self.steps_per_update, jnp.int32),
            episodes=moments.episode,
            metrics={"loss": jnp.where(ready, loss, jnp.nan), "value": jnp.where(ready, value, jnp.nan), **rates},
        )

    def actor(self, environment, state):
        return Actor(self.policy, state.learned.acting, environment.spec.actions)

    def _actor(self, environment: AbstractEnvironment, params: Any) -> Actor:
        return Actor(self.policy, params, environment.spec.actions, self.exploration)

    def _interact(self, environment, params, interaction, env_steps, key):
        return interact(environment, self._actor(environment, params), interaction, env_steps, key)

    def _update(self, learned, batch, clock, env_steps, key):
        def batch_loss(online):
            keys = jax.random.split(key, (3, self.batch_size)) if self.policy.stochastic else None
            errors, values = jax.vmap(self._error, in_axes=(None, None, 0, None if keys is None else 1))(
                online, learned.target, batch, keys
            )
            return jnp.mean(self.loss(errors)), jnp.mean(values)

        (loss, value), gradient = jax.value_and_grad(batch_loss, has_aux=True)(learned.online)
        online, optimizer = self.optimizer.apply(learned.online, learned.optimizer, gradient, env_steps)
        target = self.target(learned.target, online, clock)
        acting = self.acting(learned.acting, online, clock)
        return Learned(online, target, acting, optimizer, clock.updates), loss, value

    def _error(self, online: Any, target: Any, run: Transition, keys: Any) -> tuple[Float[Array, ""], Float[Array, ""]]:
        now_key, next_key, choice_key = (None, None, None) if keys is None else keys
        ahead = n_step_return(run.reward, run.terminated, run.truncated, self.discount)
        action, obs, next_obs = run.action[0], run.obs[0], run.next_obs[ahead.last]
        q_tm1 = self._q(online, obs, now_key)
        q_t = self._q(target, next_obs, next_key)
        v_t = self.bootstrap(q_t, lambda: self._q(online, next_obs, choice_key))
        return q_learning_error(q_tm1, action, ahead.reward, ahead.discount, v_t), q_tm1[action]

    def _q(self, params, obs, key):
        return self.policy(params, self.policy.init_state(params), obs, key)[1].output

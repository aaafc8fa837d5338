"""TD3, the twin delayed deterministic policy gradient (Fujimoto, van Hoof & Meger 2018), for spiking and deep actors alike.

    a   = tanh(actor(s)), each entry scaled to its bounds; while learning + noise, and at random for a number of steps at first
    a'  = clip(tanh(actor'(s')) + clip(noise, -c, c), -1, 1)
    y   = r + gamma min_i Q_i'(s', a');   gamma is 0 where the task ended, not where its time did
    critics  minimise the mean of sum_i (Q_i(s, a) - y)^2
    actor    maximises the mean of Q_1(s, tanh(actor(s))), at every `policy_delay`-th update of the critics; then the targets
             (primed) move towards what was learned

With a spiking actor this is how PopSAN (Tang et al. 2020) and MDC-SAN (Zhang et al. 2022) are trained: the critics are deep, and
only they are lost when the actor goes to a chip. Their actors start every decision at rest. Actor and critics see standardised
observations; critics see actions in -1 ... 1.

One iteration: `steps_per_iteration` environment steps with one actor, then `updates_per_iteration` updates of the critics. Both
are 50 in PopSAN and MDC-SAN: one update a step. What is known of observations grows once an iteration, before the updates.
"""

import math
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from spikeloop.component import require, require_count
from spikeloop.environments import AbstractEnvironment, Box
from spikeloop.errors import InvalidInput
from spikeloop.interaction import (
    AbstractNormalisation,
    AbstractSelection,
    Actor,
    Constant,
    GaussianNoise,
    Greedy,
    Interaction,
    Moment,
    Replay,
    ReplayState,
    RunningStandardisation,
    Transition,
    begin,
    interact,
    standardised_action,
)
from spikeloop.learners._base import AbstractLearner, Report, firing_rates, require_replayable
from spikeloop.learners.optimizer import Adam
from spikeloop.learners.target import AbstractTarget, SoftTarget, TargetClock
from spikeloop.objectives import AbstractLoss, SquaredError, clipped_double_q_target, n_step_return
from spikeloop.policies import AbstractPolicy, DeepPolicy, SpikingPolicy


class ActorCritic(eqx.Module):
    """Parameters of an actor and of its two critics."""

    actor: PyTree
    critics: tuple[PyTree, PyTree]


class ActorCriticLearned(eqx.Module):
    """What updates change."""

    online: ActorCritic
    target: ActorCritic
    optimizer: ActorCritic
    updates: Int[Array, ""]  # of the actor


class TD3State(eqx.Module):
    """Everything that changes while TD3 learns."""

    learned: ActorCriticLearned
    normalisation: Any
    interaction: Interaction
    replay: ReplayState
    env_steps: Int[Array, ""]
    episodes: Int[Array, ""]


class _Example(eqx.Module):
    """What an update of the critics learns from one run of transitions, as networks see it."""

    obs: Float[Array, " obs"]
    taken: Float[Array, " actions"]
    reward: Float[Array, ""]  # of up to `n_step` steps
    discount: Float[Array, ""]  # of the value after them
    next_obs: Float[Array, " obs"]  # after them
    noise: Float[Array, " actions"]  # on the target's action
    decision_key: Any  # of the target's decision; None where that needs none


class TD3(AbstractLearner):
    """Twin delayed deterministic policy gradient: a spiking or deep actor, deep critics, continuous actions."""

    fixed_env_steps = True
    # Products and sums of whole batches by XLA itself rather than by the library that it calls, in vectors as wide as the
    # processor has: a sixth of an update's time on a CPU. Learners of small products lose up to a third by it.
    compiler_options: ClassVar = {"xla_cpu_experimental_ynn_fusion_type": "", "xla_cpu_prefer_vector_width": 512}

    policy: AbstractPolicy = SpikingPolicy()  # the actor; tanh of its output is the action, one value an entry
    critic: DeepPolicy = DeepPolicy((256, 256))  # of either critic; sees observation and action
    optimizer: Adam = Adam(Constant(1e-4))  # of the actor
    critic_optimizer: Adam = Adam(Constant(1e-3))
    exploration: AbstractSelection = GaussianNoise()  # how actions are chosen while learning
    normalisation: AbstractNormalisation = RunningStandardisation()  # of observations
    replay: Replay = Replay(1_000_000)  # the transitions that updates are made from
    target: AbstractTarget = SoftTarget(0.005)  # how the target parameters follow, at every update of the actor
    loss: AbstractLoss = SquaredError()  # of the temporal-difference error
    discount: float = 0.99  # gamma: weight of the next step's value
    n_step: int = 1  # steps whose rewards are summed before the value of a successor is used
    batch_size: int = 100  # transitions per update
    target_noise: float = 0.2  # standard deviation of the noise on the target's action, which lies in -1 ... 1
    target_noise_clip: float = 0.5  # largest magnitude of that noise
    policy_delay: int = 2  # updates of the critics for one of the actor
    learning_starts: int = 1000  # transitions in the replay before the first update
    steps_per_iteration: int = 50  # environment steps per iteration
    updates_per_iteration: int = 50  # updates of the critics per iteration

    def __check_init__(self):
        require_count(self, "policy_delay", "steps_per_iteration", "updates_per_iteration")
        require_replayable(self)
        for field in ("target_noise", "target_noise_clip"):
            require(self, field, lambda value: 0.0 <= value < float("inf"), "a finite number of at least 0")
        capacity, delay = self.replay.capacity, self.policy_delay
        require(self, "steps_per_iteration", lambda n: n <= capacity, f"at most the replay's capacity of {capacity}")
        require(self, "updates_per_iteration", lambda n: n % delay == 0, f"a multiple of policy_delay, {delay}")

    def typical_env_steps(self, environment):
        return self.steps_per_iteration

    def init(self, environment, key):
        spec = environment.spec
        actions = _bounded_box(spec.name, spec.actions)
        actor_key, first_key, second_key, begin_key = jax.random.split(key, 4)
        inputs = spec.observation_size + actions.output_size
        actor = self.policy.init(spec.observation_size, actions.output_size, actor_key)
        critics = (self.critic.init(inputs, 1, first_key), self.critic.init(inputs, 1, second_key))
        online = ActorCritic(actor, critics)
        optimizer = ActorCritic(
            self.optimizer.init(actor),
            (self.critic_optimizer.init(critics[0]), self.critic_optimizer.init(critics[1])),
        )
        zero = jnp.zeros((), jnp.int32)
        learned = ActorCriticLearned(online, online, optimizer, zero)
        known = self.normalisation.init(spec.observation_size)
        interaction = begin(environment, self._actor(environment, actor, known), begin_key)
        item = jax.eval_shape(
            lambda: (
                interact(environment, self._actor(environment, actor, known), interaction, zero, begin_key)[
                    1
                ].transition
            )
        )
        return TD3State(learned, known, interaction, self.replay.init(item), zero, zero)

    def step(self, environment, state, key):
        collect_key, update_key = jax.random.split(key)
        interaction, moments = self._collect(environment, state, collect_key)
        seen = moments.transition.next_obs.reshape(self.steps_per_iteration, -1)
        known = self.normalisation.observe(state.normalisation, seen)
        replay = self.replay.extend(state.replay, moments.transition)
        env_steps = state.env_steps + self.steps_per_iteration
        episodes = state.episodes + jnp.sum(moments.episode.ended, dtype=jnp.int32)

        # Computed also while the replay fills, and thrown away: XLA would copy the whole replay into a conditional branch.
        keys = jax.random.split(update_key, self.updates_per_iteration // self.policy_delay)
        updated, losses = self._updates(environment, state.learned, replay, known, env_steps, episodes, keys)
        ready = self.replay.size(replay) >= self.learning_starts
        learned = jax.tree.map(lambda new, old: jnp.where(ready, new, old), updated, state.learned)
        metrics = {name: jnp.where(ready, jnp.mean(values), jnp.nan) for name, values in losses.items()}
        return TD3State(learned, known, interaction, replay, env_steps, episodes), Report(
            env_steps=jnp.asarray(self.steps_per_iteration, jnp.int32),
            episodes=moments.episode,
            metrics={**metrics, **firing_rates(self.policy, moments.decision)},
        )

    def actor(self, environment, state):
        return self._actor(environment, state.learned.online.actor, state.normalisation, Greedy())

    def _actor(self, environment, params, known, selection=None):
        policy, params = self.normalisation.policy(self.policy), self.normalisation.params(known, params)
        return Actor(policy, params, environment.spec.actions, selection or self.exploration)

    def _collect(self, environment: AbstractEnvironment, state: TD3State, key: Any) -> tuple[Interaction, Moment]:
        actor = self._actor(environment, state.learned.online.actor, state.normalisation)

        def go_on(carry, key):
            interaction, env_steps = carry
            interaction, moment = interact(environment, actor, interaction, env_steps, key)
            return (interaction, env_steps + 1), moment

        keys = jax.random.split(key, self.steps_per_iteration)
        (interaction, _), moments = jax.lax.scan(go_on, (state.interaction, state.env_steps), keys)
        return interaction, moments

    def _updates(self, environment, learned, replay, known, env_steps, episodes, keys):
        """As many rounds as keys, each `policy_delay` updates of the critics, then one of the actor and of the targets."""

        def draw(key):
            sample_key, batch_key = jax.random.split(key)
            runs = self.replay.sample(replay, self.batch_size, self.n_step, sample_key)
            return self._batch(runs, known, environment.spec.actions, batch_key)

        def go_on(learned, drawn):
            batches, actor_key = drawn
            return self._round(learned, batches, actor_key, env_steps, episodes)

        # All batches before the first update: many numbers drawn at once take a fraction of the time of many draws.
        keys = jax.vmap(lambda key: jax.random.split(key, self.policy_delay + 1))(keys)
        return jax.lax.scan(go_on, learned, (jax.vmap(jax.vmap(draw))(keys[:, :-1]), keys[:, -1]))

    def _batch(self, runs: Transition, known: Any, actions: Any, key: Any) -> _Example:
        """Examples of these runs, stacked."""
        noise_key, decision_key = jax.random.split(key)
        noise = self.target_noise * jax.random.normal(noise_key, (self.batch_size, actions.output_size))

        def of_run(run, noise, decision_key):
            ahead = n_step_return(run.reward, run.terminated, run.truncated, self.discount)
            obs = self.normalisation(known, jnp.ravel(run.obs[0]))
            next_obs = self.normalisation(known, jnp.ravel(run.next_obs[ahead.last]))
            taken = standardised_action(run.action[0], actions)
            return _Example(obs, taken, ahead.reward, ahead.discount, next_obs, noise, decision_key)

        keys = jax.random.split(decision_key, self.batch_size) if self.policy.stochastic else None
        noise = jnp.clip(noise, -self.target_noise_clip, self.target_noise_clip)
        return jax.vmap(of_run, in_axes=(0, 0, None if keys is None else 0))(runs, noise, keys)

    def _round(self, learned, batches, actor_key, env_steps, episodes):
        """An update of the critics by each of the batches, then one of the actor, by the last, and of the targets."""
        online, optimizer, losses = learned.online, learned.optimizer, []
        # For all batches at once: the targets change only after them.
        targets = self._targets(learned.target, jax.tree.map(jnp.concatenate, batches))
        for place, target in enumerate(targets.reshape(self.policy_delay, -1)):
            batch = jax.tree.map(lambda leaf, place=place: leaf[place], batches)
            inputs = jnp.concatenate([batch.obs, batch.taken], axis=1)
            steps = [
                self._critic_step(critic, moments, inputs, target, env_steps)
                for critic, moments in zip(online.critics, optimizer.critics, strict=True)
            ]
            losses.append(steps[0][2] + steps[1][2])
            online = ActorCritic(online.actor, (steps[0][0], steps[1][0]))
            optimizer = ActorCritic(optimizer.actor, (steps[0][1], steps[1][1]))

        actor, moments, value = self._actor_step(online, optimizer.actor, batch.obs, env_steps, actor_key)
        online = ActorCritic(actor, online.critics)
        clock = TargetClock(learned.updates + 1, episodes, jnp.zeros((), bool))
        target = self.target(learned.target, online, clock)
        after = ActorCriticLearned(online, target, ActorCritic(moments, optimizer.critics), clock.updates)
        return after, {"critic_loss": sum(losses) / len(losses), "value": value}

    def _targets(self, target, batch) -> Float[Array, " batch"]:
        def of(one):
            action = jnp.clip(self._action(target.actor, one.next_obs, one.decision_key) + one.noise, -1.0, 1.0)
            seen = jnp.concatenate([one.next_obs, action])
            values = jnp.stack([self._value(critic, seen) for critic in target.critics])
            return clipped_double_q_target(one.reward, one.discount, values)

        return jax.vmap(of)(batch)

    def _critic_step(self, critic, moments, inputs, targets, env_steps):
        def loss(critic):
            values = jax.vmap(lambda seen: self._value(critic, seen))(inputs)
            return jnp.mean(self.loss(values - targets))

        value, gradient = jax.value_and_grad(loss)(critic)
        critic, moments = self.critic_optimizer.apply(critic, moments, gradient, env_steps)
        return critic, moments, value

    def _actor_step(self, online, moments, obs, env_steps, key):
        keys = jax.random.split(key, self.batch_size) if self.policy.stochastic else None

        def worth(params):
            def of(obs, key):
                action = self._action(params, obs, key)
                return self._value(online.critics[0], jnp.concatenate([obs, action]))

            return -jnp.mean(jax.vmap(of, in_axes=(0, None if keys is None else 0))(obs, keys))

        value, gradient = jax.value_and_grad(worth)(online.actor)
        actor, moments = self.optimizer.apply(online.actor, moments, gradient, env_steps)
        return actor, moments, -value

    def _action(self, params, obs, key) -> Float[Array, " actions"]:
        return jnp.tanh(self.policy(params, self.policy.init_state(params), obs, key)[1].output)

    def _value(self, params, seen) -> Float[Array, ""]:
        return self.critic(params, None, seen, None)[1].output[0]


def _bounded_box(name: str, actions: Any) -> Box:
    """The action space, if it is one that TD3 can handle. Raises InvalidInput."""
    if not isinstance(actions, Box):
        raise InvalidInput(f"TD3 needs continuous actions, and those of {name} are discrete; use DQN")
    for place, (low, high) in enumerate(zip(actions.low, actions.high, strict=True)):
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InvalidInput(
                f"TD3 scales each entry of an action to its bounds, so they must be finite and apart; entry {place} of {name} "
                f"lies between {low:g} and {high:g}"
            )
    return actions

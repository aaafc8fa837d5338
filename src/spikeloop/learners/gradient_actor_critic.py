"""Actor-critic whose actor is differentiated end to end: through reparameterised spikes, surrogates, or a deep network.

    pi(a|s)  = softmax(output)_a
    delta_t  = r_{t+1} + gamma V(s_{t+1}) - V(s_t)                     (critic: TD(lambda), at every step)
    A_t      = delta_t + gamma lambda A_{t+1}                          to the end of the episode or of the iteration
    minimise   mean_t( -A_t log pi(a_t|s_t) - entropy H(pi(.|s_t)) )   over the steps of an iteration

A_t is the generalised advantage (Schulman et al. 2016). With stochastic spikes the gradient is that of the very decision that
was made, with its random numbers held fixed, and runs back through all ticks. With `BinaryConcrete` draws this is the second
approach of Aenugu 2020 (arXiv:2005.05941), the reparameterised network that the neuron agents are compared with.

One iteration: `steps_per_update` environment steps, and one step of the optimiser.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from spikeloop.component import require_between, require_count
from spikeloop.environments import Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, Interaction, Softmax, begin, interact
from spikeloop.learners._base import AbstractLearner, Report, firing_rates
from spikeloop.learners.annealing import AbstractAnnealing, NoAnnealing
from spikeloop.learners.critics import CriticState, TemporalDifference
from spikeloop.learners.optimizer import Adam
from spikeloop.policies import AbstractPolicy, SpikingPolicy


class ActorCriticState(eqx.Module):
    """The actor and its optimiser, the critic, and the episode in progress."""

    params: Any
    optimizer: Any
    critic: CriticState
    interaction: Interaction
    env_steps: Int[Array, ""]


class Taken(eqx.Module):
    """A step of an iteration, or all of them with a leading axis."""

    obs: Float[Array, "..."]
    action: Shaped[Array, "..."]
    key: Any  # what the decision drew its random numbers from; None if it drew none
    error: Float[Array, "..."]
    done: Bool[Array, "..."]


class GradientActorCritic(AbstractLearner):
    """Advantage actor-critic, one environment at a time, with the actor's gradient taken through all of it."""

    fixed_env_steps = True

    policy: AbstractPolicy = SpikingPolicy()  # its output is the log-odds of actions, up to a constant
    optimizer: Adam = Adam()  # of the actor
    critic: TemporalDifference = TemporalDifference()  # the value, learned step by step
    exploration: Softmax = Softmax()  # pi: from output to action
    annealing: AbstractAnnealing = NoAnnealing()  # of reparameterised spikes
    discount: float = 0.99  # gamma: weight of the next step's value
    trace_decay: float = 0.95  # lambda of the advantage
    entropy: float = 0.01  # weight of the entropy of pi
    steps_per_update: int = 32  # environment steps per iteration

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "discount", "trace_decay")
        require_between(self, 0.0, 1e6, "entropy")
        require_count(self, "steps_per_update")
        if self.policy.carries_state:
            raise InvalidInput(
                "GradientActorCritic needs a policy that starts every decision at rest; use ResetBetweenDecisions"
            )

    def typical_env_steps(self, environment):
        return self.steps_per_update

    def init(self, environment, key):
        spec = environment.spec
        if not isinstance(spec.actions, Discrete):
            raise InvalidInput(f"GradientActorCritic needs discrete actions, and those of {spec.name} are continuous")
        params_key, critic_key, begin_key = jax.random.split(key, 3)
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        zero = jnp.zeros((), jnp.int32)
        self.annealing(self.policy, zero)
        return ActorCriticState(
            params=params,
            optimizer=self.optimizer.init(params),
            critic=self.critic.init(spec, critic_key),
            interaction=begin(environment, Actor(self.policy, params, spec.actions, self.exploration), begin_key),
            env_steps=zero,
        )

    def step(self, environment, state, key):
        actor = Actor(self.policy, state.params, environment.spec.actions, self.exploration)

        def act(carry, step_key):
            interaction, critic = carry
            interaction, moment = interact(environment, actor, interaction, state.env_steps, step_key)
            critic, error = self.critic.step(critic, moment.transition, self.discount)
            transition = moment.transition
            taken = Taken(transition.obs, transition.action, moment.decision.record, error, moment.episode.ended)
            return (interaction, critic), (taken, moment)

        keys = jax.random.split(key, self.steps_per_update)
        (interaction, critic), (taken, moments) = jax.lax.scan(act, (state.interaction, state.critic), keys)
        advantage = self._advantage(taken)
        policy = self.annealing(self.policy, state.env_steps)
        (loss, entropy), gradient = jax.value_and_grad(self._loss, argnums=1, has_aux=True)(
            policy, state.params, taken, advantage
        )
        params, optimizer = self.optimizer.apply(state.params, state.optimizer, gradient, state.env_steps)
        state = ActorCriticState(params, optimizer, critic, interaction, state.env_steps + self.steps_per_update)
        metrics = {"loss": loss, "entropy": entropy, "error": jnp.mean(jnp.abs(taken.error))}
        rates = firing_rates(self.policy, moments.decision)
        return state, Report(jnp.asarray(self.steps_per_update, jnp.int32), moments.episode, {**metrics, **rates})

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions)

    def _advantage(self, taken: Taken) -> Float[Array, " steps"]:
        def back(ahead, now):
            error, done = now
            advantage = error + jnp.where(done, 0.0, self.discount * self.trace_decay * ahead)
            return advantage, advantage

        return jax.lax.scan(back, jnp.zeros(()), (taken.error, taken.done), reverse=True)[1]

    def _loss(self, policy, params, taken, advantage):
        def each(obs, action, key):
            output = policy(params, policy.init_state(params), obs, key)[1].output
            logs = self.exploration.log_probabilities(output)
            return logs[action], -jnp.sum(jnp.exp(logs) * logs)

        logs, entropies = jax.vmap(each, in_axes=(0, 0, None if taken.key is None else 0))(
            taken.obs, taken.action, taken.key
        )
        return -jnp.mean(advantage * logs + self.entropy * entropies), jnp.mean(entropies)

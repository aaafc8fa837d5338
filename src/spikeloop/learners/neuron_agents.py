"""Every neuron is an agent (Aenugu 2020, arXiv:2005.05941; Aenugu et al. 2019, arXiv:1910.06489).

Each unit of a network of stochastic neurons is a policy-gradient agent of its own. It sees its inputs and its own spikes,
and is told one number by a critic, the temporal-difference error, as all others are:

    delta_t = r_{t+1} + gamma V(s_{t+1}) - V(s_t)                            (critic: TD(lambda))
    z_w     <- gamma lambda z_w + c d log pi_k(o_k | x_k; w) / dw            for every synapse w of every unit k
    w       <- w + alpha delta_t z_w

c is the unit's credit for the action executed: 1 in coagent networks, of which the sum of all units' updates follows the
policy gradient of the network (Thomas 2011); see `spikeloop.learners.agents`. lambda = 0 is the published form.

One iteration: `steps_per_iteration` environment steps, each with its update of the critic and then of every unit.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import require_between, require_count
from spikeloop.environments import Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSelection, Actor, Constant, EpsilonGreedy, Interaction, begin, interact
from spikeloop.learners._base import AbstractLearner, Report, firing_rates
from spikeloop.learners.agents import AbstractCredit, AbstractStepSize, Coagent, ConstantStep
from spikeloop.learners.critics import CriticState, TemporalDifference
from spikeloop.policies import CoagentParams, CoagentPolicy, Firing, LogProbabilities


class NeuronAgentsState(eqx.Module):
    """The units, their traces, the critic, and the episode in progress."""

    params: CoagentParams
    trace: CoagentParams
    critic: CriticState
    step_size: Any
    interaction: Interaction
    env_steps: Int[Array, ""]


class NeuronAgents(AbstractLearner):
    """Every neuron learns by its own policy gradient from what it hears and does, and one broadcast error."""

    fixed_env_steps = True

    policy: CoagentPolicy = CoagentPolicy()  # whose units learn
    critic: TemporalDifference = TemporalDifference()  # whose error all are told
    credit: AbstractCredit = Coagent()  # a unit's part in the action
    step_size: AbstractStepSize = ConstantStep()  # of the units
    exploration: AbstractSelection = EpsilonGreedy(Constant(0.1))  # from votes to an action while learning
    discount: float = 0.99  # gamma: weight of the next step's value
    trace_decay: float = 0.0  # lambda of the units: how long what they did stays eligible
    steps_per_iteration: int = 1  # environment steps per iteration

    def __check_init__(self):
        require_between(self, 0.0, 1.0, "discount", "trace_decay")
        require_count(self, "steps_per_iteration")

    def typical_env_steps(self, environment):
        return self.steps_per_iteration

    def init(self, environment, key):
        spec = environment.spec
        if not isinstance(spec.actions, Discrete):
            raise InvalidInput(f"NeuronAgents needs discrete actions, and those of {spec.name} are continuous")
        params_key, critic_key, begin_key = jax.random.split(key, 3)
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        return NeuronAgentsState(
            params=params,
            trace=jax.tree.map(jnp.zeros_like, params),
            critic=self.critic.init(spec, critic_key),
            step_size=self.step_size.init(),
            interaction=begin(environment, self._actor(environment, params), begin_key),
            env_steps=jnp.zeros((), jnp.int32),
        )

    def step(self, environment, state, key):
        def act(state, step_key):
            return self._act(environment, state, step_key)

        state, (episodes, metrics) = jax.lax.scan(act, state, jax.random.split(key, self.steps_per_iteration))
        taken = jnp.asarray(self.steps_per_iteration, jnp.int32)
        return state, Report(taken, episodes, jax.tree.map(jnp.mean, metrics))

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions)

    def _actor(self, environment, params):
        return Actor(self.policy, params, environment.spec.actions, self.exploration)

    def _act(self, environment, state, key):
        actor = self._actor(environment, state.params)
        interaction, moment = interact(environment, actor, state.interaction, state.env_steps, key)
        transition, firing = moment.transition, moment.decision.record
        value = self.critic.value_of(state.critic, transition.obs)
        critic, error = self.critic.step(state.critic, transition, self.discount)

        scores = self.scores(state.params, firing, transition.action)
        trace = jax.tree.map(lambda z, score: self.discount * self.trace_decay * z + score, state.trace, scores)
        rate = self.step_size(state.step_size)
        params = jax.tree.map(lambda w, z: w + rate * error * z, state.params, trace)
        trace = jax.tree.map(lambda z: jnp.where(moment.episode.ended, 0.0, z), trace)
        step_size = self.step_size.step(state.step_size, moment)
        state = NeuronAgentsState(params, trace, critic, step_size, interaction, state.env_steps + 1)
        rates = firing_rates(self.policy, moment.decision)
        return state, (moment.episode, {"error": jnp.abs(error), "value": value, "step_size": rate, **rates})

    def scores(self, params: CoagentParams, firing: Firing, action: Int[Array, ""]) -> CoagentParams:
        """Every synapse's score times its unit's credit: what it would change by for an error of 1 and a step of 1."""
        output = firing.spikes[-1]
        fired = jnp.mean(output, axis=0).reshape(output.shape[1], -1)
        credit = self.credit(fired, action)
        logs, pull = jax.vjp(lambda p: self.policy.log_probabilities(p, firing), params)
        return pull(LogProbabilities(_of_modules(credit, logs.hidden), credit))[0]


def _of_modules(
    credit: Float[Array, "actors actions"], hidden: Float[Array, "actors modules"]
) -> Float[Array, "actors modules"]:
    """The credit of hidden units: that of their module's action, and 1 for those that work for all actions."""
    return credit if credit.shape == hidden.shape and credit.shape[1] > 1 else jnp.ones_like(hidden)

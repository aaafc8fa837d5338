"""Place and action cells that learn from a sparse reward (Chevtchenko & Ludermir 2021; their public code, `SNN_v2`).

Both layers learn by the same rule, each with its own numbers. At every decision, with the reward r of the last action:

    W <- (1 - decay) clip(W + r Z, low, high)                before the spikes of this decision
    Z <- clip((1 - 1/tau) Z + pre post, -1, 1)               after them

    place    pre = 1 for a hidden cell that fired, -1 for one that did not; post = 1 for the place cell that won
    action   pre = 1 for the place cell that won;                           post = 1 for the action cells that won

tau grows while it learns, so that at first only the last step before a reward is rewarded, and later a longer way back. The noise
on the action cells shrinks. When an episode has ended, the network runs once more, so that the last reward is learned from.
Eligibilities and potentials live on into the next episode.

One iteration: one episode.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from spikeloop.component import Component, require, require_between, require_finite
from spikeloop.environments import AbstractEnvironment, Discrete
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSchedule, Actor, Episode, Interaction, LinearDecay
from spikeloop.learners._base import AbstractLearner, Report
from spikeloop.policies import PlaceAndActionParams, PlaceAndActionPolicy


class RewardedTrace(Component):
    """A weight moves by reward times its eligibility, within bounds, and fades; the eligibility is a trace of spike pairs."""

    tau: AbstractSchedule = LinearDecay(1.0, 10.0, 1e5)  # time constant of the eligibility; both in decisions
    low: float = 0.0  # lowest weight
    high: float = 1.0  # highest weight
    decay: float = 0.001  # share of itself that a weight loses at every decision

    def __check_init__(self):
        require_finite(self, "low", "high")
        require(self, "high", lambda high: high > self.low, f"above low, {self.low:g}")
        require_between(self, 0.0, 1.0, "decay")

    def rewarded(
        self, weights: Float[Array, "pre post"], trace: Float[Array, "pre post"], reward: Float[Array, ""]
    ) -> Float[Array, "pre post"]:
        """The weights after a reward."""
        return (1.0 - self.decay) * jnp.clip(weights + reward * trace, self.low, self.high)

    def eligible(
        self,
        trace: Float[Array, "pre post"],
        pre: Float[Array, " pre"],
        post: Float[Array, " post"],
        decisions: Int[Array, ""],
    ) -> Float[Array, "pre post"]:
        """The eligibilities after the spikes of a decision."""
        kept = (1.0 - 1.0 / self.tau(decisions)) * trace
        return jnp.clip(kept + pre[:, None] * post[None, :], -1.0, 1.0)


class PlaceAndActionState(eqx.Module):
    """The weights, the eligibilities of both layers, the place cells' potentials, and how many decisions were made."""

    params: PlaceAndActionParams
    place_trace: Float[Array, "hidden places"]
    action_trace: Float[Array, "places cells"]
    potentials: Float[Array, " places"]
    decisions: Int[Array, ""]


class _Playing(eqx.Module):
    """What the loop over an episode carries."""

    learned: PlaceAndActionState
    world: Interaction
    reward: Float[Array, ""]  # of the last action
    done: Array
    key: Array


class PlaceAndAction(AbstractLearner):
    """Hidden-to-place and place-to-action weights, each changed by the reward where spikes have just coincided."""

    fixed_env_steps = False

    policy: PlaceAndActionPolicy = PlaceAndActionPolicy()  # the network
    place: RewardedTrace = RewardedTrace(
        LinearDecay(1.0, 40.0, 1e5), low=-10.0, decay=1 / 2000
    )  # its rule, to place cells
    action: RewardedTrace = RewardedTrace(LinearDecay(1.0, 10.0, 1e5), decay=1 / 1000)  # the rule to the action cells
    action_noise: AbstractSchedule = LinearDecay(0.4, 0.1, 1e4)  # on the action cells, by the decisions made so far

    def typical_env_steps(self, environment):
        return 20

    def init(self, environment, key):
        actions = environment.spec.actions
        if not isinstance(actions, Discrete):
            raise InvalidInput(
                f"PlaceAndAction needs discrete actions, and those of {environment.spec.name} are continuous"
            )
        params = self.policy.init(environment.spec.observation_size, actions.count, key)
        traces = jnp.zeros_like(params.place), jnp.zeros_like(params.action)
        return PlaceAndActionState(params, *traces, self.policy.init_state(params), jnp.zeros((), jnp.int32))

    def step(self, environment, state, key):
        reset_key, last_key, key = jax.random.split(key, 3)
        env_state, obs = environment.reset(reset_key)
        zero = jnp.zeros(())

        def go_on(now: _Playing) -> _Playing:
            key, decide_key, step_key = jax.random.split(now.key, 3)
            learned, action = self.decide(environment, now.learned, now.world.obs, now.reward, decide_key)
            env_state, step = environment.step(now.world.env_state, action, step_key)
            world = Interaction(
                env_state, step.obs, None, now.world.episode_return + step.reward, now.world.episode_length + 1
            )
            return _Playing(learned, world, step.reward, step.terminated | step.truncated, key)

        start = Interaction(env_state, obs, None, zero, jnp.zeros((), jnp.int32))
        first = _Playing(state, start, zero, jnp.zeros((), bool), key)
        end = jax.lax.while_loop(lambda now: ~now.done, go_on, first)
        state, _ = self.decide(environment, end.learned, end.world.obs, end.reward, last_key)
        episode = Episode(end.done[None], end.world.episode_return[None], end.world.episode_length[None])
        weights = state.params
        metrics = {"place_weight": jnp.mean(weights.place), "action_weight": jnp.mean(weights.action)}
        return state, Report(end.world.episode_length, episode, metrics)

    def decide(
        self,
        environment: AbstractEnvironment,
        state: PlaceAndActionState,
        obs: Float[Array, "..."],
        reward: Float[Array, ""],
        key: Array,
    ) -> tuple[PlaceAndActionState, Int[Array, ""]]:
        """Learn from the reward of the last action, then decide on what is seen now."""
        decisions = state.decisions + 1
        params = PlaceAndActionParams(
            state.params.hidden,
            self.place.rewarded(state.params.place, state.place_trace, reward),
            self.action.rewarded(state.params.action, state.action_trace, reward),
        )
        done = self.policy.propagate(params, state.potentials, obs.ravel(), self.action_noise(decisions), key)
        cells = jnp.asarray(self.policy.cells_of(environment.spec.actions.output_size))
        action = jnp.argmax(cells @ done.drive).astype(jnp.int32)
        place_trace = self.place.eligible(state.place_trace, 2.0 * done.hidden - 1.0, done.place, decisions)
        action_trace = self.action.eligible(state.action_trace, done.place, cells[action], decisions)
        return PlaceAndActionState(params, place_trace, action_trace, done.potentials, decisions), action

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions)

"""Supervised reward-modulated STDP (Bing et al. 2019): spiking controllers that learn to drive from a teacher's example.

For every step of the teacher each of the two controllers whose turn it is runs for one window, and its motor neurons hear

    r_j = (target count - actual count) / n_max          r_i = sum_j w_ij r_j / sum_j |w_ij|    for a hidden neuron i

upon which all weights change by `RewardedWindow`. No gradient, and no comparison of potentials: spikes and one number a neuron.

One iteration: the teacher drives `steps` steps, and the pupil learns from them one after the other.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.component import require_count, require_positive
from spikeloop.decoders import OpposedCounts
from spikeloop.encoders import PoissonRates, SignedPoissonRates
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSchedule, Actor, Constant, Straight
from spikeloop.learners._base import AbstractLearner, Report
from spikeloop.learners.imitation.drive import Drive, DriveState
from spikeloop.learners.imitation.rewarded_windows import RewardedWindow, passed_back
from spikeloop.networks import FeedForward, Layer
from spikeloop.neurons import LeakyIntegrateAndFire, SoftReset
from spikeloop.policies import AbstractPolicy, NearOrFar, NearOrFarParams, SpikingParams, SpikingPolicy

TICKS_A_ROUND = 10  # ticks laid out as straight-line code: a small network's tick costs less than a turn of a loop
NETWORK = FeedForward((20,), LeakyIntegrateAndFire(tau=20.0, reset=SoftReset()))


class SupervisedState(eqx.Module):
    """Weights of both controllers, the teacher at the wheel, and for how long it has been there."""

    params: NearOrFarParams
    drive: DriveState
    taught: Int[Array, ""]  # steps of the teacher so far


class SupervisedPlasticity(AbstractLearner):
    """Two spiking controllers learn a teacher's decisions by reward-modulated STDP, the error of a count being the reward."""

    fixed_env_steps = True

    policy: NearOrFar = NearOrFar(
        SpikingPolicy(PoissonRates(), NETWORK, OpposedCounts(), ticks=50),
        SpikingPolicy(SignedPoissonRates(), NETWORK, OpposedCounts(), ticks=50),
        sensors=6,
    )  # the pupils
    drive: Drive = Drive()  # the teacher
    rule: RewardedWindow = RewardedWindow()  # how weights change
    pace: AbstractSchedule = Constant(1.0)  # what the rule's rate is multiplied by, after so many steps of the teacher
    hidden_start: float = 0.3  # hidden neurons' weights begin evenly between minus this and this
    motor_start: float = 0.3  # motor neurons' between 0 and this: a silent neuron has no spikes to learn from
    steps: int = 100  # of the teacher in an iteration

    def __check_init__(self):
        require_positive(self, "hidden_start", "motor_start")
        require_count(self, "steps")
        for part in (self.policy.near, self.policy.far):
            if not (isinstance(part, SpikingPolicy) and isinstance(part.network, FeedForward) and _opposed(part)):
                raise InvalidInput(
                    "SupervisedPlasticity teaches spiking policies with a FeedForward network and OpposedCounts"
                )

    def typical_env_steps(self, environment):
        return self.steps

    def init(self, environment, key):
        params_key, near_key, far_key, drive_key = jax.random.split(key, 4)
        spec = environment.spec
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        params = NearOrFarParams(self._started(params.near, near_key), self._started(params.far, far_key))
        return SupervisedState(params, self.drive.init(environment, drive_key), jnp.zeros((), jnp.int32))

    def step(self, environment, state, key):
        drive_key, learn_key = jax.random.split(key)
        drive, lesson = self.drive(environment, state.drive, self.steps, drive_key)
        pace = self.pace(state.taught)

        def learn(params, item):
            obs, target, key = item
            near_key, far_key = jax.random.split(key)
            near_obs, far_obs = self.policy.seen(obs)
            near = self.policy.is_near(obs)
            near_params, near_error = self.taught(
                self.policy.near, params.near, near_obs, target, jnp.where(near, pace, 0.0), near_key
            )
            far_params, far_error = self.taught(
                self.policy.far, params.far, far_obs, target, jnp.where(near, 0.0, pace), far_key
            )
            errors = (jnp.where(near, near_error, jnp.nan), jnp.where(near, jnp.nan, far_error))
            return NearOrFarParams(near_params, far_params), errors

        items = (lesson.obs, lesson.target, jax.random.split(learn_key, self.steps))
        params, (near, far) = jax.lax.scan(learn, state.params, items)
        metrics = {
            "error": jnp.nanmean(jnp.stack([near, far])),
            "error_near": jnp.nanmean(near),
            "error_far": jnp.nanmean(far),
        }
        taken = jnp.asarray(self.steps, jnp.int32)
        return SupervisedState(params, drive, state.taught + taken), Report(taken, lesson.episodes, metrics)

    def taught(
        self,
        policy: AbstractPolicy,
        params: SpikingParams,
        obs: Float[Array, " obs"],
        target: Float[Array, " out"],
        pace: Float[Array, ""],
        key: PRNGKeyArray,
    ) -> tuple[SpikingParams, Float[Array, ""]]:
        """One window of one controller: its parameters afterwards, changed at this pace (0: not at all), and its mean error."""
        assert isinstance(policy, SpikingPolicy) and isinstance(policy.decoder, OpposedCounts)
        inputs, spikes = window(policy, params, obs, key)
        counts = jnp.sum(spikes[-1], axis=0)
        output = policy.decoder.read(None, counts, policy.ticks)
        reward = pace * (policy.decoder.counts(target) - counts) / policy.decoder.most
        layers = list(params.network)
        for place in range(len(layers) - 1, -1, -1):
            pre = spikes[place - 1] if place else inputs
            old = layers[place].weight
            weights = self.rule.changed(old, self.rule.timing(pre, spikes[place]), reward)
            layers[place] = Layer(weights, layers[place].bias, layers[place].neuron)
            reward = passed_back(old, reward)
        error = jnp.mean(jnp.abs(target - jnp.clip(output, -1.0, 1.0)))
        return SpikingParams(params.encoder, tuple(layers), params.decoder), error

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions, Straight())

    def _started(self, params: SpikingParams, key: PRNGKeyArray) -> SpikingParams:
        layers = []
        for place, (layer, layer_key) in enumerate(
            zip(params.network, jax.random.split(key, len(params.network)), strict=True), start=1
        ):
            last = place == len(params.network)
            low, high = (0.0, self.motor_start) if last else (-self.hidden_start, self.hidden_start)
            weight = jax.random.uniform(layer_key, layer.weight.shape, minval=low, maxval=high)
            layers.append(Layer(weight, jnp.zeros_like(layer.bias), layer.neuron))
        return SpikingParams(params.encoder, tuple(layers), params.decoder)


def _opposed(policy: SpikingPolicy) -> bool:
    return isinstance(policy.decoder, OpposedCounts)


def window(
    policy: SpikingPolicy, params: SpikingParams, obs: Float[Array, " obs"], key: PRNGKeyArray
) -> tuple[Float[Array, "ticks inputs"], tuple[Float[Array, "ticks _"], ...]]:
    """The spikes of a decision that begins at rest, tick by tick: those of the inputs, and of each population."""

    encoder_key, network_key = jax.random.split(key)
    keys, network_keys = jax.random.split(encoder_key, policy.ticks), jax.random.split(network_key, policy.ticks)

    def encode(state, key):
        return policy.encoder.step(params.encoder, state, obs, key if policy.encoder.stochastic else None)

    start = policy.encoder.init_state(params.encoder)
    # Where the encoder remembers nothing, no tick of the inputs depends on another.
    inputs = jax.vmap(lambda key: encode(None, key)[1])(keys) if start is None else jax.lax.scan(encode, start, keys)[1]
    currents = jax.vmap(lambda spikes: policy.network.drive(params.network, spikes))(inputs)

    def tick(state, now):
        current, key = now
        return policy.network.step(params.network, state, current, key if policy.network.stochastic else None)

    rest = policy.network.init_state(params.network)
    kept: Any = jax.lax.scan(tick, rest, (currents, network_keys), unroll=TICKS_A_ROUND)[1]
    return inputs, kept

"""A recording is the episode that `play_episode` plays, with nothing lost."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.analysis.recording import CHUNK, record_episode
from spikeloop.decoders import SpikeRate
from spikeloop.encoders import Direct, OneHotBins
from spikeloop.environments import Gymnasium, Gymnax
from spikeloop.environments.gymnax import GymnaxState
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, Greedy, UniformRandom, play_episode
from spikeloop.networks import DelayedFeedForward, FeedForward
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire, LeakyIntegrateAndFire
from spikeloop.policies import BlindPolicy, DeepPolicy, KeepBetweenDecisions, SpikingPolicy

SPIKING = SpikingPolicy(network=FeedForward(widths=(12, 7)), ticks=4)


class NoisyEncoder(Direct):
    """The observation with noise: an encoder that needs keys."""

    @property
    def stochastic(self):
        return True

    @property
    def constant(self):
        return False

    def step(self, params, state, obs, key):
        return state, obs + 0.5 * jax.random.normal(key, obs.shape)


NOISY = SpikingPolicy(encoder=NoisyEncoder(), network=FeedForward(widths=(12,)), ticks=4)
KEEPING = SpikingPolicy(network=FeedForward(widths=(12,)), ticks=4, between_decisions=KeepBetweenDecisions())


def actor_of(environment, policy, selection=None, seed=0):
    spec = environment.spec
    params = policy.init(spec.observation_size, spec.actions.output_size, jax.random.key(seed))
    params = jax.tree.map(lambda weights: 4.0 * weights, params)  # enough drive for every population to fire
    return Actor(policy, params, spec.actions, selection or Greedy())


@pytest.mark.parametrize(
    ("policy", "selection"),
    [(SPIKING, Greedy()), (NOISY, UniformRandom()), (KEEPING, UniformRandom()), (BlindPolicy(), UniformRandom())],
)
def test_same_key_gives_the_episode_that_is_played(policy, selection):
    environment = Gymnax("CartPole-v1")
    actor = actor_of(environment, policy, selection)
    recording = record_episode(environment, actor, jax.random.key(5))
    played = eqx.filter_jit(play_episode)(environment, actor, jax.random.key(5))
    assert recording.decisions == int(played.episode.length)
    assert recording.total_return == float(played.episode.episode_return) == recording.rewards.sum()
    assert len(recording.spikes) == len(played.spikes)
    for ticks, total in zip(recording.spikes, played.spikes, strict=True):
        np.testing.assert_allclose(ticks.sum((0, 1)), total)


@pytest.mark.parametrize("environment", [Gymnax("MountainCar-v0", max_steps=CHUNK + 9), Gymnasium("Pendulum-v1", 20)])
def test_actions_played_by_hand_lead_through_the_same_states(environment):
    recording = record_episode(environment, actor_of(environment, SPIKING, UniformRandom()), jax.random.key(1))
    assert recording.truncated and not recording.terminated
    assert recording.decisions == environment.spec.max_steps
    advance, state = jax.jit(environment.step), jax.tree.map(jnp.asarray, recording.state(0))
    for moment in range(recording.decisions):
        state, step = advance(state, jnp.asarray(recording.actions[moment]), jax.random.key(0))
        np.testing.assert_allclose(step.obs, recording.observations[moment + 1], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(step.reward, recording.rewards[moment], rtol=1e-5)
    assert bool(step.truncated)
    ended = recording.state(recording.decisions)
    jax.tree.map(lambda by_hand, kept: np.testing.assert_allclose(by_hand, kept, rtol=1e-5, atol=1e-6), state, ended)


def test_ticks_add_up_to_decisions():
    environment = Gymnax("CartPole-v1")
    actor = actor_of(environment, SPIKING)
    recording = record_episode(environment, actor, jax.random.key(2))
    assert [spikes.shape for spikes in recording.spikes] == [(recording.decisions, 4, 12), (recording.decisions, 4, 7)]
    assert all(spikes.any() for spikes in recording.spikes)
    np.testing.assert_allclose(recording.evidence[:, -1], recording.outputs)
    np.testing.assert_array_equal(recording.outputs.argmax(-1), recording.actions)
    for moment in (0, recording.decisions - 1):
        _, act = actor(actor.init_state(), jnp.asarray(recording.observations[moment]), jax.random.key(0))
        np.testing.assert_allclose(act.decision.output, recording.outputs[moment], rtol=1e-5, atol=1e-6)
        for spikes, counts in zip(recording.spikes, act.decision.spikes, strict=True):
            np.testing.assert_array_equal(spikes[moment].sum(0), counts)


@pytest.mark.parametrize("most", [1, 5, CHUNK, CHUNK + 1])
def test_stops_at_the_limit_of_decisions(most):
    environment = Gymnax("MountainCar-v0")
    recording = record_episode(environment, actor_of(environment, DeepPolicy()), jax.random.key(0), most)
    assert recording.decisions == most and len(recording.observations) == most + 1
    assert recording.states.steps.tolist() == list(range(most + 1))
    assert not recording.terminated and not recording.truncated


def test_a_limit_below_one_is_refused():
    environment = Gymnax("CartPole-v1")
    with pytest.raises(InvalidInput, match="at least one decision"):
        record_episode(environment, actor_of(environment, DeepPolicy()), jax.random.key(0), 0)


def test_gymnasium_states_share_one_history():
    environment = Gymnasium("CartPole-v1")
    recording = record_episode(environment, actor_of(environment, DeepPolicy()), jax.random.key(0))
    assert recording.states.actions.shape[0] == recording.decisions + 1
    assert recording.states.actions.strides[0] == 0
    middle = recording.state(recording.decisions // 2)
    np.testing.assert_array_equal(middle.actions[: middle.steps], recording.actions[: middle.steps])


def test_random_keys_may_be_part_of_the_state():
    class Keyed(Gymnax):
        def reset(self, key):
            state, obs = super().reset(key)
            return GymnaxState((state, key), state.steps), obs

        def step(self, state, action, key):
            inner, last = state.inner
            inner, step = super().step(inner, action, key)
            return GymnaxState((inner, jax.random.fold_in(last, 1)), inner.steps), step

    environment = Keyed("MountainCar-v0", max_steps=3)
    recording = record_episode(environment, actor_of(environment, DeepPolicy()), jax.random.key(0))
    keys = recording.states.inner[1]
    assert keys.shape == (4,)
    assert eqx.tree_equal(keys[1], jax.random.fold_in(keys[0], 1))


def test_potentials_are_those_that_the_neurons_equation_gives():
    environment = Gymnax("CartPole-v1", max_steps=10)
    policy = SpikingPolicy(network=FeedForward((9,), LeakyIntegrateAndFire()), ticks=5)
    actor = actor_of(environment, policy)
    recording = record_episode(environment, actor, jax.random.key(4), membranes=True)
    plain = record_episode(environment, actor, jax.random.key(4))
    assert plain.membranes == () and np.array_equal(plain.spikes[0], recording.spikes[0])
    (found,) = recording.membranes
    assert found is not None and found.shape == recording.spikes[0].shape and recording.spikes[0].any()
    current = recording.observations[:-1] @ np.asarray(actor.params.network[0].weight) + np.asarray(
        actor.params.network[0].bias
    )
    v = np.zeros_like(current)
    for tick in range(5):
        v = v / 2 + current
        np.testing.assert_array_equal(recording.spikes[0][:, tick], v >= 1)
        v = np.where(v >= 1, 0.0, v)
        np.testing.assert_allclose(found[:, tick], v, rtol=1e-5, atol=1e-6)


def test_potentials_of_a_network_that_takes_many_ticks_at_once_change_no_spike():
    environment = Gymnax("MountainCar-v0", max_steps=4)
    network = DelayedFeedForward((20, 4), AlphaCurrentLeakyIntegrateAndFire(resolution=0.5))
    bins = OneHotBins(10, low=(-1.2, -0.07), high=(0.6, 0.07), amplitude=900.0)
    actor = actor_of(environment, SpikingPolicy(bins, network, SpikeRate(), 40, KeepBetweenDecisions()))
    recording = record_episode(environment, actor, jax.random.key(0), membranes=True)
    plain = record_episode(environment, actor, jax.random.key(0))
    assert sum(spikes.sum() for spikes in plain.spikes) > 0
    for spikes, others, potential in zip(plain.spikes, recording.spikes, recording.membranes, strict=True):
        np.testing.assert_array_equal(spikes, others)
        assert potential is not None and potential.max() < -55.0  # mV; the threshold is never left behind

"""TD3: a target by hand, who is updated when, and what it refuses."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from tests.iterate import flat, iterate
from tests.worlds import Bullseye, Cart, ConstantReward

from spikeloop.environments import Box, Gymnax, MuJoCo
from spikeloop.environments.mujoco import forget_simulators
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, GaussianNoise, NoNormalisation, Replay, Transition
from spikeloop.learners import TD3, Adam, SoftTarget
from spikeloop.networks import FeedForward
from spikeloop.policies import DeepPolicy, KeepBetweenDecisions, SpikingPolicy
from spikeloop.storage import load_arrays, save_arrays
from spikeloop.training import Protocol, Trainer

SMALL = TD3(
    DeepPolicy((8,)),
    DeepPolicy((8,)),
    exploration=GaussianNoise(0.1, random_steps=20),
    replay=Replay(200),
    batch_size=16,
    learning_starts=16,
    steps_per_iteration=4,
    updates_per_iteration=4,
)


def runs(batch, obs, action, reward, next_obs, terminated, truncated):
    """A batch of runs of one step, all the same."""
    obs, action, reward, next_obs = (jnp.asarray(part, jnp.float32) for part in (obs, action, reward, next_obs))
    one = Transition(obs, action, reward, next_obs, jnp.asarray(terminated), jnp.asarray(truncated))
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (batch, 1, *leaf.shape)), one)


def value(params, seen):
    """A network of one hidden layer, in NumPy."""
    (first, second), hidden = params, np.asarray(seen, float)
    hidden = np.maximum(hidden @ np.asarray(first.weight, float) + np.asarray(first.bias, float), 0.0)
    return hidden @ np.asarray(second.weight, float) + np.asarray(second.bias, float)


@pytest.mark.parametrize(("terminated", "truncated"), [(False, False), (True, False), (False, True)])
def test_the_target_of_one_transition_by_hand(terminated, truncated):
    learner = dataclasses.replace(SMALL, normalisation=NoNormalisation(), target_noise=0.0, batch_size=1)
    world = Bullseye()
    state = learner.init(world, jax.random.key(0))
    obs, next_obs, action = np.array([0.3]), np.array([-0.7]), np.array([0.25, 1.5])
    run = runs(1, obs, action, -2.5, next_obs, terminated, truncated)
    target = state.learned.target
    chosen = np.tanh(value(target.actor, next_obs))
    worst = min(value(critic, np.concatenate([next_obs, chosen]))[0] for critic in target.critics)
    expected = -2.5 + (0.0 if terminated else 0.99 * worst)
    found = learner._targets(target, learner._batch(run, None, world.spec.actions, jax.random.key(1)))
    np.testing.assert_allclose(found, [expected], rtol=1e-5)


def test_noise_on_the_targets_action_is_clipped_and_so_is_the_action():
    """With noise far beyond the clip the action lies a clip away, or at the bound: the value takes few values only."""
    learner = dataclasses.replace(SMALL, normalisation=NoNormalisation(), target_noise=1e6, batch_size=64)
    world = Bullseye()
    target = learner.init(world, jax.random.key(0)).learned.target
    run = runs(64, np.ones(1), np.zeros(2), 0.0, np.ones(1), False, False)
    found = np.asarray(learner._targets(target, learner._batch(run, None, world.spec.actions, jax.random.key(1))))
    chosen = np.tanh(value(target.actor, np.ones(1)))
    corners = [np.clip(chosen + 0.5 * np.array(signs), -1.0, 1.0) for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    expected = sorted(
        0.99 * min(value(critic, np.concatenate([np.ones(1), corner]))[0] for critic in target.critics)
        for corner in corners
    )
    np.testing.assert_allclose(np.unique(found.round(5)), np.round(expected, 5), atol=2e-5)


def test_the_actor_and_the_targets_wait_for_the_critics():
    """One iteration with two updates of the critics: one of the actor, and one small step of the targets."""
    learner = dataclasses.replace(SMALL, updates_per_iteration=2, steps_per_iteration=16, target=SoftTarget(0.25))
    course = iterate(learner, Bullseye(), 3)
    before, after = course.first.learned, jax.tree.map(lambda leaf: leaf[0], course.states.learned)
    assert after.updates == 1 and int(course.last.learned.updates) == 3
    moved = ravel_pytree(jax.tree.map(lambda new, old: new - old, after.online, before.online))[0]
    target_moved = ravel_pytree(jax.tree.map(lambda new, old: new - old, after.target, before.target))[0]
    np.testing.assert_allclose(target_moved, 0.25 * moved, atol=1e-7)
    # Adam's first step is the learning rate in size; after two of the critics and one of the actor:
    assert np.abs(ravel_pytree(after.online.actor)[0] - ravel_pytree(before.online.actor)[0]).max() < 1.01e-4
    critics = [ravel_pytree(learned.online.critics)[0] for learned in (before, after)]
    assert 1.2e-3 < np.abs(critics[1] - critics[0]).max() < 2.01e-3


def test_nothing_is_learned_before_there_is_enough_to_learn_from():
    course = iterate(SMALL, Bullseye(), 5)
    actors = flat(course.states.learned.online.actor)
    np.testing.assert_array_equal(actors[:3], np.broadcast_to(actors[0], (3, actors.shape[1])))
    assert (actors[3] != actors[2]).any()
    assert np.isnan(course.reports.metrics["critic_loss"][:3]).all()
    assert np.isfinite(course.reports.metrics["critic_loss"][3:]).all()
    np.testing.assert_array_equal(course.reports.env_steps, 4)


@pytest.mark.parametrize(
    "policy", [DeepPolicy((16,)), SpikingPolicy(network=FeedForward((32,)), ticks=4)], ids=["deep", "spiking"]
)
def test_finds_the_best_action_of_a_box(policy):
    """One step, reward minus the squared distance from (0.5, -1) in a box of unequal bounds."""
    learner = dataclasses.replace(
        SMALL, policy=policy, critic=DeepPolicy((32,)), optimizer=Adam(Constant(3e-3)), critic_optimizer=Adam(Constant(3e-3)),
        exploration=GaussianNoise(0.2, random_steps=200), replay=Replay(2000), batch_size=64, discount=0.5,
    )  # fmt: skip
    course = iterate(learner, Bullseye(), 400)
    actor = learner.actor(Bullseye(), course.last)
    action = actor(actor.init_state(), jnp.ones(1), None)[1].action
    np.testing.assert_allclose(action, [0.5, -1.0], atol=0.15)


def test_steers_a_cart_with_delayed_reward():
    """Standing still costs 20; the best is to go to zero at full speed, which costs 0.64 + 0.36 + 0.16 + 0.04 = 1.2."""
    learner = dataclasses.replace(
        SMALL, critic=DeepPolicy((32,)), optimizer=Adam(Constant(1e-3)), exploration=GaussianNoise(0.3, random_steps=200),
        replay=Replay(4000), batch_size=64, discount=0.9,
    )  # fmt: skip
    trainer = Trainer(Cart(), learner, Protocol(env_steps=4000, records=4, evaluation_episodes=50), range(1))
    while not trainer.done:
        trainer.advance()
    returns = trainer.evaluate(50, 1).returns
    assert (returns <= -1.2 + 1e-5).all() and (returns.mean(axis=1) > -1.6).all()


def test_seeds_side_by_side_equal_single_seeds():
    def trained(seeds):
        trainer = Trainer(Gymnax("Pendulum-v1"), SMALL, Protocol(env_steps=80, records=2), seeds)
        while not trainer.done:
            trainer.advance()
        return flat(trainer.states.learner.learned.online)

    together, alone = trained(range(2)), trained(range(1, 2))
    # Sums in another order: equal within rounding, which Adam's division may magnify where a gradient is almost zero.
    np.testing.assert_allclose(together[1:], alone, atol=2e-4)
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_goes_on_bit_for_bit_with_its_replay_and_its_simulators(tmp_path):
    """Saved in mid-episode, and gone on with in simulators that know nothing: the same to the last bit, replay included."""
    pytest.importorskip("mujoco")
    trainer = Trainer(MuJoCo("Hopper-v5"), SMALL, Protocol(env_steps=120, records=3), range(2))
    trainer.advance()
    save_arrays(tmp_path / "state.safetensors", jax.device_get(trainer.states), {})
    ends = []
    for _ in range(2):
        while not trainer.done:
            trainer.advance()
        ends.append(trainer.states.learner)
        forget_simulators()
        trainer.restore(load_arrays(tmp_path / "state.safetensors", trainer.template()), 1)
    assert not trainer.done and ends[0].replay.added.tolist() == [120, 120]
    jax.tree.map(np.testing.assert_array_equal, *ends)


def test_discrete_actions_are_refused():
    with pytest.raises(
        InvalidInput, match="TD3 needs continuous actions, and those of ConstantReward are discrete; use DQN"
    ):
        SMALL.init(ConstantReward(), jax.random.key(0))


@pytest.mark.parametrize("bounds", [((-float("inf"),), (1.0,)), ((-1.0,), (float("inf"),)), ((1.0,), (1.0,))])
def test_bounds_must_be_finite_and_apart(bounds):
    class Odd(Bullseye):
        @property
        def spec(self):
            return dataclasses.replace(super().spec, actions=Box(*bounds))

    with pytest.raises(InvalidInput, match="entry 0 of Bullseye lies between"):
        SMALL.init(Odd(), jax.random.key(0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"updates_per_iteration": 3}, "TD3.updates_per_iteration must be a multiple of policy_delay, 2, got 3"),
        ({"learning_starts": 300}, "TD3.learning_starts must be at most the replay's capacity of 200, got 300"),
        ({"steps_per_iteration": 300}, "TD3.steps_per_iteration must be at most the replay's capacity of 200, got 300"),
        ({"n_step": 17}, "TD3.n_step must be at most learning_starts, got 17"),
        ({"target_noise": -0.1}, "TD3.target_noise must be a finite number of at least 0, got -0.1"),
        ({"policy": SpikingPolicy(between_decisions=KeepBetweenDecisions())}, "must start every decision at rest"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(InvalidInput) as refused:
        dataclasses.replace(SMALL, **changes)
    assert message in str(refused.value)

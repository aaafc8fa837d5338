"""The gymnax adapter obeys Gymnasium's physics, keeps its own time limit and says what it does not know."""

import dataclasses
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.component import build, describe
from spikeloop.environments import Box, Discrete, Gymnax
from spikeloop.environments import gymnax as adapter
from spikeloop.errors import InvalidInput


@pytest.fixture(autouse=True)
def strict():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


# For each world: the fields of its state in Gymnasium's order, their range, and values to dwell on (walls, goals).
PHYSICS = {
    "CartPole-v1": (("x", "x_dot", "theta", "theta_dot"), (2.39, 3.0, 0.205, 3.0), {0: (2.39, -2.39), 2: (0.2, -0.2)}),
    "MountainCar-v0": (("position", "velocity"), (1.2, 0.07), {0: (-1.2, -1.19, 0.49)}),
    "MountainCarContinuous-v0": (("position", "velocity"), (1.2, 0.07), {0: (-1.2, -1.19, 0.44, 0.46)}),
    "Acrobot-v1": (
        ("joint_angle1", "joint_angle2", "velocity_1", "velocity_2"),
        (np.pi, np.pi, 4 * np.pi, 9 * np.pi),
        {0: (3.0, -3.0), 1: (0.0,)},
    ),
    "Pendulum-v1": (("theta", "theta_dot"), (20.0, 8.0), {1: (8.0, -8.0)}),
}


def some_states(name: str, count: int) -> np.ndarray:
    """Random states within the ranges; every third has an entry at a wall or a goal."""
    rng = np.random.default_rng(0)
    _, ranges, special = PHYSICS[name]
    states = rng.uniform(-1, 1, (count, len(ranges))) * ranges
    if name.startswith("MountainCar"):
        states[:, 0] = rng.uniform(-1.2, 0.6, count)
    for column, values in special.items():
        chosen = rng.random(count) < 1 / 3
        states[chosen, column] = rng.choice(values, chosen.sum())
    return states.astype(np.float32)


def some_actions(name: str, count: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    actions = Gymnax(name).spec.actions
    if isinstance(actions, Discrete):
        return rng.integers(0, actions.count, count, dtype=np.int32)
    # Half as large again as allowed: what is not clipped here must meet the same fate as in Gymnasium.
    return (rng.uniform(-1.5, 1.5, (count, 1)) * actions.high).astype(np.float32)


@pytest.mark.parametrize("name", PHYSICS)
def test_one_step_is_gymnasium_s(name):
    count = 500
    states, actions, env = some_states(name, count), some_actions(name, count), Gymnax(name)
    state, _ = env.reset(jax.random.key(0))

    def step(values, action):
        fields = dict(zip(PHYSICS[name][0], values, strict=True))
        return env.step(dataclasses.replace(state, inner=state.inner.replace(**fields)), action, jax.random.key(1))[1]

    ours = jax.jit(jax.vmap(step))(jnp.asarray(states), jnp.asarray(actions))
    world: Any = gymnasium.make(name).unwrapped
    world.reset(seed=0)
    theirs = []
    for values, action in zip(states, actions, strict=True):
        world.state = values.astype(np.float64)
        world.steps_beyond_terminated = None  # CartPole remembers that it fell
        obs, reward, terminated, _, _ = world.step(action if action.ndim else int(action))
        theirs.append((np.array(obs), float(reward), terminated))
    obs, reward, terminated = map(np.array, zip(*theirs, strict=True))
    # A float32 holds 7 digits; Acrobot's four Runge-Kutta stages lose two of them, and speeds reach 28.
    np.testing.assert_allclose(ours.obs, obs, rtol=1e-5, atol=2e-3 if name == "Acrobot-v1" else 1e-5)
    # Pendulum takes angles of up to 20 rad modulo 2 pi: 20 * 6e-8 lost, times the slope 2 pi, is 8e-6.
    np.testing.assert_allclose(ours.reward, reward, rtol=1e-5, atol=5e-5)
    np.testing.assert_array_equal(ours.terminated, terminated)
    assert not ours.truncated.any()
    if name != "Pendulum-v1":
        assert 5 < terminated.sum() < count - 5  # the test has seen both outcomes


@pytest.mark.parametrize("name", PHYSICS)
def test_spaces_and_limit_are_gymnasium_s(name):
    spec = Gymnax(name).spec
    world: Any = gymnasium.make(name)
    assert spec.observation_shape == world.observation_space.shape
    assert spec.max_steps == world.spec.max_episode_steps
    if isinstance(spec.actions, Box):
        assert (spec.actions.low, spec.actions.high) == (tuple(world.action_space.low), tuple(world.action_space.high))
    else:
        assert spec.actions.count == world.action_space.n


@pytest.mark.parametrize("name", ["Acrobot-v1", "MountainCar-v0"])
def test_a_deterministic_world_ignores_the_key(name):
    env = Gymnax(name)
    state, _ = env.reset(jax.random.key(0))
    one, other = (env.step(state, jnp.int32(2), jax.random.key(seed))[1] for seed in (1, 2))
    np.testing.assert_array_equal(one.obs, other.obs)


def roll(env, policy, steps):
    """What `steps` steps bring, without any reset."""

    def body(carry, key):
        state, obs = carry
        state, step = env.step(state, policy(obs), key)
        return (state, step.obs), step

    run = jax.jit(lambda start: jax.lax.scan(body, start, jax.random.split(jax.random.key(1), steps))[1])
    return run(env.reset(jax.random.key(0)))


def test_the_limit_truncates_at_max_steps_exactly():
    steps = roll(Gymnax("Pendulum-v1", max_steps=7), lambda obs: jnp.zeros(1), 9)
    np.testing.assert_array_equal(steps.truncated, [False] * 6 + [True] * 3)
    assert not steps.terminated.any()


def test_termination_wins_over_the_limit():
    falling = roll(Gymnax("CartPole-v1"), lambda obs: jnp.int32(1), 30)
    fall = int(np.argmax(falling.terminated)) + 1  # the step at which the pole falls
    at_once = roll(Gymnax("CartPole-v1", max_steps=fall), lambda obs: jnp.int32(1), fall)
    assert at_once.terminated[-1] and not at_once.truncated.any()
    before = roll(Gymnax("CartPole-v1", max_steps=fall - 1), lambda obs: jnp.int32(1), fall - 1)
    assert before.truncated[-1] and not before.terminated.any()


def test_an_uncapped_cartpole_stands_as_long_as_it_is_balanced():
    balance = jnp.array([0.05, 0.1, 1.0, 0.3])  # m, m/s, rad, rad/s: push to the side where the pole leans and moves
    steps = roll(Gymnax("CartPole-v1", max_steps=10_000), lambda obs: (obs @ balance > 0).astype(jnp.int32), 10_000)
    assert not steps.terminated.any()
    assert int(np.argmax(steps.truncated)) == 9_999
    assert float(steps.reward.sum()) == 10_000.0


@pytest.mark.parametrize("name", Gymnax.names())
def test_every_name_keeps_the_contract(name):
    env = Gymnax(name)
    spec = env.spec
    action = jnp.int32(0) if isinstance(spec.actions, Discrete) else jnp.zeros(spec.actions.output_size)

    def run(key):
        start, _ = env.reset(key)
        # A carry whose types change would make the scan fail.
        return jax.lax.scan(lambda state, key: env.step(state, action, key), start, jax.random.split(key, 3))[1]

    step = jax.eval_shape(run, jax.random.key(0))  # traced, not compiled: that would take minutes for all of them
    assert step.obs.shape == (3, *spec.observation_shape) and step.obs.dtype == jnp.float32
    assert step.reward.shape == (3,) and step.reward.dtype == jnp.float32
    assert step.terminated.dtype == step.truncated.dtype == bool
    assert build(describe(env)) == env


def test_a_minatar_game_runs():
    steps = roll(Gymnax("Breakout-MinAtar", max_steps=50), lambda obs: jnp.int32(1), 50)
    assert steps.obs.shape == (50, 10, 10, 4) and np.isfinite(steps.obs).all()
    assert steps.terminated.any()  # the ball is lost, since nobody plays


def test_a_world_first_made_under_jit_leaks_no_tracer():
    adapter._made.cache_clear()
    env = Gymnax("Acrobot-v1")
    jax.jit(env.reset)(jax.random.key(0))
    state, _ = env.reset(jax.random.key(0))
    _, step = env.step(state, jnp.int32(0), jax.random.key(1))
    assert np.isfinite(np.asarray(step.obs)).all()  # a leaked tracer has no value to look at


def test_names_are_those_of_gymnax():
    import gymnax

    assert set(Gymnax.names()) | set(adapter._UNSUPPORTED) == set(gymnax.registered_envs)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=20))
def test_any_other_name_is_refused_in_one_line(name):
    with pytest.raises(InvalidInput) as caught:
        Gymnax(name + "!")
    assert len(str(caught.value).splitlines()) == 1 and "CartPole-v1" in str(caught.value)


@pytest.mark.parametrize("name, hint", [("Cartpole-v1", "CartPole-v1"), ("FrozenLake-misc", "whole number")])
def test_a_refusal_says_what_would_be_right(name, hint):
    with pytest.raises(InvalidInput, match=hint):
        Gymnax(name)


@pytest.mark.parametrize("max_steps", [0, -1, True])
def test_a_limit_is_a_positive_whole_number(max_steps):
    with pytest.raises(InvalidInput, match="max_steps"):
        Gymnax(max_steps=max_steps)

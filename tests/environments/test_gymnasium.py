"""Gymnasium through the adapter is Gymnasium, bit for bit, and a pure function besides."""

import importlib.util
import threading
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.component import build, describe
from spikeloop.environments import Box, Discrete, Gymnasium
from spikeloop.environments.gymnasium import forget_simulators
from spikeloop.errors import InvalidInput


@pytest.fixture(autouse=True)
def strict():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


class Counting(gymnasium.Env):
    """Observes a random number and the steps taken; acts from 5 to 7; ends of itself after 6 steps; counts resets."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gymnasium.spaces.Discrete(3, start=5)
    made = resets = 0

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        Counting.made += 1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        Counting.resets += 1
        self.steps = 0
        return np.array([self.np_random.random(), 0.0]), {}

    def step(self, action):
        assert action in (5, 6, 7)
        self.steps += 1
        # The random number depends on the actions: a simulator that took others would be found out.
        obs = np.array([self.np_random.random() * action, self.steps])
        return obs, float(action), self.steps == 6, False, {}

    def render(self):
        return np.full((4, 5, 3), self.steps, np.uint8)


class Odd(Counting):
    def __init__(self, observations=None, actions=None, render_mode=None):
        super().__init__(render_mode)
        self.observation_space = observations or Counting.observation_space
        self.action_space = actions or Counting.action_space


def register(name: str, limit: int | None = None, entry_point: Any = Counting, **options: Any) -> str:
    if name not in gymnasium.registry:
        gymnasium.register(name, entry_point, max_episode_steps=limit, **options)
    return name


COUNTING = register("spikeloop/Counting-v0", limit=20)
SPACES = gymnasium.spaces


def random_actions(env, seed, shape):
    rng, actions = np.random.default_rng(seed), env.spec.actions
    if isinstance(actions, Discrete):
        return jnp.asarray(rng.integers(0, actions.count, shape, dtype=np.int32))
    return jnp.asarray(rng.uniform(actions.low, actions.high, (*shape, len(actions.low))).astype(np.float32))


def rollout(env, key, actions):
    """All that happens while `actions` are taken, with restarts: (seeds, steps), as one jitted scan."""

    def body(carry, inputs):
        (state, _), (action, key) = carry, inputs
        seed = state.seed
        state, step = env.step(state, action, key)
        return env.restart(state, step.obs, step.terminated | step.truncated, key), (seed, step)

    return jax.lax.scan(body, env.reset(key), (actions, jax.random.split(key, len(actions))))[1]


@pytest.mark.parametrize(
    "name, steps",
    [
        ("CartPole-v1", 300),
        ("Pendulum-v1", 450),
        ("MountainCarContinuous-v0", 50),
        pytest.param(
            "Hopper-v5",
            150,
            marks=pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="MuJoCo is not installed"),
        ),
    ],
)
def test_it_equals_a_plain_gymnasium_loop_bit_for_bit(name, steps):
    env = Gymnasium(name)
    actions = random_actions(env, 7, (steps,))
    seeds, ours = jax.jit(lambda actions: rollout(env, jax.random.key(3), actions))(actions)
    world, seed, episodes = gymnasium.make(name), None, 0
    for t in range(steps):
        if int(seeds[t]) != seed:
            seed, episodes = int(seeds[t]), episodes + 1
            world.reset(seed=seed)
        action = np.asarray(actions[t])
        obs, reward, terminated, truncated, _ = world.step(action if action.ndim else int(action))
        np.testing.assert_array_equal(ours.obs[t], obs.astype(np.float32))
        assert ours.reward[t] == np.float32(reward)
        assert (bool(ours.terminated[t]), bool(ours.truncated[t])) == (bool(terminated), truncated and not terminated)
    ended = np.asarray(ours.terminated | ours.truncated)
    assert episodes == 1 + ended[:-1].sum()
    assert episodes > 2 or name == "MountainCarContinuous-v0"


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_a_state_stepped_twice_gives_what_it_gave():
    env, key = Gymnasium("CartPole-v1"), jax.random.key(0)
    state, _ = env.reset(key)
    for action in (0, 1, 0):
        state, _ = env.step(state, jnp.int32(action), key)
    left, right = env.step(state, jnp.int32(0), key), env.step(state, jnp.int32(1), key)
    assert not np.array_equal(left[1].obs, right[1].obs)
    assert_same(env.step(state, jnp.int32(1), key), right)
    assert_same(env.step(state, jnp.int32(0), key), left)
    # And both futures can be lived on from, in turn.
    a = env.step(left[0], jnp.int32(1), key)
    b = env.step(right[0], jnp.int32(1), key)
    assert_same(env.step(left[0], jnp.int32(1), key), a)
    assert_same(env.step(right[0], jnp.int32(1), key), b)


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", COUNTING])
def test_the_simulators_can_be_lost_at_any_time(name):
    env, key = Gymnasium(name), jax.random.key(2)
    actions = random_actions(env, 1, (6,))
    step = jax.jit(env.step)

    def live(forgetful):
        state, _ = env.reset(key)
        found = []
        for t in range(6):
            if forgetful:
                forget_simulators()
            state, seen = step(state, actions[t], key)
            found.append((state, seen))
        return found

    assert_same(live(True), live(False))


def test_a_batch_is_its_members():
    env = Gymnasium("CartPole-v1")
    keys = jax.random.split(jax.random.key(4), (2, 3))
    actions = random_actions(env, 5, (2, 3, 40))
    run = jax.jit(lambda key, actions: rollout(env, key, actions))
    batch = jax.jit(jax.vmap(jax.vmap(lambda key, actions: rollout(env, key, actions))))(keys, actions)
    for i in range(2):
        for j in range(3):
            assert_same(jax.tree.map(lambda leaf, i=i, j=j: leaf[i, j], batch), run(keys[i, j], actions[i, j]))


def test_one_state_can_be_stepped_with_a_batch_of_actions():
    env, key = Gymnasium(COUNTING), jax.random.key(0)
    state, _ = env.reset(key)
    state, _ = env.step(state, jnp.int32(1), key)
    many = jax.vmap(lambda action: env.step(state, action, key))(jnp.arange(3))
    for action in range(3):
        single = env.step(state, jnp.int32(action), key)
        assert_same(jax.tree.map(lambda leaf, action=action: leaf[action], many), single)


def test_members_that_share_a_seed_each_have_a_simulator():
    env = Gymnasium(COUNTING)
    actions = jnp.array([[0, 0, 1, 2], [0, 0, 1, 2], [0, 0, 2, 2]])
    forget_simulators()
    Counting.resets = 0
    jax.block_until_ready(jax.vmap(lambda actions: rollout(env, jax.random.key(0), actions))(actions))
    assert Counting.resets == 3  # none of them ever had to replay


def test_restart_resets_only_where_done():
    env, key = Gymnasium(COUNTING), jax.random.key(0)
    restart = jax.jit(jax.vmap(env.restart))
    keys = jax.random.split(key, 4)
    states, obs = jax.jit(jax.vmap(env.reset))(keys)
    fresh_keys = jax.random.split(jax.random.key(1), 4)
    Counting.resets = 0
    same = restart(states, obs, jnp.zeros(4, bool), fresh_keys)
    jax.block_until_ready(same)
    assert Counting.resets == 0
    assert_same(same, (states, obs))
    done = jnp.array([False, True, False, True])
    after, fresh = restart(states, obs, done, fresh_keys)
    jax.block_until_ready(fresh)
    assert Counting.resets == 2
    np.testing.assert_array_equal(fresh[~done], obs[~done])
    np.testing.assert_array_equal(fresh[done], jax.vmap(env.reset)(fresh_keys)[1][done])
    assert not np.isin(np.asarray(after.seed[done]), np.asarray(states.seed)).any()


def test_an_episode_that_is_over_stays_as_it_is():
    env, key = Gymnasium(COUNTING), jax.random.key(0)
    state, _ = env.reset(key)
    for _ in range(6):
        state, step = env.step(state, jnp.int32(2), key)
    assert step.terminated and not step.truncated and float(step.reward) == 7.0
    after, still = env.step(state, jnp.int32(0), key)
    assert_same(after, state)
    assert_same((still.obs, still.terminated, still.truncated), (step.obs, step.terminated, step.truncated))
    assert float(still.reward) == 0.0


@pytest.mark.parametrize("max_steps, terminated, truncated", [(5, False, True), (6, True, False), (7, True, False)])
def test_termination_wins_over_the_limit(max_steps, terminated, truncated):
    _, steps = rollout(Gymnasium(COUNTING, max_steps=max_steps), jax.random.key(0), jnp.zeros(max_steps, jnp.int32))
    last = min(max_steps, 6) - 1
    assert not (steps.terminated | steps.truncated)[:last].any()
    assert (bool(steps.terminated[last]), bool(steps.truncated[last])) == (terminated, truncated)


def test_abandoned_episodes_do_not_pile_up_simulators():
    env = Gymnasium(COUNTING)
    forget_simulators()
    Counting.made = 0
    reset = jax.jit(env.reset)
    for seed in range(400):
        reset(jax.random.key(seed))
    assert Counting.made <= 64  # four times the largest batch of these tests, or the pool's least


def test_no_gradient_flows_and_none_is_refused():
    env = Gymnasium("Pendulum-v1")

    def loss(gain):
        return rollout(env, jax.random.key(0), gain * jnp.ones((4, 1)))[1].reward.sum() + gain

    assert float(jax.grad(loss)(jnp.float32(0.5))) == 1.0


def test_threads_do_not_disturb_each_other():
    env = Gymnasium("CartPole-v1")
    actions = random_actions(env, 5, (80,))
    run = jax.jit(lambda key: rollout(env, key, actions))
    keys = [jax.random.key(seed) for seed in range(3)]
    alone = [jax.block_until_ready(run(key)) for key in keys]
    together = {}
    threads = [
        threading.Thread(target=lambda i=i: together.update({i: jax.block_until_ready(run(keys[i]))})) for i in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(3):
        assert_same(together[i], alone[i])


def test_frames_show_their_state_and_a_film_replays_nothing():
    env, key = Gymnasium(COUNTING), jax.random.key(0)
    states = [env.reset(key)[0]]
    for _ in range(6):
        states.append(env.step(states[-1], jnp.int32(1), key)[0])
    Counting.resets = 0
    for t, state in enumerate(states):
        frame = env.frame(state)
        assert frame.shape == (4, 5, 3) and frame.dtype == np.uint8 and (frame == t).all()
    assert Counting.resets == 1
    assert (env.frame(states[2]) == 2).all()  # backwards as well
    with pytest.raises(InvalidInput, match="one state"):
        env.frame(jax.tree.map(lambda leaf: leaf[None], states[0]))


def test_a_missing_drawing_package_is_named():
    if importlib.util.find_spec("pygame") is not None:
        pytest.skip("pygame is installed")
    env = Gymnasium("CartPole-v1")
    with pytest.raises(InvalidInput, match=r"gymnasium\[classic-control\]"):
        env.frame(env.reset(jax.random.key(0))[0])


def test_spaces_become_the_library_s_own():
    assert Gymnasium("CartPole-v1").spec.actions == Discrete(2)
    assert Gymnasium("Pendulum-v1").spec.actions == Box((-2.0,), (2.0,))
    assert Gymnasium(COUNTING).spec.actions == Discrete(3)
    assert Gymnasium("CartPole-v1").spec.max_steps == 500
    assert Gymnasium("CartPole-v1", max_steps=10_000).spec.max_steps == 10_000
    matrix = SPACES.Box(np.array([[-1, -2]], np.float32), np.array([[1, 2]], np.float32))
    env = Gymnasium(register("spikeloop/Matrix-v0", 5, Odd, kwargs={"actions": matrix}))
    assert env.spec.actions == Box((-1.0, -2.0), (1.0, 2.0))
    assert build(describe(env)) == env


BAD_SPACES = {
    "DiscreteObs": ({"observations": SPACES.Discrete(3)}, "only Box"),
    "Boundless": ({"actions": SPACES.Box(-np.inf, np.inf, (2,))}, "without finite bounds"),
    "MultiDiscrete": ({"actions": SPACES.MultiDiscrete([2, 2])}, "neither Discrete nor a Box"),
    "IntegerBox": ({"actions": SPACES.Box(0, 3, (2,), np.int32)}, "neither Discrete nor a Box"),
}


@pytest.mark.parametrize("name", BAD_SPACES)
def test_other_spaces_are_refused(name):
    kwargs, words = BAD_SPACES[name]
    env = Gymnasium(register(f"spikeloop/{name}-v0", 5, Odd, kwargs=kwargs))
    with pytest.raises(InvalidInput, match=words):
        _ = env.spec
    with pytest.raises(InvalidInput, match=words):
        env.reset(jax.random.key(0))


def no_package(**_):
    raise gymnasium.error.DependencyNotInstalled('MuJoCo is not installed,\nrun `pip install "gymnasium[mujoco]"`')


@pytest.mark.parametrize(
    "env, words",
    [
        (lambda: Gymnasium(register("spikeloop/Endless-v0")).spec, "give max_steps"),
        (lambda: Gymnasium(register("spikeloop/Absent-v0", 5, no_package)).spec, r"gymnasium\[mujoco\]"),
        (lambda: Gymnasium(register("spikeloop/Moody-v0", 5, nondeterministic=True)).spec, "not deterministic"),
        (lambda: Gymnasium("Cartpole-v1"), "did you mean CartPole-v1"),
        (lambda: Gymnasium("CartPole"), "did you mean CartPole-v"),
        (lambda: Gymnasium("os:CartPole-v1"), "import 'os' first"),
        (lambda: Gymnasium("CartPole-v1", max_steps=0), "max_steps"),
    ],
)
def test_a_refusal_says_what_would_be_right(env, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        env()
    assert len(str(caught.value).splitlines()) == 1


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=20))
def test_any_other_name_is_refused_in_one_line(name):
    with pytest.raises(InvalidInput) as caught:
        Gymnasium(name + "!")
    assert len(str(caught.value).splitlines()) == 1

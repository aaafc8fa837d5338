"""MuJoCo through the adapter is Gymnasium, bit for bit, and a pure function besides."""

import os
import subprocess
import sys
import warnings

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import record_episode
from spikeloop.analysis.scenes import MuJoCoScene, make_scene
from spikeloop.analysis.style import apply_style
from spikeloop.catalogue import lists
from spikeloop.component import build, describe
from spikeloop.environments import MuJoCo
from spikeloop.environments import mujoco as module
from spikeloop.environments.mujoco import forget_simulators
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, UniformRandom
from spikeloop.policies import DeepPolicy

mujoco = pytest.importorskip("mujoco", reason="MuJoCo is not installed: pip install 'spikeloop[mujoco]'")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """MuJoCo writes its warnings into a file where it runs."""
    monkeypatch.chdir(tmp_path)


def plain(name):
    handler = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda text: None)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*out of date.*", DeprecationWarning)
        world = gymnasium.make(name)
    mujoco.set_mju_user_warning(handler)
    return world


def random_actions(env, seed, shape):
    box, rng = env.spec.actions, np.random.default_rng(seed)
    return jnp.asarray(rng.uniform(box.low, box.high, (*shape, len(box.low))).astype(np.float32))


def rollout(env, key, actions):
    """All that happens while `actions` are taken, with restarts: whether one begins and each step, as one scan."""

    def body(carry, inputs):
        (state, _), (action, key) = carry, inputs
        state, step = env.step(state, action, key)
        return env.restart(state, step.obs, step.terminated | step.truncated, key), step

    return jax.lax.scan(body, env.reset(key), (actions, jax.random.split(key, len(actions))))[1]


def seeds_of(key, count):
    keys = [key, *jax.random.split(key, count)]
    return [int(jax.random.bits(each, dtype=jnp.uint32) >> 1) for each in keys]


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize(
    "name, steps",
    [
        ("Hopper-v5", 150),
        ("Walker2d-v5", 150),
        ("HalfCheetah-v5", 90),
        ("Ant-v5", 200),
        ("Humanoid-v5", 120),
        ("Pusher-v5", 70),
        ("InvertedDoublePendulum-v5", 60),
        ("Ant-v4", 90),
        ("Reacher-v4", 70),
    ],
)
def test_it_equals_a_plain_gymnasium_loop_bit_for_bit(name, steps):
    env, key = MuJoCo(name, max_steps=60), jax.random.key(3)
    actions = random_actions(env, 7, (steps,))
    ours = jax.device_get(jax.jit(lambda actions: rollout(env, key, actions))(actions))
    world, seeds = plain(name).unwrapped, seeds_of(key, steps)
    world.reset(seed=seeds[0])
    taken, ended = 0, 0
    for t in range(steps):
        obs, reward, terminated, _, _ = world.step(np.asarray(actions[t]))
        taken += 1
        np.testing.assert_array_equal(ours.obs[t], obs.astype(np.float32))
        assert ours.reward[t] == np.float32(reward)
        assert (bool(ours.terminated[t]), bool(ours.truncated[t])) == (terminated, taken >= 60 and not terminated)
        if terminated or taken >= 60:
            world.reset(seed=seeds[t + 1])
            taken, ended = 0, ended + 1
    assert ended > 0


def states_on_the_way(env, count, key):
    step, actions = jax.jit(env.step), random_actions(env, 1, (count,))
    found = [env.reset(key)[0]]
    for t in range(count):
        found.append(step(found[-1], actions[t], key)[0])
    return found, actions


@pytest.mark.parametrize("name", ["Ant-v5", "Humanoid-v4", "Hopper-v5"])
def test_a_step_is_a_function(name):
    env, key = MuJoCo(name), jax.random.key(0)
    states, actions = states_on_the_way(env, 12, key)
    copies = [jax.tree.map(lambda leaf: jnp.asarray(np.array(leaf)), state) for state in states]
    step = jax.jit(env.step)
    for t in np.random.default_rng(0).permutation(12).tolist():
        if t % 3 == 0:
            forget_simulators()
        assert_same(step(copies[t], actions[t], key)[0], states[t + 1])


def test_a_state_is_plain_arrays():
    state, _ = MuJoCo("Ant-v5").reset(jax.random.key(0))
    kinds = {leaf.dtype.name for leaf in jax.tree.leaves(state)}
    assert kinds == {"uint32", "int32", "bool", "float32"}


def test_a_batch_is_its_members():
    env = MuJoCo("Hopper-v5")
    keys = jax.random.split(jax.random.key(4), (2, 2))
    actions = random_actions(env, 5, (2, 2, 40))
    run = jax.jit(lambda key, actions: rollout(env, key, actions))
    batch = jax.jit(jax.vmap(jax.vmap(lambda key, actions: rollout(env, key, actions))))(keys, actions)
    assert batch.terminated.any()
    for i in range(2):
        for j in range(2):
            assert_same(jax.tree.map(lambda leaf, i=i, j=j: leaf[i, j], batch), run(keys[i, j], actions[i, j]))


@pytest.mark.parametrize("name, part", [("Ant-v5", "xpos"), ("Humanoid-v5", "xipos")])
def test_rewards_need_the_positions_of_bodies(name, part):
    """Without them the reward would be silently wrong: whoever shortens the state is told."""
    env, key = MuJoCo(name), jax.random.key(0)
    states, actions = states_on_the_way(env, 5, key)
    right = env.step(states[5], actions[0], key)[1]
    simulator = module._pool(name).idle[0]
    where = simulator.parts[1 if part == "xpos" else 2]
    words = slice(2 * where.start, 2 * where.stop)
    blind = module.MuJoCoState(
        states[5].simulation.at[words].set(0),
        states[5].steps,
        states[5].terminated,
        states[5].truncated,
        states[5].obs,
    )
    wrong = env.step(blind, actions[0], key)[1]
    np.testing.assert_array_equal(wrong.obs, right.obs)
    assert abs(float(wrong.reward - right.reward)) > 0.1


def test_termination_wins_over_the_limit_and_an_episode_that_is_over_stays():
    key = jax.random.key(0)
    free = MuJoCo("Hopper-v5")
    actions = random_actions(free, 0, (100,))
    end = int(np.argmax(rollout(free, key, actions).terminated))
    assert 0 < end < 99
    for limit, terminated, truncated in ((end, False, True), (end + 1, True, False), (end + 2, True, False)):
        env = MuJoCo("Hopper-v5", max_steps=limit)
        state, _ = env.reset(key)
        for t in range(min(limit, end + 1)):
            assert not (state.terminated | state.truncated)
            state, step = env.step(state, actions[t], key)
        assert (bool(step.terminated), bool(step.truncated)) == (terminated, truncated)
        after, still = env.step(state, actions[-1], key)
        assert_same(after, state)
        assert_same((still.obs, still.terminated, still.truncated), (step.obs, step.terminated, step.truncated))
        assert float(still.reward) == 0.0


def test_restart_resets_only_where_done(monkeypatch):
    env, seeds = MuJoCo("InvertedPendulum-v5"), []
    forget_simulators()
    keys, fresh_keys = jax.random.split(jax.random.key(0), (2, 3))
    restart = jax.jit(jax.vmap(env.restart))
    states, obs = jax.block_until_ready(jax.vmap(env.reset)(keys))
    (simulator,) = module._pool(env.name).idle
    real = simulator.env.reset
    monkeypatch.setattr(simulator.env, "reset", lambda seed: seeds.append(seed) or real(seed=seed))
    assert_same(jax.block_until_ready(restart(states, obs, jnp.zeros(3, bool), fresh_keys)), (states, obs))
    assert seeds == []
    done = jnp.array([False, True, False])
    after = jax.block_until_ready(restart(states, obs, done, fresh_keys))
    assert len(seeds) == 1
    jax.tree.map(lambda new, old: np.testing.assert_array_equal(new[~done], old[~done]), after, (states, obs))
    np.testing.assert_array_equal(after[1][1], env.reset(fresh_keys[1])[1])


@pytest.mark.parametrize("name", ["HalfCheetah-v5", "InvertedPendulum-v5"])
def test_a_simulation_that_diverges_does_what_gymnasium_does(name):
    env, key = MuJoCo(name), jax.random.key(0)
    state, _ = env.reset(key)
    world = plain(name).unwrapped
    world.reset(seed=int(jax.random.bits(key, dtype=jnp.uint32) >> 1))
    size = env.spec.actions.output_size
    for action in (np.full(size, np.nan, np.float32), np.zeros(size, np.float32)):
        obs, reward, terminated, _, _ = world.step(action)
        state, step = env.step(state, jnp.asarray(action), key)
        np.testing.assert_array_equal(step.obs, obs.astype(np.float32))
        np.testing.assert_array_equal(step.reward, np.float32(reward))
        assert bool(step.terminated) == terminated
        if terminated:
            break
    # And a state that is not finite: MuJoCo goes back to the model's pose.
    simulator = module._pool(name).idle[-1]
    numbers = np.array(env.reset(key)[0].simulation).view(np.float64)
    numbers[1] = np.nan  # the first position; the time is before it
    simulator.write(numbers.tobytes())
    obs, reward, terminated, _, _ = simulator.env.step(np.zeros(size, np.float32))
    fresh, _ = env.reset(key)
    broken = module.MuJoCoState(
        jnp.asarray(numbers.view(np.uint32)), fresh.steps, fresh.terminated, fresh.truncated, fresh.obs
    )
    _, step = env.step(broken, jnp.zeros(size), key)
    np.testing.assert_array_equal(step.obs, obs.astype(np.float32))
    assert np.isfinite(step.obs).all()


def test_no_gradient_flows_and_none_is_refused():
    env = MuJoCo("InvertedPendulum-v5")

    def loss(gain):
        return rollout(env, jax.random.key(0), gain * jnp.ones((4, 1))).reward.sum() + gain

    assert float(jax.grad(loss)(jnp.float32(0.5))) == 1.0


def test_every_task_of_gymnasium_is_there():
    found = {name for name, spec in gymnasium.registry.items() if "gymnasium.envs.mujoco" in str(spec.entry_point)}
    modern = {name for name in found if name.endswith(("v4", "v5"))}
    assert set(MuJoCo.names()) == modern - {"Pusher-v4"}
    assert {f"MuJoCo {name!r}" for name in MuJoCo.names()} <= {name for name, _ in lists()["environments"]}


@pytest.mark.parametrize("name", MuJoCo.names())
def test_every_task_steps_and_can_be_drawn(name):
    env, key = MuJoCo(name), jax.random.key(0)
    assert build(describe(env)) == env
    state, obs = env.reset(key)
    assert obs.shape == env.spec.observation_shape
    assert env.spec.max_steps == {"Pusher": 100, "Reacher": 50}.get(name[:-3], 1000)
    for action in random_actions(env, 0, (2,)):
        state, step = env.step(state, action, key)
    assert np.isfinite(step.obs).all() and np.isfinite(step.reward)
    shapes = env.shapes(state)
    assert shapes.ends.shape == (len(shapes.radius), 2, 3) == (len(shapes.bodies), 2, 3)
    assert np.isfinite(shapes.ends).all() and (shapes.radius > 0).all()


def test_the_scene_moves_with_the_state():
    env, policy = MuJoCo("Hopper-v5"), DeepPolicy()
    params = policy.init(env.spec.observation_size, env.spec.actions.output_size, jax.random.key(0))
    actor = Actor(policy, params, env.spec.actions, UniformRandom())
    recording = record_episode(env, actor, jax.random.key(1), 8)
    with apply_style():
        page = Page(640, 240)
        scene = make_scene(env, page, 0, 240, recording)
        frames = []
        for moment in (0, 8):
            scene.update(moment)
            frames.append(page.frame())
    assert isinstance(scene, MuJoCoScene)
    assert frames[0].std() > 1.0 and (frames[0] != frames[1]).any()


PICTURE = """
import jax
from spikeloop.environments import MuJoCo
from spikeloop.errors import InvalidInput
env = MuJoCo("Hopper-v5")
try:
    frame = env.frame(env.reset(jax.random.key(0))[0])
    print(frame.shape, frame.dtype, frame.std() > 1)
except InvalidInput as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("backend", ["egl", "glfw"])
def test_a_picture_or_one_line_that_says_what_to_set(backend):
    clean = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    ran = subprocess.run(
        [sys.executable, "-c", PICTURE], env={**clean, "MUJOCO_GL": backend}, capture_output=True, text=True
    )
    said = ran.stdout.strip()
    assert ran.returncode == 0, ran.stderr
    assert said == "(480, 480, 3) uint8 True" or (said.startswith("refused: ") and "MUJOCO_GL" in said)
    assert len(said.splitlines()) == 1


def test_one_state_is_drawn_at_a_time():
    env = MuJoCo("InvertedPendulum-v5")
    states, _ = jax.vmap(env.reset)(jax.random.split(jax.random.key(0), 2))
    for draw in (env.frame, env.shapes):
        with pytest.raises(InvalidInput, match="one state"):
            draw(states)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: MuJoCo("HalfCheeta-v5"), "did you mean HalfCheetah-v5"),
        (lambda: MuJoCo("CartPole-v1"), "unknown MuJoCo task"),
        (lambda: MuJoCo("os:Ant-v5"), "unknown MuJoCo task"),
        (lambda: MuJoCo("Pusher-v4"), "use Pusher-v5"),
        (lambda: MuJoCo("Ant-v5", max_steps=0), "max_steps"),
    ],
)
def test_a_refusal_says_what_would_be_right(make, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("package", ["mujoco", "imageio"])
def test_a_missing_package_is_named(monkeypatch, package):
    monkeypatch.setattr(module, "_POOLS", {})
    monkeypatch.setitem(sys.modules, package, None)
    env = MuJoCo("Ant-v5")
    for use in (lambda: env.spec, lambda: env.reset(jax.random.key(0))):
        with pytest.raises(InvalidInput, match=r"spikeloop\[mujoco\]") as caught:
            use()
        assert len(str(caught.value).splitlines()) == 1

"""The vehicle: rays against closed forms, arcs, what ends an episode, mirror symmetry, and a teacher that arrives."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.environments import TargetVehicle, VehicleState
from spikeloop.interaction import Actor, Straight, StraightNoise, play_episode
from spikeloop.policies import NearOrFar, TurnAway, TurnTowards

WORLD = TargetVehicle()
TEACHER = NearOrFar(TurnAway(), TurnTowards(), sensors=6)
NOWHERE = jnp.full((1, 3), -1000.0).at[:, 2].set(0.5)
NONE = jnp.full((1, 4), -1000.0).at[:, 2:].set(0.5)


def at(x, y, heading, discs: Any = NOWHERE, rectangles: Any = NONE):
    place = jnp.asarray([x, y], jnp.float32)
    zero = jnp.zeros((), jnp.int32)
    return VehicleState(
        place,
        jnp.asarray(heading, jnp.float32),
        jnp.asarray([7.0, 4.0]),
        jnp.asarray(discs, jnp.float32).reshape(-1, 3),
        jnp.asarray(rectangles, jnp.float32).reshape(-1, 4),
        zero,
    )


distances = jax.jit(WORLD.distances)
step = jax.jit(lambda state, turn: WORLD.step(state, turn[None], jax.random.key(0)))


def test_rays_to_the_walls_of_the_arena():
    found = distances(at(3.0, 4.0, 0.0))
    across, along = 4.0 / np.abs(np.sin(WORLD.angles())), 5.0 / np.cos(WORLD.angles())
    np.testing.assert_allclose(found, np.minimum(across, along), rtol=1e-5)


@pytest.mark.parametrize("heading", [0.0, 0.7, -2.5])
def test_rays_to_a_disc_and_a_rectangle(heading):
    """A disc dead ahead of a ray is seen at its centre's distance less its radius, a rectangle square to it at its face."""
    angle = heading + WORLD.angles()[2]
    here = (4.0, 4.0)
    centre = np.array(here) + 1.5 * np.array([np.cos(angle), np.sin(angle)])
    assert distances(at(*here, heading, discs=[*centre, 0.4]))[2] == pytest.approx(1.1, rel=1e-4)
    # A ray that passes the centre at the distance s meets the disc at sqrt(D^2 - s^2) - sqrt(rho^2 - s^2).
    between = 1.5 * np.sin(WORLD.angles()[2] - WORLD.angles()[3])  # more than the radius: the next sonar misses it
    assert between > 0.4 and distances(at(*here, heading, discs=[*centre, 0.4]))[3] > 2.0
    passing = np.sqrt(1.5**2 - between**2) - np.sqrt(1.0 - between**2)
    assert distances(at(*here, heading, discs=[*centre, 1.0]))[3] == pytest.approx(passing, rel=1e-4)
    wall = [4.0 + 1.2 + 0.3, 4.0, 0.3, 3.0]
    turned = distances(at(*here, -WORLD.angles()[2], rectangles=wall))
    assert turned[2] == pytest.approx(1.2, rel=1e-4)  # straight along the first axis
    assert turned[1] == pytest.approx(1.2 / np.cos(WORLD.angles()[1] - WORLD.angles()[2]), rel=1e-4)


def test_what_is_behind_is_not_seen():
    behind = at(4.0, 4.0, 0.0, discs=[3.0, 4.0, 0.4], rectangles=[2.0, 4.0, 0.3, 0.3])
    np.testing.assert_array_equal(distances(behind), distances(at(4.0, 4.0, 0.0)))
    assert not WORLD.observe(behind)[:-1].any() and float(WORLD.observe(behind)[-1]) == 0.0


@pytest.mark.parametrize("turn", [0.0, 1.0, -0.4])
def test_it_moves_along_an_arc(turn):
    """In n steps of one turn rate it is where the circle of radius v / omega says."""
    state = at(4.0, 4.0, 0.3)
    for _ in range(20):
        state, _ = step(state, jnp.asarray(turn, jnp.float32))
    omega, time = turn * WORLD.turn_rate, 20 * WORLD.seconds
    end = 0.3 + omega * time
    if turn:
        way = np.array([np.sin(end) - np.sin(0.3), np.cos(0.3) - np.cos(end)]) * WORLD.speed / omega
    else:
        way = WORLD.speed * time * np.array([np.cos(0.3), np.sin(0.3)])
    np.testing.assert_allclose(state.position, 4.0 + way, atol=1e-5)
    assert np.exp(1j * float(state.heading)) == pytest.approx(np.exp(1j * end), abs=1e-5)


def test_target_collision_and_time_limit_stay_apart():
    straight = jnp.zeros(())
    for state, reward, ended in (
        (at(6.57, 4.0, 0.0), 1.0, (True, False)),
        (at(2.0, 4.0, 0.0, discs=[2.5, 4.0, 0.3]), -1.0, (True, False)),
        (at(2.0, 4.0, 0.0, rectangles=[2.5, 4.0, 0.3, 0.3]), -1.0, (True, False)),
        (at(2.0, 7.77, 1.57), -1.0, (True, False)),
        (eqx.tree_at(lambda s: s.steps, at(2.0, 4.0, 0.0), jnp.asarray(499, jnp.int32)), 0.0, (False, True)),
        (at(2.0, 4.0, 0.0), 0.0, (False, False)),
    ):
        _, one = step(state, straight)
        _, same = step(state, straight)
        assert float(one.reward) == reward and (bool(one.terminated), bool(one.truncated)) == ended
        np.testing.assert_array_equal(one.obs, same.obs)


def test_scenes_leave_room_at_start_and_target():
    state, obs = jax.jit(jax.vmap(WORLD.reset))(jax.random.split(jax.random.key(1), 300))
    assert not np.asarray(jax.vmap(WORLD.collides)(state)).any()
    there = eqx.tree_at(lambda s: s.position, state, state.target)
    room = WORLD.with_fields(radius=0.79)
    assert not np.asarray(jax.vmap(room.collides)(there)).any()
    apart = np.linalg.norm(np.asarray(state.position - state.target), axis=1)
    assert apart.min() > WORLD.reach and np.median(apart) > 3.0
    assert ((np.asarray(obs)[:, :-1] >= 0) & (np.asarray(obs)[:, :-1] < 1)).all() and np.abs(obs[:, -1]).max() <= 1.0
    assert 0.5 < (np.asarray(state.discs)[..., 0] > 0).mean() < 1.0


def test_a_mirrored_scene_gives_the_mirrored_turn():
    state, obs = jax.jit(jax.vmap(WORLD.reset))(jax.random.split(jax.random.key(2), 200))
    flip, sign = jnp.asarray([0.0, WORLD.size]), jnp.asarray([1.0, -1.0])

    @jax.vmap
    def mirrored(state):
        discs = state.discs.at[:, 1].set(WORLD.size - state.discs[:, 1])
        rectangles = state.rectangles.at[:, 1].set(WORLD.size - state.rectangles[:, 1])
        place, target = flip + sign * state.position, flip + sign * state.target
        return WORLD.observe(VehicleState(place, -state.heading, target, discs, rectangles, state.steps))

    other = mirrored(state)
    np.testing.assert_allclose(other[:, :-1], np.asarray(obs)[:, -2::-1], atol=1e-4)
    teacher = TEACHER.with_fields(threshold=0.25)  # scenes begin with room around the vehicle
    params = teacher.init(7, 1, jax.random.key(0))

    def turn(obs):
        return teacher(params, teacher.init_state(params), obs, None)[1].output[0]

    one, two = jax.vmap(turn)(obs), jax.vmap(turn)(other)
    near = np.asarray(jax.vmap(teacher.is_near)(obs))
    assert near.any() and not near.all()
    np.testing.assert_allclose(one, -np.asarray(two), atol=1e-3)


def test_the_teacher_arrives_in_every_empty_scene():
    world = TargetVehicle(discs=0, rectangles=0)
    actor = Actor(TEACHER, TEACHER.init(7, 1, jax.random.key(0)), world.spec.actions, Straight())
    play = jax.jit(jax.vmap(lambda key: play_episode(world, actor, key).episode))
    episode = play(jax.random.split(jax.random.key(3), 100))
    np.testing.assert_array_equal(episode.episode_return, 1.0)
    assert (
        np.asarray(episode.length).max() * world.speed * world.seconds < 3 * world.size
    )  # without going round and round


def test_the_first_of_two_policies_decides_where_something_is_near():
    policy = NearOrFar(TurnAway(2.0), TurnTowards(2.0), sensors=2, threshold=0.5)
    params = policy.init(3, 1, jax.random.key(0))
    state = policy.init_state(params)
    far, near = jnp.asarray([0.4, 0.0, -0.3]), jnp.asarray([0.6, 0.0, -0.3])
    assert float(policy(params, state, far, None)[1].output[0]) == pytest.approx(-0.6)
    assert float(policy(params, state, near, None)[1].output[0]) == pytest.approx(
        -2.0 * 0.5 * 0.6
    )  # left is near: right
    box = WORLD.spec.actions
    for selection, key in ((Straight(), None), (StraightNoise(0.0), jax.random.key(0))):
        assert selection(jnp.asarray([0.25]), box, jnp.zeros((), jnp.int32), key).tolist() == [0.25]
        assert selection(jnp.asarray([-3.0]), box, jnp.zeros((), jnp.int32), key).tolist() == [-1.0]

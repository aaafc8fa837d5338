"""Critics learn the known values of tiny worlds, and their features are what their equations say."""

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import ConstantReward, Corridor, Cut, DelayedReward, ObservationReward

from spikeloop.environments import Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Transition
from spikeloop.learners.critics import FourierValue, NetworkValue, PlaceCellValue, TableValue, TemporalDifference

DISCOUNT = 0.5
SPEC = Spec("plane", (2,), Discrete(2), 10)
OBS = np.random.default_rng(0).uniform(-1.0, 3.0, (20, 2)).astype(np.float32)
VALUES = (TableValue(-1.0, 1.0, bins=2), FourierValue(order=1), PlaceCellValue(cells=2, width=0.5), NetworkValue((8,)))


def transition(obs, reward, next_obs, terminated=False, truncated=False):
    flags = (jnp.asarray(terminated), jnp.asarray(truncated))
    at = [jnp.asarray(x, jnp.float32) for x in (obs, reward, next_obs)]
    return Transition(at[0], jnp.zeros((), jnp.int32), at[1], at[2], *flags)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("world", "known"),
    [
        (ConstantReward(), {1.0: 1.0}),
        (ObservationReward(), {-1.0: -1.0, 1.0: 1.0}),
        (DelayedReward(), {-1.0: DISCOUNT, 1.0: 1.0}),
        (Cut(), {1.0: 1.0 / (1.0 - DISCOUNT)}),
    ],
    ids=lambda x: type(x).__name__,
)
def test_values_of_probe_worlds(value, world, known):
    critic = TemporalDifference(value, rate=0.1, trace_decay=0.7)

    @jax.jit
    def learn(key):
        def episode(state, key):
            begin, *steps = jax.random.split(key, world.lasts + 1)
            env_state, obs = world.reset(begin)
            for step_key in steps:
                env_state, step = world.step(env_state, jnp.zeros((), jnp.int32), step_key)
                seen = Transition(obs, jnp.zeros((), jnp.int32), step.reward, step.obs, step.terminated, step.truncated)
                state, _ = critic.step(state, seen, DISCOUNT)
                obs = step.obs
            return state, None

        start, rest = jax.random.split(key)
        state, _ = jax.lax.scan(episode, critic.init(world.spec, start), jax.random.split(rest, 500))
        return jnp.stack([critic.value_of(state, jnp.full(1, obs)) for obs in known])

    np.testing.assert_allclose(np.asarray(learn(jax.random.key(1))), list(known.values()), atol=0.03)


def test_one_step_by_hand():
    # Two places with one weight each: V = w of the place. e decays by gamma lambda = 0.25, and w follows 0.1 delta e.
    critic = TemporalDifference(TableValue(-1.0, 1.0, bins=2, least=0.0), rate=0.1, trace_decay=0.5)
    state = critic.init(Spec("line", (1,), Discrete(2), 10), jax.random.key(0))
    state, error = critic.step(state, transition([-1.0], 1.0, [1.0]), DISCOUNT)
    assert float(error) == 1.0
    np.testing.assert_allclose(np.asarray(state.params), [0.1, 0.0], rtol=1e-6)
    state, error = critic.step(state, transition([1.0], 2.0, [-1.0]), DISCOUNT)
    assert float(error) == pytest.approx(2.0 + 0.5 * 0.1)
    np.testing.assert_allclose(np.asarray(state.params), [0.1 + 0.1 * 2.05 * 0.25, 0.205], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(state.trace), [0.25, 1.0])


@pytest.mark.parametrize(("terminated", "worth"), [(True, 0.0), (False, 1.0)])
def test_the_end_of_the_task_has_no_value_ahead_and_the_end_of_time_has(terminated, worth):
    critic = TemporalDifference(TableValue(-1.0, 1.0, bins=2, least=2.0, most=2.0), rate=0.1)
    state = critic.init(Spec("line", (1,), Discrete(2), 10), jax.random.key(0))
    over = transition([-1.0], 0.0, [1.0], terminated, not terminated)
    state, error = critic.step(state, over, DISCOUNT)
    assert float(error) == worth - 2.0
    assert not np.asarray(state.trace).any()  # what came before is not to blame for the next episode


def test_features_of_each_kind():
    low, high = -1.0, 3.0
    x = (OBS - low) / (high - low)
    order = FourierValue(low, high, order=2)
    waves = np.stack([np.cos(np.pi * (x @ np.asarray(c))) for c in itertools.product(range(3), repeat=2)], axis=1)
    np.testing.assert_allclose(np.asarray(jax.jit(jax.vmap(order.features))(jnp.asarray(OBS))), waves, atol=1e-5)

    cells = PlaceCellValue(low, high, cells=4, width=0.8)
    centres = np.asarray(list(itertools.product(np.linspace(0.0, 1.0, 4), repeat=2)))
    bumps = np.exp(-0.5 * np.sum((x[:, None] - centres) ** 2, axis=2) / (0.8 / 3) ** 2)
    expected = bumps / bumps.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.asarray(jax.jit(jax.vmap(cells.features))(jnp.asarray(OBS))), expected, atol=1e-5)

    table = TableValue(low, high, bins=3)
    place = np.minimum((x * 3).astype(int), 2) @ [3, 1]
    np.testing.assert_array_equal(np.asarray(jax.jit(jax.vmap(table.features))(jnp.asarray(OBS))).argmax(axis=1), place)


@pytest.mark.parametrize("value", VALUES[:3], ids=lambda value: type(value).__name__)
def test_a_linear_value_is_its_features_times_its_weights(value):
    params = jax.random.normal(jax.random.key(0), value.init(SPEC, jax.random.key(1)).shape)
    for obs in jnp.asarray(OBS[:3]):
        slope = jax.grad(value)(params, obs)
        np.testing.assert_allclose(np.asarray(slope), np.asarray(value.features(obs)), atol=1e-6)
        np.testing.assert_allclose(float(value(params, obs)), float(params @ slope), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: TableValue(1.0, 1.0), "TableValue.high must be above low, 1.0"),
        (lambda: TableValue(bins=0), "TableValue.bins must be"),
        (lambda: PlaceCellValue(width=0.0), "PlaceCellValue.width must be"),
        (lambda: TemporalDifference(rate=0.0), "TemporalDifference.rate must be"),
        (lambda: TemporalDifference(trace_decay=1.5), "TemporalDifference.trace_decay must be"),
        (lambda: FourierValue((0.0, 0.0, 0.0), 1.0).init(SPEC, jax.random.key(0)), "low has 3 entries, but an obs"),
    ],
)
def test_bad_input_is_one_line(made, says):
    with pytest.raises(InvalidInput, match=re.escape(says)) as caught:
        made()
    assert "\n" not in str(caught.value)


def test_the_value_of_a_walk_with_a_reward_at_every_step():
    # Always walking on from place p, the sum of the places left and a tenth for each step until 6, without discount.
    world = Corridor()
    critic = TemporalDifference(TableValue((-0.5, -0.5), (8.5, 8.5), bins=9), rate=0.2, trace_decay=0.9)

    @jax.jit
    def learn(key):
        def go_on(carry, key):
            critic_state, env_state, obs = carry
            env_state, step = world.step(env_state, jnp.ones((), jnp.int32), key)
            seen = Transition(obs, jnp.ones((), jnp.int32), step.reward, step.obs, step.terminated, step.truncated)
            critic_state, _ = critic.step(critic_state, seen, 1.0)
            return (critic_state, *world.restart(env_state, step.obs, step.terminated | step.truncated, key)), None

        begin, init, walk = jax.random.split(key, 3)
        start = (critic.init(world.spec, init), *world.reset(begin))
        return jax.lax.scan(go_on, start, jax.random.split(walk, 1500))[0][0]

    state = learn(jax.random.key(2))
    for first in range(4):
        known = sum(place + 0.1 for place in range(first, 6))
        assert float(critic.value_of(state, jnp.asarray([first, 0.0]))) == pytest.approx(known, rel=0.01)

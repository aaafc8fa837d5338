"""DQN's one update against the formula, and when it begins."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import Bullseye, Corridor

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, Replay, UniformRandom
from spikeloop.learners import DQN, Adam, HardTarget, SoftTarget
from spikeloop.objectives import DoubleBootstrap, SquaredError
from spikeloop.policies import DeepPolicy, KeepBetweenDecisions, SpikingPolicy

WORLD = Corridor(end=4, limit=5)
POLICY = DeepPolicy((8,))
SMALL = DQN(
    POLICY,
    Adam(Constant(0.01)),
    UniformRandom(),
    Replay(1),
    HardTarget(3),
    discount=0.9,
    batch_size=4,
    learning_starts=1,
)


def walk(learner, iterations, world=WORLD):
    """The state before every iteration, the state after the last, and the reports."""
    step = jax.jit(lambda state, key: learner.step(world, state, key))
    states, reports = [jax.jit(lambda key: learner.init(world, key))(jax.random.key(0))], []
    for key in jax.random.split(jax.random.key(1), iterations):
        state, report = step(states[-1], key)
        states.append(state)
        reports.append(report)
    return states, reports


def q(state, obs, of="online"):
    """Q-values by the online or the target parameters, in the form in which an actor has them."""
    chosen = eqx.tree_at(lambda s: s.learned.acting, state, getattr(state.learned, of))
    params = SMALL.actor(WORLD, chosen).params
    return np.asarray(POLICY(params, None, obs, None)[1].output, float)


@pytest.mark.parametrize("bootstrap", ["max", "double"])
def test_loss_of_one_transition_is_the_formula(bootstrap):
    """With a replay of one transition every batch is that transition, and the loss its squared error."""
    fields = {"loss": SquaredError()} | ({"bootstrap": DoubleBootstrap()} if bootstrap == "double" else {})
    states, reports = walk(SMALL.with_fields(**fields), 25)
    ends = 0
    for before, after, report in zip(states[:-1], states[1:], reports, strict=True):
        item = jax.tree.map(lambda ring: ring[0], after.replay.items)
        online, target = q(before, item.next_obs), q(before, item.next_obs, "target")
        value = target[online.argmax()] if bootstrap == "double" else target.max()
        discount = 0.0 if item.terminated else 0.9
        estimate = q(before, item.obs)[int(item.action)]
        error = float(item.reward) + discount * value - estimate
        assert float(report.metrics["loss"]) == pytest.approx(error**2, rel=1e-3, abs=1e-6)
        assert float(report.metrics["value"]) == pytest.approx(estimate, rel=1e-4, abs=1e-5)
        ends += int(item.terminated)
    assert ends > 0


def test_first_step_of_adam_moves_every_used_weight_by_the_learning_rate():
    states, _ = walk(SMALL, 1)
    before, after = (jax.tree.leaves(state.learned.online) for state in states)
    moves = np.concatenate([np.abs(np.asarray(y - x)).ravel() for x, y in zip(before, after, strict=True)])
    assert moves.max() == pytest.approx(0.01, rel=1e-3)
    moved = moves > 1e-6
    assert moved.sum() > 8
    np.testing.assert_allclose(moves[moved], 0.01, rtol=0.02)


def test_the_target_is_copied_at_every_third_update_and_rests_between():
    states, _ = walk(SMALL, 9)
    for n, (before, after) in enumerate(itertools.pairwise(states), start=1):
        same = eqx.tree_equal(after.learned.target, before.learned.target)
        # XLA may compute one sum twice, rounding it differently; an update moves the weights by the learning rate, 0.01.
        copy = eqx.tree_equal(after.learned.target, after.learned.online, rtol=1e-5, atol=1e-6)
        assert bool(copy) == (n % 3 == 0) and bool(same) == (n % 3 != 0)


def test_nothing_is_learned_before_learning_starts():
    learner = DQN(POLICY, exploration=UniformRandom(), replay=Replay(20), learning_starts=6, batch_size=4)
    states, reports = walk(learner, 9)
    for n, (state, report) in enumerate(zip(states[1:], reports, strict=True), start=1):
        assert int(report.env_steps) == 1 and int(state.env_steps) == n
        assert int(learner.replay.size(state.replay)) == n
        assert np.isnan(float(report.metrics["loss"])) == (n < 6)
        assert bool(eqx.tree_equal(state.learned.online, states[0].learned.online)) == (n < 6)
        assert int(state.learned.updates) == max(0, n - 5)


def test_several_steps_an_update_are_all_counted_and_kept():
    learner = DQN(
        POLICY, exploration=UniformRandom(), replay=Replay(50), learning_starts=1, batch_size=4, steps_per_update=5
    )
    states, reports = walk(learner, 6)
    assert int(states[-1].env_steps) == int(states[-1].replay.added) == 30
    assert int(states[-1].learned.updates) == 6
    assert sum(int(report.env_steps) for report in reports) == 30
    ended = sum(int(report.episodes.ended.sum()) for report in reports)
    assert int(states[-1].episodes) == ended > 0
    assert learner.typical_env_steps(WORLD) == 5
    kept = states[-1].replay.items
    # What is kept is the walk itself: each next observation is the following observation, but where an episode ended.
    over = np.asarray(kept.terminated | kept.truncated)[:29]
    np.testing.assert_array_equal(np.asarray(kept.next_obs)[:29][~over], np.asarray(kept.obs)[1:30][~over])


def test_the_acting_parameters_follow_the_online_ones_by_their_own_rule():
    learner = SMALL.with_fields(acting=SoftTarget(0.25))
    states, _ = walk(learner, 4)
    for before, after in itertools.pairwise(states):
        followed = (before.learned.acting, after.learned.online, after.learned.acting)
        for old, online, new in zip(*map(jax.tree.leaves, followed), strict=True):
            np.testing.assert_allclose(np.asarray(new), np.asarray(0.75 * old + 0.25 * online), rtol=1e-4, atol=1e-6)
    obs = jnp.asarray([2.0, 1.0])
    acting = POLICY(learner.actor(WORLD, states[-1]).params, None, obs, None)[1].output
    np.testing.assert_allclose(np.asarray(acting), q(states[-1], obs, "acting"), rtol=1e-6)
    assert np.abs(np.asarray(acting) - q(states[-1], obs)).max() > 1e-4


def test_the_actor_is_greedy_on_the_learned_weights():
    states, _ = walk(SMALL, 3)
    actor, obs = SMALL.actor(WORLD, states[-1]), jnp.asarray([2.0, 1.0])
    _, act = actor(actor.init_state(), obs, None)
    assert int(act.action) == int(q(states[-1], obs).argmax())


def test_refuses_what_it_cannot_learn():
    with pytest.raises(InvalidInput, match="must start every decision at rest"):
        DQN(SpikingPolicy(between_decisions=KeepBetweenDecisions()))
    with pytest.raises(InvalidInput, match="DQN needs discrete actions, and those of Bullseye are continuous"):
        DQN(POLICY).init(Bullseye(), jax.random.key(0))


@pytest.mark.parametrize(
    "fields",
    [
        {"discount": 1.5},
        {"discount": float("nan")},
        {"batch_size": 0},
        {"learning_starts": -1},
        {"steps_per_update": 0},
        {"replay": Replay(10), "learning_starts": 11},
        {"n_step": 0},
        {"n_step": 9, "learning_starts": 8},
    ],
)
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match=r"^DQN\."):
        DQN(POLICY, **fields)

"""The one loop: seeds side by side are seeds alone, an interrupted run is an unbroken one, and every step is counted."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import Bullseye, Corridor

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, Replay
from spikeloop.learners import DQN, Adam, HardTarget, RandomActions, RandomSearch, SynapseAgents
from spikeloop.learners.synapses import PreviousRewards, SynapseState, SynapticRule
from spikeloop.networks import FeedForward
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.storage import load_arrays, read_header, save_arrays
from spikeloop.training import Protocol, SeedState, Trainer

WORLD = Corridor(end=6, limit=8)
SPIKING = SpikingPolicy(network=FeedForward((6,)), ticks=3)
LEARNERS = {
    "dqn": DQN(SPIKING, Adam(Constant(0.01)), replay=Replay(64), target=HardTarget(7), batch_size=8, learning_starts=8),
    "search": RandomSearch(DeepPolicy((4,)), candidates=3, episodes=2),
    "random": RandomActions(),
}
each = pytest.mark.parametrize("name", LEARNERS)


def make(name, seeds=range(3), **protocol):
    fields = {"env_steps": 100, "records": 4, "evaluation_episodes": 3, **protocol}
    return Trainer(WORLD, LEARNERS[name], Protocol(**fields), seeds)


def train(trainer):
    """Run to the end; all records."""
    records = []
    while not trainer.done:
        records += trainer.advance()
    return records


@functools.cache
def finished(name):
    """A trainer that has run to its end, and its records; shared, since compiling takes longer than running."""
    trainer = make(name)
    records = train(trainer)
    COMPILED[name] = compiled(trainer)
    return trainer, records


# How often each learner's chunks were compiled until it had finished: programs are let go between modules, and these tests may
# not run in one go.
COMPILED: dict[str, list[int]] = {}


def compiled(trainer):
    assert trainer.chunk > 2
    return [chunk._cache_size() for chunk in trainer._chunks.values()]


def leaves(states):
    """Numpy arrays, with keys as the numbers they are made of."""
    for leaf in jax.tree.leaves(states):
        yield np.asarray(jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)


def assert_equal(one, two):
    for x, y in zip(leaves(one), leaves(two), strict=True):
        np.testing.assert_array_equal(x, y)


def by_seed(records):
    return {seed: [record for record in records if record.seed == seed] for seed in {r.seed for r in records}}


@each
def test_seeds_side_by_side_are_seeds_alone(name):
    together, records = finished(name)
    place = 1
    alone = make(name, range(place, place + 1))
    mine = train(alone)
    for many, one in zip(leaves(together.states), leaves(alone.states), strict=True):
        if np.issubdtype(one.dtype, np.floating):
            np.testing.assert_allclose(many[place], one[0], rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(many[place], one[0])
    for a, b in zip(by_seed(records)[place], mine, strict=True):
        assert (a.seed, a.env_steps, a.episodes, a.lengths) == (b.seed, b.env_steps, b.episodes, b.lengths)
        np.testing.assert_allclose(a.returns, b.returns, rtol=1e-5)


class WeaklyTyped(RandomActions):
    """Begins with a number that JAX gives no type of its own, as many an initial value is."""

    def init(self, environment, key):
        state = super().init(environment, key)
        return jax.tree.map(lambda leaf: jnp.where(True, 0, 0) if leaf.dtype == jnp.int32 else leaf, state)


@pytest.mark.parametrize("name", [*LEARNERS, "weak"])
def test_training_is_compiled_once(name):
    if name == "weak":
        learner = WeaklyTyped()
        assert any(leaf.weak_type for leaf in jax.tree.leaves(learner.init(WORLD, jax.random.key(0))))
        trainer = Trainer(WORLD, learner, Protocol(env_steps=100, records=4), range(2))
        train(trainer)
        COMPILED[name] = compiled(trainer)
    else:
        finished(name)
    assert set(COMPILED[name]) == {1}


@each
def test_seeds_differ(name):
    lengths = {tuple(length for r in own for length in r.lengths) for own in by_seed(finished(name)[1]).values()}
    assert len(lengths) == 3


@each
def test_going_on_after_any_chunk_equals_never_stopping(name, tmp_path):
    unbroken, records = make(name), []
    while not unbroken.done:
        save_arrays(tmp_path / f"{unbroken.chunk}", unbroken.states, {"chunk": unbroken.chunk, "records": len(records)})
        records += unbroken.advance()
    assert unbroken.chunk > 2
    later = make(name)
    for chunk in range(unbroken.chunk):
        path = tmp_path / f"{chunk}"
        header = read_header(path)
        later.restore(load_arrays(path, later.template()), header["chunk"])
        tail = train(later)
        assert later.chunk == unbroken.chunk
        assert_equal(later.states, unbroken.states)
        expected = [dataclasses.asdict(record) for record in records[header["records"] :]]
        assert [dataclasses.asdict(record) for record in tail] == expected


@pytest.mark.parametrize("name", ["dqn", "random"])
def test_every_env_step_is_counted_where_episodes_go_on(name):
    trainer, records = finished(name)
    records = by_seed(records)
    np.testing.assert_array_equal(trainer.env_steps, 100)
    under_way = np.asarray(trainer.states.learner.interaction.episode_length)
    for place, seed in enumerate(trainer.seeds):
        lengths = [length for record in records[seed] for length in record.lengths]
        assert sum(lengths) + under_way[place] == 100
        assert len(lengths) == records[seed][-1].episodes == int(trainer.states.episodes[place])
        assert [record.env_steps for record in records[seed]] == [25, 50, 75, 100]


def test_every_env_step_is_counted_where_whole_episodes_are_played():
    trainer, records = finished("search")
    records = by_seed(records)
    longest = 3 * 2 * WORLD.limit
    for place, seed in enumerate(trainer.seeds):
        lengths = [length for record in records[seed] for length in record.lengths]
        assert sum(lengths) == trainer.env_steps[place] == records[seed][-1].env_steps
        assert 100 <= sum(lengths) < 100 + longest  # it stops at the first iteration that reaches the budget
        assert len(lengths) == records[seed][-1].episodes and len(lengths) % 6 == 0


@pytest.mark.parametrize("name", ["dqn", "random"])
def test_a_limit_of_episodes_stops_each_seed_at_exactly_that_number(name):
    trainer = make(name, env_steps=400, episodes=7, records=5)
    records = by_seed(train(trainer))
    np.testing.assert_array_equal(np.asarray(trainer.states.episodes), 7)
    for place, seed in enumerate(trainer.seeds):
        lengths = [length for record in records[seed] for length in record.lengths]
        assert len(lengths) == 7 and sum(lengths) == trainer.env_steps[place]
    assert len(set(trainer.env_steps.tolist())) > 1  # each at a time of its own


def test_a_limit_of_episodes_changes_nothing_before_it_is_reached():
    limited = train(make("random", episodes=10_000))
    assert [dataclasses.asdict(r) for r in finished("random")[1]] == [dataclasses.asdict(r) for r in limited]


@pytest.mark.parametrize("name", ["random", "search"])
def test_a_limit_of_iterations_stops_each_seed_at_exactly_that_number(name):
    """11 iterations: of one step each, or of as many steps as six episodes happen to take."""
    trainer = make(name, env_steps=10_000, iterations=11, records=5)
    records = by_seed(train(trainer))
    np.testing.assert_array_equal(np.asarray(trainer.states.iterations), 11)
    for place, seed in enumerate(trainer.seeds):
        lengths = [length for record in records[seed] for length in record.lengths]
        assert records[seed][-1].env_steps == trainer.env_steps[place] < 10_000
        if name == "random":
            assert trainer.env_steps[place] == 11
        else:
            assert len(lengths) == 11 * 6 and sum(lengths) == trainer.env_steps[place]


@pytest.mark.parametrize("name", ["random", "search"])
def test_a_record_of_every_iteration_changes_nothing_but_the_records(name):
    """As many records as iterations, and together they say what the records of whole chunks say."""
    trainer = make(name, records=None)
    every, (usual, whole) = by_seed(train(trainer)), finished(name)
    assert_equal(trainer.states, usual.states)
    for place, seed in enumerate(trainer.seeds):
        one, other = every[seed], by_seed(whole)[seed]
        assert len(one) == int(trainer.states.iterations[place]) >= len(other)
        assert [length for r in one for length in r.lengths] == [length for r in other for length in r.lengths]
        assert np.all(np.diff([record.env_steps for record in one]) > 0)
        assert (one[-1].env_steps, one[-1].episodes) == (other[-1].env_steps, other[-1].episodes)
        if name == "search":
            returns = np.asarray([record.returns for record in one]).reshape(len(one), 3, 2).mean(axis=2)
            np.testing.assert_allclose(
                [record.metrics["mean_score"] for record in one], returns.mean(axis=1), rtol=1e-6
            )
            best = np.maximum.accumulate(returns.max(axis=1))
            np.testing.assert_allclose([record.metrics["best_score"] for record in one], best, rtol=1e-6)


def test_iterations_are_counted_where_nothing_limits_them():
    trainer = finished("random")[0]
    np.testing.assert_array_equal(np.asarray(trainer.states.iterations), trainer.env_steps)
    limited = train(make("random", iterations=10_000))
    assert [dataclasses.asdict(r) for r in finished("random")[1]] == [dataclasses.asdict(r) for r in limited]


@pytest.mark.parametrize(
    ("steps", "episodes", "iterations", "by"),
    [(5, 2, 3, set()), (9, 2, 3, {"env_steps"}), (5, 4, 3, {"episodes"}), (5, 2, 7, {"iterations"})],
)
def test_training_ends_at_the_first_limit_that_is_reached(steps, episodes, iterations, by):
    counts = SeedState(None, jax.random.key(0), *map(jnp.int32, (steps, episodes, iterations)))
    limits = {"env_steps": 9, "episodes": 4, "iterations": 7}
    assert bool(Protocol(**limits).unfinished(counts, 9)) == (not by)
    without = {name: limit for name, limit in limits.items() if name not in by - {"env_steps"}}
    assert bool(Protocol(**without).unfinished(counts, 9)) == ("env_steps" not in by)
    assert not Protocol(**limits).unfinished(counts, 5)


def test_lessons_are_those_of_every_seed():
    learner = SynapseAgents(DeepPolicy(()), SynapticRule(SynapseState((PreviousRewards(1),))))
    trainer = Trainer(WORLD, learner, Protocol(env_steps=200, iterations=20), range(3))
    train(trainer)
    tables = np.asarray(trainer.lessons()["table"])
    assert tables.shape == (3, 3, 3) and len({table.tobytes() for table in tables}) == 3
    np.testing.assert_array_equal(tables, np.asarray(trainer.states.learner.synapses.value))
    assert make("dqn").lessons() == {}


def test_evaluation_neither_disturbs_training_nor_depends_on_chance():
    watched = make("dqn")
    while not watched.done:
        watched.advance()
        first, again = watched.evaluate(3, watched.chunk), watched.evaluate(3, watched.chunk)
        np.testing.assert_array_equal(first.returns, again.returns)
        assert first.returns.shape == first.lengths.shape == (3, 3)
    assert_equal(watched.states, finished("dqn")[0].states)
    occasions = {tuple(watched.evaluate(3, occasion).returns.ravel().tolist()) for occasion in range(5)}
    assert len(occasions) > 1


def test_evaluation_plays_what_was_learned():
    """In a world without chance every episode of a seed earns the score of the weights that its search kept."""
    search = RandomSearch(DeepPolicy((4,)), candidates=2)
    trainer = Trainer(Bullseye(), search, Protocol(env_steps=10), range(3))
    train(trainer)
    scores = np.asarray(trainer.states.learner.score)
    assert len(set(scores.tolist())) == 3
    np.testing.assert_allclose(trainer.evaluate(4, 1).returns, scores[:, None].repeat(4, axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    "fields",
    [{"env_steps": 0}, {"episodes": 0}, {"iterations": 0}, {"records": -1}, {"evaluations": 0}, {"final_episodes": 0}],
)
def test_invalid_protocol(fields):
    with pytest.raises(InvalidInput, match=r"^Protocol\."):
        Protocol(**fields)

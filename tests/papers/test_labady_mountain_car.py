"""Labady's Mountain Car: the network and its episodes, first generations, heat maps, phases, and reports from tiny runs."""

import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.analysis.tables import ordered_quartiles
from spikeloop.catalogue import built_in
from spikeloop.environments import Gymnax
from spikeloop.interaction import Actor, play_episode
from spikeloop.learners import RandomActions, RandomSearch
from spikeloop.learners.strategies import Genetic
from spikeloop.papers.labady2023 import (
    FixedStart,
    evolution,
    report_heatmaps,
    report_mountain_car,
    report_recording,
    spike_maps,
)
from spikeloop.papers.labady2023.maps import bin_edges, chosen, of_network
from spikeloop.papers.labady2023.mountain_car import Generations, first_generation
from spikeloop.papers.labady2023.recording import LEAST, of_episode, phases
from spikeloop.papers.labady2023.setting import FITNESS, GOAL, MOUNTAIN_CAR
from spikeloop.policies import DeepPolicy
from spikeloop.run import Run

WORLD = Gymnax("MountainCar-v0")
NAMES = ("mountain-car", "mountain-car-109", "heatmaps", "recording")


def network(inputs, outputs):
    """Parameters whose genes are zero but for these, by (from, to)."""
    rest = MOUNTAIN_CAR.init(2, 3, jax.random.key(0))
    genes = [np.zeros((60, 5), np.float32), np.zeros((5, 3), np.float32)]
    for layer, chosen_genes in zip(genes, (inputs, outputs), strict=True):
        for place, gene in chosen_genes.items():
            layer[place] = gene
    return type(rest)(rest.encoder, tuple(map(jnp.asarray, genes)), rest.decoder)


def along_the_velocity():
    """Pushes right while the car moves right, left while it moves left: inputs 30 to 59 are the bins of velocity."""
    inputs = {(30 + place, int(place < 15)): 20.0 for place in range(30)}
    return Actor(MOUNTAIN_CAR, network(inputs, {(0, 2): 20.0, (1, 0): 20.0}), WORLD.spec.actions)


def test_an_individual_is_315_genes_between_their_bounds():
    state = evolution().init(WORLD, jax.random.key(0))
    assert state.strategy.population.shape == (32, 315) and state.strategy.hall.shape == (20, 315)
    assert 19.9 < float(jnp.abs(state.strategy.population).max()) <= 20.0


def test_an_episode_ends_at_the_goal_and_its_score_is_where_the_car_got():
    """Pushing along the velocity reaches the goal from every start, in 86 to 183 steps if it were done without delay."""
    play = jax.jit(jax.vmap(lambda key: play_episode(WORLD, along_the_velocity(), key, FITNESS)))
    played = play(jax.random.split(jax.random.key(1), 8))
    steps, score = np.asarray(played.episode.length), np.asarray(played.score)
    assert ((score >= GOAL) & (score < GOAL + 0.07)).all()  # no step is longer than 0.07
    assert (steps < 200).all() and (steps > 80).all() and len(set(steps.tolist())) > 1
    cut = jax.jit(lambda key: play_episode(WORLD.with_fields(max_steps=50), along_the_velocity(), key, FITNESS))
    short = cut(jax.random.key(1))
    assert int(short.episode.length) == 50 and float(short.score) < GOAL


def test_a_fixed_start_is_the_same_whatever_the_key_and_then_it_is_mountain_car():
    world = FixedStart(WORLD, -0.3, 0.01)
    assert world.spec == WORLD.spec
    for seed in range(3):
        state, obs = world.reset(jax.random.key(seed))
        np.testing.assert_allclose(np.asarray(obs), [-0.3, 0.01], rtol=1e-6)
        _, step = world.step(state, jnp.int32(2), jax.random.key(seed))
        velocity = 0.01 + 0.001 - 0.0025 * np.cos(3 * -0.3)
        np.testing.assert_allclose(np.asarray(step.obs), [-0.3 + velocity, velocity], rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_generations_are_recorded_one_by_one_and_nothing_ends_before_the_last(name):
    made = built_in(f"labady2023/{name}")
    protocol, limit = made.protocol, made.environment.spec.max_steps
    assert protocol.records is None and limit == (109 if name.endswith("109") else 200)
    assert protocol.iterations is not None and 32 * limit * protocol.iterations <= protocol.env_steps
    # A null plays at least as many steps: as many episodes, or the steps of as many that all last to the limit.
    for null in made.controls.values():
        if isinstance(null, RandomActions):
            assert null.steps_per_iteration == 32 * limit
        else:
            assert isinstance(null, RandomSearch) and (null.candidates, null.score) == (32, FITNESS)


def test_first_generation_counts_from_one_and_never_is_later_than_all():
    best = np.array([[0.5, 0.1, 0.6], [-0.2, 0.4, 0.5], [0.1, 0.499, 0.2], [0.0, 0.52, 0.1]])
    np.testing.assert_array_equal(first_generation(best), [1, 3, np.inf, 2])
    assert ordered_quartiles(first_generation(best)) == [1, 2, 3]
    assert ordered_quartiles(np.array([4.0, np.inf, np.inf])) == [4, None, None]
    assert ordered_quartiles(np.array([np.inf])) == [None, None, None]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_ordered_quartiles_are_those_of_numpy_where_none_is_never(generations):
    expected = np.quantile(generations, [0.25, 0.5, 0.75], method="inverted_cdf").tolist()
    assert ordered_quartiles(np.asarray(generations, float)) == expected


def test_heat_map_of_a_network_of_one_path():
    """Only the 12th bin of position drives anything, and only the neuron for right: a stripe over all velocities."""
    maps = np.asarray(spike_maps(MOUNTAIN_CAR, network({(11, 0): 20.0}, {(0, 2): 20.0})))
    assert maps.shape == (30, 30, 3) and not maps[..., :2].any()
    np.testing.assert_array_equal(np.flatnonzero(maps[..., 2].any(axis=1)), [11])
    assert len(np.unique(maps[11, :, 2])) == 1 and 0 < maps[11, 0, 2] <= 17
    np.testing.assert_array_equal(chosen(maps) == 2, maps[..., 2] > 0)
    edges = bin_edges(MOUNTAIN_CAR)
    np.testing.assert_allclose(np.diff(edges, axis=0), [[1.8 / 30, 0.14 / 30]] * 30)
    found = of_network(maps, edges[:, 0], np.array([2, 2, 1]))
    assert (
        found["right"]["peak_position"] == pytest.approx(-1.2 + 11.5 * 0.06) and found["left"]["peak_position"] is None
    )
    assert [found[action]["cells"] for action in ("left", "none", "right")] == [0, 870, 30]
    assert [found[action]["actions"] for action in ("left", "none", "right")] == [0, 1, 2]


def test_a_draw_chooses_none():
    counts = np.array([[[3.0, 0.0, 3.0], [3.0, 1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 2.0, 2.0]]])
    assert chosen(counts).tolist() == [[1, 0, 1, 1]]


def test_phases_of_a_trajectory_made_by_hand():
    """Three stretches; a step back of half the least move does not part the second."""
    there = np.concatenate([np.linspace(-0.5, -0.35, 10), np.linspace(-0.35, -0.6, 9)[1:]])
    back = np.concatenate([[-0.6 + LEAST / 2], np.linspace(-0.6, -1.0, 5), np.linspace(-1.0, 0.5, 20)[1:]])
    found = phases(np.concatenate([there, back]))
    assert [(phase.direction, round(phase.position, 6)) for phase in found] == [
        ("right", -0.35), ("left", -1.0), ("right", 0.5),
    ]  # fmt: skip
    assert [(phase.first, phase.last) for phase in found] == [(0, 9), (9, 23), (23, 42)]
    assert phases(np.full(5, -0.5)) == [] == phases(np.array([-0.5, -0.5 + LEAST / 2, -0.5]))


@given(st.lists(st.floats(-1.2, 0.6), min_size=2, max_size=30))
def test_phases_alternate_and_each_moves_far_enough(position):
    found = phases(np.asarray(position))
    for before, after in itertools.pairwise(found):
        assert before.last == after.first and before.direction != after.direction
    for phase in found:
        moved = position[phase.last] - position[phase.first]
        assert abs(moved) >= LEAST - 1e-9 and (moved > 0) == (phase.direction == "right")


def test_an_episode_in_numbers():
    rates = np.array([[0.0, 0.0, 100.0]] * 10 + [[50.0, 0.0, 0.0]] * 10)
    found = of_episode(np.linspace(-0.5, 0.51, 21), np.array([2] * 10 + [0] * 10), rates)
    assert found["reached"] and found["steps"] == 20 and found["left_extreme"] == -0.5
    assert found["actions"] == [10, 0, 10] and found["rates"] == [25, 0, 50] and found["last_rates"] == [50, 0, 0]


def small(name, seeds=2, **policy):
    """An experiment of episodes of five steps and generations of four individuals."""
    made = built_in(f"labady2023/{name}")
    genetic = Genetic(population=4, hall_of_fame=2)
    controls = {null: other.with_fields(**policy) for null, other in made.controls.items() if null == "random-weights"}
    return made.with_fields(
        environment=made.environment.with_fields(max_steps=5),
        learner=made.learner.with_fields(strategy=genetic, **policy),
        controls={**controls, **({"random-actions": RandomActions(160)} if controls else {})},
        protocol=made.protocol.with_fields(iterations=3, evaluation_episodes=2, final_episodes=2),
        seeds=seeds,
    )


def table(run):
    return json.loads((run.path / "table.json").read_text())


def test_report_of_generations(tmp_path):
    """Any policy will do; with a car that pushes right for five steps nobody reaches the goal, and the table says never."""
    run = Run.create(tmp_path / "run", small("mountain-car", policy=DeepPolicy(())))
    run.carry_out()
    found = Generations(run, "evolution")
    assert found.best.shape == found.mean.shape == (2, 3) and (found.best >= found.mean).all()
    assert found.env_steps.tolist() == [[20, 40, 60]] * 2
    assert np.isneginf(found.cut(np.array([20, 59]))[:, 1:]).tolist() == [[True, True], [False, True]]
    assert [path.name for path in report_mountain_car(run)] == ["table.json", "fitness.png"]
    arms = table(run)["arms"]
    assert set(arms) == {"evolution", "random-weights", "random-actions"}
    assert arms["evolution"]["solved"] == [0, 2] and arms["evolution"]["first_generation"] == [None] * 3
    assert arms["random-actions"]["within_limit"] == [0, 0, 0] and "never (never to never)" in table(run)["markdown"]
    chunks = run.experiment.with_fields(protocol=run.experiment.protocol.with_fields(records=2))
    assert report_mountain_car(Run(run.path, chunks, "mountain-car")) == []


def test_reports_of_maps_and_recording(tmp_path):
    run = Run.create(tmp_path / "run", small("heatmaps"))
    run.carry_out()
    assert [path.name for path in report_heatmaps(run)] == ["table.json", "heatmaps.png"]
    for of in table(run)["seeds"].values():
        assert sum(neuron["cells"] for neuron in of.values()) == 900
        assert 0 < sum(neuron["actions"] for neuron in of.values()) <= 5
    files = report_recording(run)
    assert [path.name for path in files] == ["table.json", "recording.png", "recording.gif"]
    assert all(path.stat().st_size > 0 for path in files) and table(run)["steps"] == 5
    other = run.experiment.with_fields(learner=run.experiment.learner.with_fields(policy=DeepPolicy(())))
    assert report_heatmaps(Run(run.path, other, "x")) == [] == report_recording(Run(run.path, other, "x"))

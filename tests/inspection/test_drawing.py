"""A scene's shapes are where the world says, at every moment."""

import jax
import numpy as np
import pytest

from spikeloop.analysis.recording import record_episode
from spikeloop.environments import Gridworld, Gymnax, ImageMaze
from spikeloop.inspection.drawing import HEIGHT, WIDTH, draw_scene
from spikeloop.interaction import Actor, UniformRandom
from spikeloop.policies import BlindPolicy


def played(environment, decisions=30):
    actor = Actor(BlindPolicy(), (), environment.spec.actions, UniformRandom())
    return record_episode(environment, actor, jax.random.key(0), decisions)


def states(shape):
    """What a shape looks like at every moment, as scene.js resolves it."""
    now, points, found = {}, [], []
    for frame in shape["frames"]:
        frame = dict(frame or {})
        points = frame.pop("d", points) + frame.pop("a", [])
        now = {**now, **frame, "d": points}
        found.append(now)
    return found


def test_cart_and_pole_stand_where_they_are_observed():
    recording = played(Gymnax("CartPole-v1"))
    drawn = draw_scene(Gymnax("CartPole-v1"), recording)
    (pole,) = (shape for shape in drawn["shapes"] if shape["look"].get("stroke") == "#e69f00")
    scale = WIDTH / 6.0  # 6 units of the world over the page
    lengths = set()
    for moment, state in enumerate(states(pole)):
        foot, tip = np.asarray(state["d"]).reshape(2, 2)
        x, theta = recording.observations[moment, [0, 2]]
        np.testing.assert_allclose(foot[0], WIDTH / 2 + scale * x, atol=0.06)
        np.testing.assert_allclose(tip - foot, scale * np.asarray([np.sin(theta), -np.cos(theta)]), atol=0.11)
        lengths.add(round(float(np.hypot(*(tip - foot)))))
    assert len(states(pole)) == recording.decisions + 1 and lengths == {round(scale)}


def test_what_stays_is_kept_once():
    drawn = draw_scene(Gymnax("MountainCar-v0"), played(Gymnax("MountainCar-v0")))
    counts = [len(shape["frames"]) for shape in drawn["shapes"]]
    assert counts.count(1) >= 4 and max(counts) == 31
    assert {shape["kind"] for shape in drawn["shapes"]} >= {"area", "line", "polygon", "disc"}


def test_a_line_that_grows_keeps_what_was_added():
    recording = played(ImageMaze())
    drawn = draw_scene(ImageMaze(), recording)
    growing = [shape for shape in drawn["shapes"] if any("a" in (frame or {}) for frame in shape["frames"])]
    (way,) = growing
    assert len(states(way)[-1]["d"]) == 2 * (recording.decisions + 1)
    assert len(states(way)[5]["d"]) == 2 * 6
    assert 0 < len(drawn["images"]) <= recording.decisions + 1  # the codes that are seen


@pytest.mark.parametrize(
    "environment",
    [Gridworld(), Gymnax("Pendulum-v1")],
    ids=lambda e: e.spec.name,
)
def test_every_shape_lies_on_the_page(environment):
    drawn = draw_scene(environment, played(environment, 8))
    assert drawn["shapes"]
    for shape in drawn["shapes"]:
        for state in states(shape):
            if state.get("v") and state["d"] and shape["kind"] != "area":
                places = np.asarray(state["d"][:2])
                assert (places > -WIDTH).all() and (places < [2 * WIDTH, 2 * HEIGHT]).all()

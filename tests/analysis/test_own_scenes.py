"""The library's own worlds are drawn: what is on the page moves with the state."""

import jax
import pytest

from spikeloop.analysis.page import Page
from spikeloop.analysis.recording import record_episode
from spikeloop.analysis.scenes import MazeScene, VehicleScene, action_names, make_scene
from spikeloop.analysis.style import apply_style
from spikeloop.environments import ImageMaze, TargetVehicle
from spikeloop.interaction import Actor, UniformRandom
from spikeloop.policies import BlindPolicy


@pytest.mark.parametrize(("world", "kind"), [(ImageMaze(), MazeScene), (TargetVehicle(), VehicleScene)])
def test_the_scene_moves_with_the_state(world, kind):
    actor = Actor(BlindPolicy(), (), world.spec.actions, UniformRandom())
    recording = record_episode(world, actor, jax.random.key(1), 6)
    with apply_style():
        page = Page(640, 240)
        scene = make_scene(world, page, 0, 240, recording)
        frames = []
        for moment in range(recording.decisions + 1):
            scene.update(moment)
            frames.append(page.frame())
    assert isinstance(scene, kind)
    assert frames[0].std() > 1.0 and any((frame != frames[0]).any() for frame in frames[1:])
    assert len(action_names(world)) == world.spec.actions.output_size

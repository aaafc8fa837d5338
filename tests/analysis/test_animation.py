"""Animations: every world draws, files are whole or not there at all, and mistakes of the user are said in one line."""

import itertools
import shutil
import sys

import equinox as eqx
import jax
import numpy as np
import pytest
from PIL import Image, ImageSequence

from spikeloop.analysis.animation import MOST_FRAMES, animate
from spikeloop.analysis.page import Page
from spikeloop.analysis.panels import RasterPanel, TimeAxis, most_active, spike_marks
from spikeloop.analysis.recording import record_episode
from spikeloop.analysis.scenes import (
    GridScene,
    GridworldScene,
    MinAtarScene,
    ObservationScene,
    PictureScene,
    action_names,
    make_scene,
)
from spikeloop.analysis.style import apply_style
from spikeloop.environments import Gridworld, Gymnasium, Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, UniformRandom
from spikeloop.networks import FeedForward
from spikeloop.policies import BlindPolicy, DeepPolicy, SpikingPolicy

CLASSIC = ("Acrobot-v1", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1")
MINATAR = tuple(name for name in Gymnax.names() if name.endswith("MinAtar"))
SPIKING = SpikingPolicy(network=FeedForward(widths=(9, 140)), ticks=3)


def recorded(environment, policy, decisions=12):
    spec = environment.spec
    params = policy.init(spec.observation_size, spec.actions.output_size, jax.random.key(0))
    params = jax.tree.map(lambda weights: 4.0 * weights, params)
    actor = Actor(policy, params, spec.actions, UniformRandom())
    return record_episode(environment, actor, jax.random.key(1), decisions)


@pytest.fixture(scope="module")
def cart():
    environment = Gymnax("CartPole-v1")
    return environment, recorded(environment, SPIKING)


def written(cart, path, **how):
    environment, recording = cart
    return animate(environment, recording, path, **how)


def pictures(path):
    with Image.open(path) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def test_a_gif_has_a_frame_a_moment_and_they_differ(cart, tmp_path):
    environment, recording = cart
    seen = []
    path = animate(environment, recording, tmp_path / "cart.gif", on_frame=lambda *counts: seen.append(counts))
    frames = pictures(path)
    assert len(frames) == recording.decisions + 1
    assert all((one != other).any() for one, other in itertools.pairwise(frames))
    assert seen == [(done, len(frames)) for done in range(1, len(frames) + 1)]
    assert (frames[0][:5] == 255).all()  # white paper stays white
    assert [file.name for file in tmp_path.iterdir()] == ["cart.gif"]
    with Image.open(path) as image:
        assert image.info["duration"] == 40 and image.info["loop"] == 0


@pytest.mark.parametrize("stride", [5, 100])
def test_a_stride_leaves_frames_out_but_not_the_end(cart, tmp_path, stride):
    environment, recording = cart
    path = animate(environment, recording, tmp_path / "cart.gif", stride=stride)
    assert len(pictures(path)) == len(range(0, recording.decisions, stride)) + 1


def test_the_default_stride_keeps_to_the_limit_of_frames(tmp_path):
    environment = Gymnax("MountainCarContinuous-v0")
    recording = recorded(environment, BlindPolicy(), 2 * MOST_FRAMES)
    totals = []

    class Enough(Exception):
        pass

    def stop(done, total):
        totals.append(total)
        raise Enough

    with pytest.raises(Enough):
        animate(environment, recording, tmp_path / "car.gif", on_frame=stop)
    assert totals[0] <= MOST_FRAMES
    assert list(tmp_path.iterdir()) == []  # whatever stops it, no half a file


@pytest.mark.parametrize("policy", [DeepPolicy(), BlindPolicy()])
def test_a_policy_without_spikes_works(tmp_path, policy):
    environment = Gymnax("CartPole-v1")
    recording = recorded(environment, policy, 4)
    assert len(pictures(animate(environment, recording, tmp_path / "deep.gif"))) == recording.decisions + 1


@pytest.mark.parametrize("name", [*CLASSIC, "Breakout-MinAtar", "Catch-bsuite", "PointRobot-misc", "Pong-misc"])
def test_every_scene_moves_with_the_state(name):
    environment = Gymnax(name)
    recording = recorded(environment, DeepPolicy(), 8)
    with apply_style():
        page = Page(640, 240)
        scene = make_scene(environment, page, 0, 240, recording)
        frames = []
        for moment in range(recording.decisions + 1):
            scene.update(moment)
            frames.append(page.frame())
    assert frames[0].std() > 1.0
    assert any((frame != frames[0]).any() for frame in frames[1:])
    assert isinstance(scene, (GridScene, ObservationScene)) == (name not in CLASSIC)
    assert len(action_names(environment)) == environment.spec.actions.output_size


def test_the_gridworld_shows_the_agent_its_path_and_the_goal():
    environment = Gridworld(side=4)
    recording = recorded(environment, DeepPolicy(), 6)
    with apply_style():
        scene = make_scene(environment, Page(640, 240), 0, 240, recording)
    assert isinstance(scene, GridworldScene) and action_names(environment) == ("up", "down", "left", "right")
    for moment, picture in enumerate(scene.pictures(recording)):
        been = {tuple(place) for place in recording.observations[: moment + 1].astype(int).tolist()}
        assert set(zip(*np.nonzero(picture[..., 2]), strict=True)) == been
        assert np.argwhere(picture[..., 0]).tolist() == [recording.observations[moment].astype(int).tolist()]
        assert np.argwhere(picture[..., 1]).tolist() == [[3, 3]]


@pytest.mark.parametrize("name", MINATAR)
def test_every_channel_of_a_game_is_known(name):
    environment = Gymnax(name)
    channels = environment.spec.observation_shape[-1]
    recording = recorded(Gymnax("Breakout-MinAtar"), DeepPolicy(), 1)
    seen = np.zeros((2, 10, 10, channels), np.float32)
    seen[0, 5, 5, 0], seen[0, 6, 6, 1] = 1.0, 1.0
    recording = eqx.tree_at(lambda recording: recording.observations, recording, seen)
    with apply_style():
        scene = make_scene(environment, Page(640, 240), 0, 240, recording)
    assert isinstance(scene, MinAtarScene)
    assert len(scene.channels(recording)) == channels
    assert len(action_names(environment)) == environment.spec.actions.output_size


@pytest.mark.parametrize("name", CLASSIC)
def test_both_adapters_draw_the_same_world(name):
    """Scenes read what is observed, in which the two agree."""
    pages = []
    environment = Gymnax(name)
    recording = recorded(environment, DeepPolicy(), 3)
    for adapter in (environment, Gymnasium(name)):
        with apply_style():
            page = Page(640, 240)
            make_scene(adapter, page, 0, 240, recording).update(2)
            pages.append(page.frame())
    np.testing.assert_array_equal(*pages)


class Painted(Gymnasium):
    """A simulator that can draw: a grey that grows with the number of steps."""

    def frame(self, state):
        return np.full((30, 60, 3), 10 * int(state.steps), np.uint8)


class Unpainted(Gymnasium):
    """A simulator that cannot."""

    def frame(self, state):
        raise InvalidInput("the package for drawing is missing")


def test_gymnasium_is_shown_by_its_own_pictures_or_by_what_is_observed(monkeypatch):
    monkeypatch.setattr("spikeloop.analysis.scenes._CLASSIC", {})
    for adapter, kind in ((Painted("CartPole-v1"), PictureScene), (Unpainted("CartPole-v1"), ObservationScene)):
        recording = recorded(adapter, DeepPolicy(), 3)
        with apply_style():
            page = Page(640, 240)
            scene = make_scene(adapter, page, 0, 240, recording)
            frames = []
            for moment in (0, 3):
                scene.update(moment)
                frames.append(page.frame())
        assert isinstance(scene, kind)
        assert (frames[0] != frames[1]).any()
        if kind is PictureScene:
            assert frames[1][120, 320].tolist() == [30, 30, 30]


def test_other_endings_are_refused(cart, tmp_path):
    for name in ("cart.avi", "cart"):
        with pytest.raises(InvalidInput, match=r"must end in \.gif or \.mp4"):
            written(cart, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said_in_one_line(cart, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "taken.gif").mkdir()
    for name in ("missing/cart.gif", "file/cart.gif", "taken.gif"):
        with pytest.raises(InvalidInput, match="cannot write") as caught:
            written(cart, tmp_path / name, stride=100)
        assert "\n" not in str(caught.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "taken.gif"]


@pytest.mark.parametrize("wrong", [{"fps": 0.0}, {"fps": float("nan")}, {"stride": 0}])
def test_numbers_out_of_range_are_refused(cart, tmp_path, wrong):
    with pytest.raises(InvalidInput, match="an animation"):
        written(cart, tmp_path / "cart.gif", **wrong)


def test_video_without_ffmpeg_names_the_extra(cart, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InvalidInput, match=r"spikeloop\[video\]"):
        written(cart, tmp_path / "cart.mp4")
    assert list(tmp_path.iterdir()) == []


def test_video_is_written_by_ffmpeg(cart, tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.importorskip("imageio_ffmpeg")
    path = written(cart, tmp_path / "cart.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"
    assert [file.name for file in tmp_path.iterdir()] == ["cart.mp4"]


def test_an_ffmpeg_that_fails_says_why_and_leaves_no_file(cart, tmp_path, monkeypatch):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\necho 'no encoder here' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(broken))
    with pytest.raises(InvalidInput, match="no encoder here"):
        written(cart, tmp_path / "cart.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["ffmpeg"]


@pytest.mark.parametrize("ticks", [1, 3, 4, 16, 40, 350])
def test_time_is_laid_out_in_whole_pixels(ticks):
    time = TimeAxis.of(ticks, 60, 560)
    assert time.width <= 560 and 10 <= time.window <= 40
    spikes = np.zeros((3, ticks, 2), np.float32)
    spikes[1, -1, 1] = 1.0
    marks = spike_marks(spikes, time.decision)
    assert marks.shape == (2, 3 * time.decision)
    assert not marks[0].any() and not marks[:, : time.decision].any() and not marks[:, 2 * time.decision :].any()
    assert marks[1].any()


def test_of_a_large_population_the_most_active_are_shown(cart):
    spikes = np.zeros((2, 3, 200), np.float32)
    spikes[:, :, 150:] = 1.0
    np.testing.assert_array_equal(most_active(spikes, 60), [*range(10), *range(150, 200)])
    panel = RasterPanel(spikes, TimeAxis.of(3, 60, 560), "population 1", "#0072B2", 180)
    assert panel.heading == "population 1: the 128 most active of 200 neurons"

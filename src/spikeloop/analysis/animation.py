"""A recorded episode as an animation: the world above; beneath it, on one time axis, spikes, outputs and actions."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from spikeloop.analysis.page import Page
from spikeloop.analysis.panels import HEADING, ActionPanel, OutputPanel, RasterPanel, StepPanel, TimeAxis
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes import action_names, make_scene
from spikeloop.analysis.style import INK, LABEL_SIZE, TITLE_SIZE, apply_style, colour_of
from spikeloop.analysis.video import Film, completed, format_of
from spikeloop.environments import AbstractEnvironment
from spikeloop.errors import InvalidInput

MOST_FRAMES = 250  # of an animation whose stride is not given

_WIDTH = 640  # pixels
_LEFT, _RIGHT = 62, 18  # margins of the time axis
_TITLE = 40  # height of the title line
_SCENE, _SCENE_ALONE = 228, 300  # height of the scene, with and without rasters beneath
_GAP = 4  # between panels
_RASTERS = 200  # height of all rasters together, if they can be drawn so


def animate(
    environment: AbstractEnvironment,
    recording: Recording,
    path: Path | str,
    fps: int | float = 25,
    title: str | None = None,
    stride: int | None = None,
    on_frame: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a recording as an animation to `path`, a .gif or an .mp4, and return the path.

    A frame shows a state of the world and the decision that was made in it; the last frame shows how it ended.

    **Arguments**: `fps`, frames per second (a GIF rounds to hundredths of a second); `title`, the environment's name
    unless given; `stride`, draw only every so many decisions (None: as few as keep the animation within 250 frames);
    `on_frame`, called with the number of frames done and their total.

    Raises InvalidInput, and leaves no file behind, if the ending is another or the file cannot be written, if an .mp4
    is asked for without ffmpeg, or if `fps` or `stride` is not positive.
    """
    path = Path(path)
    form = format_of(path)
    if not (math.isfinite(fps) and fps > 0):
        raise InvalidInput(f"an animation needs a positive number of frames per second, got fps={fps!r}")
    if stride is not None and stride < 1:
        raise InvalidInput(f"an animation's stride must be at least 1, got {stride!r}")
    stride = stride or max(1, math.ceil(recording.decisions / (MOST_FRAMES - 1)))
    moments = [*range(0, recording.decisions, stride), recording.decisions]
    with completed(path) as file, apply_style():
        stage = _Stage(environment, recording, title or environment.spec.name)
        samples = [stage.frame(moments[place]) for place in np.linspace(0, len(moments) - 1, 6).astype(int)]

        def frames() -> Iterator[np.ndarray]:
            for done, moment in enumerate(moments, start=1):
                yield stage.frame(moment)
                if on_frame is not None:
                    on_frame(done, len(moments))

        form.write(file, Film(frames(), len(moments), samples, float(fps)))
    return path


class _Stage:
    """The page with everything on it. Create and use it inside `apply_style`."""

    def __init__(self, environment: AbstractEnvironment, recording: Recording, title: str):
        self.recording = recording
        time = TimeAxis.of(recording.ticks, _LEFT, _WIDTH - _LEFT - _RIGHT)
        names = action_names(environment)
        tall = _RASTERS // max(1, len(recording.spikes)) - HEADING
        rasters = [
            RasterPanel(spikes, time, f"population {index + 1}", colour_of(index), tall)
            for index, spikes in enumerate(recording.spikes)
        ]
        self.panels = [
            *rasters,
            OutputPanel(recording, time, names),
            ActionPanel(recording, time, names),
            StepPanel(time),
        ]
        scene_height = _SCENE if rasters else _SCENE_ALONE
        height = _TITLE + scene_height + sum(panel.height + _GAP for panel in self.panels)
        self.page = Page(_WIDTH, height + height % 2)  # video wants an even number of rows
        self.page.text(_LEFT, 14, title, TITLE_SIZE, INK, weight="bold")
        self.count = self.page.text(_WIDTH - _RIGHT, 15, "", LABEL_SIZE + 1, INK, ha="right")
        self.page.moving([self.count])
        self.scene = make_scene(environment, self.page, _TITLE, scene_height, recording)
        top = _TITLE + scene_height + _GAP
        for panel in self.panels:
            panel.place(self.page, top)
            top += panel.height + _GAP
        self.returns = np.append(0.0, np.cumsum(recording.rewards, dtype=np.float64))
        self.whole = bool(np.all(self.returns == np.round(self.returns)))

    def frame(self, moment: int) -> np.ndarray:
        """The picture of one moment, RGB."""
        self.scene.update(moment)
        for panel in self.panels:
            panel.update(min(moment + 1, self.recording.decisions))
        score = self.returns[moment]
        text = f"step {moment}   return {score:.0f}" if self.whole else f"step {moment}   return {score:.1f}"
        if moment == self.recording.decisions and self.recording.terminated:
            text = f"terminated   {text}"
        elif moment == self.recording.decisions and self.recording.truncated:
            text = f"time limit   {text}"
        self.count.set_text(text)
        return self.page.frame()

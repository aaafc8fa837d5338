"""Frames into files: a GIF with one small palette, or an MP4 by ffmpeg. A file appears only when it is complete."""

import abc
import contextlib
import dataclasses
import importlib
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.colors import to_rgba_array
from PIL import Image

from spikeloop.analysis.style import COLOURS, INK, PAPER
from spikeloop.errors import InvalidInput

HOLD = 1.0  # s, so that the eye sees how the episode ended before it begins again
COLOURS_OF_A_GIF = 96  # fewer colours, fewer bytes; a drawing with softened edges needs no more


@dataclasses.dataclass(frozen=True)
class Film:
    """What there is to write: frames (RGB), how many they are, a few of them to choose colours by, and their pace."""

    frames: Iterator[np.ndarray]
    count: int
    samples: list[np.ndarray]
    fps: float  # frames per second; the last one stays for HOLD seconds


class AbstractFormat(abc.ABC):
    """A kind of file that frames can be written to."""

    @abc.abstractmethod
    def write(self, file: Path, film: "Film") -> None:
        """Write all frames. May raise OSError."""


class Gif(AbstractFormat):
    """An animated GIF that repeats for ever. Frames last a whole number of hundredths of a second."""

    def write(self, file, film):
        palette = _Palette(film.samples)
        reduced = (palette.reduce(frame) for frame in film.frames)
        first = next(reduced)
        pace = max(20, 10 * round(100 / film.fps))  # ms; browsers slow down anything shorter
        duration = [pace] * (film.count - 1) + [max(pace, round(1000 * HOLD))]
        # optimize: a pixel that stays is written as transparent, which halves the file.
        first.save(file, "GIF", save_all=True, append_images=reduced, duration=duration, loop=0, optimize=True)


class Mp4(AbstractFormat):
    """H.264 video, which needs ffmpeg: raises InvalidInput when it is made if there is none."""

    def __init__(self):
        self.ffmpeg = _ffmpeg()

    def write(self, file, film):
        height, width = film.samples[0].shape[:2]
        command = [
            self.ffmpeg, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
            "-r", f"{film.fps:g}", "-i", "-", "-an", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white",
            "-c:v", "libx264", "-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", str(file),
        ]  # fmt: skip
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
            assert process.stdin is not None
            last = b""
            try:
                with contextlib.suppress(BrokenPipeError):  # it gave up; its own words say why
                    for frame in itertools.chain(film.frames, itertools.repeat(None, round(HOLD * film.fps))):
                        last = last if frame is None else np.ascontiguousarray(frame).data
                        process.stdin.write(last)
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
                failed = process.wait() != 0
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if failed:
                log.seek(0)
                lines = log.read().decode(errors="replace").strip().splitlines()
                raise InvalidInput(f"ffmpeg could not write the video: {lines[-1] if lines else 'it gave no reason'}")


def format_of(path: Path) -> AbstractFormat:
    """The format that the ending asks for. Raises InvalidInput for another than .gif and .mp4, or without ffmpeg."""
    suffix = path.suffix.lower()
    if suffix == ".gif":
        return Gif()
    if suffix == ".mp4":
        return Mp4()
    raise InvalidInput(f"an animation's file must end in .gif or .mp4, got {path.name!r}")


@contextlib.contextmanager
def completed(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place if the block succeeds, and is gone if not.

    An OSError becomes an InvalidInput of one line.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


class _Palette:
    """The colours that some frames use most, the style's own among them, and the nearest of them to any RGB colour.

    Colours are looked up by the upper 5 bits of each channel. Pillow's own search is no slower, but makes white grey.
    """

    def __init__(self, samples: list[np.ndarray]):
        style = np.round(255 * to_rgba_array([PAPER, INK, *COLOURS])[:, :3]).astype(int)
        sample = Image.fromarray(np.concatenate(samples))
        used = sample.quantize(COLOURS_OF_A_GIF - len(style), Image.Quantize.MEDIANCUT)
        self.colours = np.concatenate([style, np.array(used.getpalette(), int).reshape(-1, 3)])
        levels = np.arange(32) * 255 // 31
        every = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 1, 3)
        self.nearest = np.concatenate([((part - self.colours) ** 2).sum(-1).argmin(-1) for part in np.split(every, 32)])
        self.nearest[self._places(style)] = np.arange(len(style))
        self.nearest = self.nearest.astype(np.uint8)

    def reduce(self, frame: UInt8[np.ndarray, "height width 3"]) -> Image.Image:
        """The frame in these colours."""
        image = Image.fromarray(self.nearest[self._places(frame)])
        image.putpalette(self.colours.astype(np.uint8).tobytes())
        return image

    @staticmethod
    def _places(colours: np.ndarray) -> np.ndarray:
        high = (colours >> 3).astype(np.uint16)
        return high[..., 0] << 10 | high[..., 1] << 5 | high[..., 2]


def _ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        return importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe()
    except (ImportError, RuntimeError):  # the package, or the program in it
        raise InvalidInput(
            "an .mp4 needs ffmpeg: pip install 'spikeloop[video]', or put ffmpeg on the PATH, or write a .gif"
        ) from None

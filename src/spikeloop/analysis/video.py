"""Frames into files: a GIF with one small palette, or an MP4 by ffmpeg. A file appears only when it is complete."""

import abc
import contextlib
import importlib
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import equinox as eqx
import numpy as np
from PIL import Image

from spikeloop.errors import InvalidInput

HOLD = 1.0  # s, so that the eye sees how the episode ended before it begins again
COLOURS_OF_A_GIF = 96  # fewer colours, fewer bytes; a drawing with softened edges needs no more



class Film(eqx.Module):
    """What there is to write: the frames (RGB), how many they are, a few of them to choose colours by, and their pace."""

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
        palette = _palette(film.samples)
        reduced = (Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in film.frames)
        first = next(reduced)
        pace = max(20, 10 * round(100 / film.fps))  # ms; browsers slow down anything shorter
        duration = [pace] * (film.count - 1) + [max(pace, round(1000 * HOLD))]
        first.save(
            file, "GIF", save_all=True, append_images=reduced, duration=duration, loop=0, optimize=False, disposal=1
        )


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
    """The format that a file's ending asks for. Raises InvalidInput for another than .gif and .mp4, or without ffmpeg."""
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


def _palette(samples: list[np.ndarray]) -> Image.Image:
    """The colours that the samples use most."""
    return Image.fromarray(np.concatenate(samples)).quantize(COLOURS_OF_A_GIF, Image.Quantize.MEDIANCUT)


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

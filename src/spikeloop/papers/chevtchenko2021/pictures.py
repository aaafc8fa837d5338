"""Pictures for the cells of a maze, 64 x 64 in colour: of a folder, or drawn so that their statistics are those of photographs.

The paper takes photographs of Linnaeus 5, which cannot be handed on here. What stands in for them:

    field(x) = sum_f cos(2 pi f x + phase_f) / |f|          the spectrum of photographs falls with the frequency
    picture  = colour + shade field_0(x) + tint field_c(x)  one field for the brightness, a weaker one for each of three colours
    picture <- (1 - m(x)) picture + m(x) painted            for a few ellipses with soft edges: of one colour, or a grating
"""

import abc
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from spikeloop.component import Component, require, require_count
from spikeloop.errors import InvalidInput

SIDE = 64  # pixels along each edge
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")  # of the files of a folder that are pictures


class AbstractPictures(Component):
    """A rule that gives as many pictures as are asked for."""

    @abc.abstractmethod
    def __call__(self, count: int) -> UInt8[np.ndarray, "count 64 64 3"]:
        """The first `count` pictures, red, green and blue of every pixel; the same for every call."""


class SyntheticPictures(AbstractPictures):
    """Pictures drawn from random numbers: colour noise whose spectrum falls as that of photographs, with blobs and gratings."""

    seed: int = 0  # the pictures are drawn from it, each from numbers of its own

    def __check_init__(self):
        require_count(self, "seed", least=0)

    def __call__(self, count):
        return np.stack([_drawn(np.random.default_rng([self.seed, index])) for index in range(count)])


class PictureFolder(AbstractPictures):
    """The pictures of a folder, sorted by name, each stretched to 64 x 64."""

    folder: str = "pictures"  # holds the files: bmp, gif, jpeg, jpg, png or webp

    def __check_init__(self):
        require(self, "folder", bool, "the name of a folder")

    def __call__(self, count):
        """As above. Raises InvalidInput if there are too few files, or one of them cannot be read."""
        try:
            files = sorted(file for file in Path(self.folder).iterdir() if file.suffix.lower() in SUFFIXES)
        except (OSError, ValueError) as error:
            raise InvalidInput(f"cannot read the folder {self.folder!r}: {_reason(error)}") from None
        if len(files) < count:
            raise InvalidInput(
                f"{self.folder} holds {len(files)} pictures, and {count} are needed ({' '.join(SUFFIXES)})"
            )
        return np.stack([_read(file) for file in files[:count]])


def _read(file: Path) -> UInt8[np.ndarray, "64 64 3"]:
    from PIL import Image

    try:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput(f"cannot read {file} as a picture: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())


def _drawn(random: np.random.Generator) -> UInt8[np.ndarray, "64 64 3"]:
    shade, tint = random.uniform(25.0, 50.0), random.uniform(8.0, 20.0)
    picture = random.uniform(60.0, 190.0, 3) + shade * _field(random)[..., None]
    picture += tint * np.stack([_field(random) for _ in range(3)], axis=-1)
    for _ in range(random.integers(2, 6)):
        mask = _ellipse(random)[..., None]
        picture = (1.0 - mask) * picture + mask * _painted(random)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _field(random: np.random.Generator) -> Float[np.ndarray, "64 64"]:
    """Noise of mean 0 and deviation 1 whose amplitude falls with one over the frequency."""
    across, down = np.fft.rfftfreq(SIDE), np.fft.fftfreq(SIDE)
    frequency = np.hypot(down[:, None], across)
    frequency[0, 0] = np.inf  # no mean
    noise = np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) / frequency, s=(SIDE, SIDE))
    return noise / noise.std()


def _turned(random: np.random.Generator) -> Float[np.ndarray, "2 64 64"]:
    """Coordinates of every pixel in a frame of random direction, its origin a random point of the picture."""
    angle, origin = random.uniform(0.0, np.pi), random.uniform(0.0, SIDE, 2)
    down, across = np.mgrid[:SIDE, :SIDE] - origin[:, None, None]
    return np.stack([np.cos(angle) * across + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * across])


def _ellipse(random: np.random.Generator) -> Float[np.ndarray, "64 64"]:
    """1 inside an ellipse, 0 outside, with an edge about two pixels wide."""
    radii = random.uniform(5.0, 22.0, 2)
    outside = np.hypot(*(_turned(random) / radii[:, None, None])) - 1.0
    return 1.0 / (1.0 + np.exp(np.clip(outside * radii.min(), -40.0, 40.0)))


def _painted(random: np.random.Generator) -> Float[np.ndarray, "64 64 3"]:
    """A colour everywhere, half of the time with the waves of a grating."""
    colour = np.broadcast_to(random.uniform(0.0, 255.0, 3), (SIDE, SIDE, 3))
    if random.random() < 0.5:
        return colour
    wave = np.sin(2.0 * np.pi * _turned(random)[0] / random.uniform(4.0, 16.0))
    return colour + random.uniform(20.0, 70.0) * wave[..., None]

"""Scenes as vector graphics: what a scene draws on its page, as shapes that a browser draws again at any moment.

The library's scenes are Matplotlib artists that are moved from moment to moment. Here each artist is read after it was moved:
lines and polygons as points, discs as a centre and a radius, texts as they are, and pictures (grids, simulators) as images. What
stays is kept once; of what moves only the changes are kept, and a line that grows keeps what was added.
"""

import base64
import io
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from PIL import Image

from spikeloop.analysis.page import Page, Picture
from spikeloop.analysis.recording import Recording
from spikeloop.analysis.scenes import make_scene
from spikeloop.analysis.style import apply_style
from spikeloop.environments import AbstractEnvironment

WIDTH, HEIGHT = 640, 240  # of a scene, pixels
PICTURE_BYTES = 3_000_000  # all pictures of an episode together; beyond it fewer moments have one of their own


def draw_scene(environment: AbstractEnvironment, recording: Recording) -> dict[str, Any]:
    """The shapes of every moment of an episode, ready for JSON.

    ``shapes`` has an entry for each artist, in drawing order: its ``kind``, how it looks, and ``frames``, one for each moment
    (a single one of what stays): None where nothing changed, else what did. ``images`` are the pictures that frames name.
    """
    with apply_style():
        page = Page(WIDTH, HEIGHT)
        scene = make_scene(environment, page, 0, HEIGHT, recording)
        scene.update(0)
        page.canvas.draw()  # texts and layouts settle
        moving = list(page._moving)
        still = [artist for artist in _artists(page) if not any(artist is other for other in moving)]
        images = _Images(recording.decisions + 1)
        shapes = [_Shape(artist, page, images) for artist in (*still, *moving)]
        for moment in range(recording.decisions + 1):
            scene.update(moment)
            images.moment = moment
            for shape in shapes[len(still) :] if moment else shapes:
                shape.see()
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "shapes": [shape.described() for shape in shapes if shape.kind],
        "images": images.uris,
        "every": images.every,
    }


def _artists(page: Page) -> list[Artist]:
    """Everything on the page, in drawing order."""
    found: list[Artist] = []
    for axes in page.figure.axes:
        children = [*axes.collections, *axes.patches, *axes.lines, *axes.texts]
        found += sorted(children, key=lambda artist: artist.get_zorder())
    return [*found, *(one for one in page.figure.artists if isinstance(one, Picture)), *page.figure.texts]


class _Images:
    """The pictures of an episode, each once."""

    def __init__(self, moments: int):
        self.moments, self.moment, self.every = moments, 0, 1
        self.uris: list[str] = []
        self.known: dict[bytes, int] = {}
        self.bytes = 0

    def place_of(self, pixels: np.ndarray) -> int | None:
        """The number of a picture; None where it is left out."""
        if self.moment % self.every:
            return None
        raw = pixels.tobytes()
        if raw not in self.known:
            self.known[raw] = len(self.uris)
            uri = _data_uri(pixels)
            self.uris.append(uri)
            self.bytes += len(uri)
            # Were all that are to come as large as those so far, they would not fit: fewer of them.
            left = (self.moments - self.moment) / self.every
            if self.bytes * (1 + left / len(self.uris)) > PICTURE_BYTES and self.bytes > 0.25 * PICTURE_BYTES:
                self.every *= 2
        return self.known[raw]


def _data_uri(pixels: np.ndarray) -> str:
    """A PNG where there are few colours, else a JPEG."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    few = image.getcolors(256)
    buffer = io.BytesIO()
    if few is not None:
        image.quantize(256).save(buffer, "PNG", optimize=True) if len(few) < 256 else image.save(buffer, "PNG")
        return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    image.convert("RGB").save(buffer, "JPEG", quality=72)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


class _Shape:
    """An artist and what was seen of it, moment by moment."""

    def __init__(self, artist: Artist, page: Page, images: _Images):
        self.artist, self.page, self.images = artist, page, images
        self.points = page.figure.dpi / 72  # pixels of a point
        self.frames: list[Any] = []
        self.last: dict[str, Any] = {}
        self.kind = next((kind for cls, kind in _KINDS.items() if isinstance(artist, cls)), "")

    def see(self) -> None:
        """Remember the artist as it is now."""
        if not self.kind:
            return
        now: dict[str, Any] = {"v": int(self.artist.get_visible())}
        if now["v"]:
            now |= getattr(self, f"_{self.kind}")()
        changed = {name: value for name, value in now.items() if self.last.get(name) != value}
        before, after = self.last.get("d"), now.get("d", [])
        if "d" in changed and before and after[: len(before)] == before:
            changed["a"] = changed.pop("d")[len(before) :]  # a line that grew
        self.last |= now
        self.frames.append(changed or None)

    def described(self) -> dict[str, Any]:
        """The shape with all of its frames."""
        while self.frames and self.frames[-1] is None:
            self.frames.pop()
        return {"kind": self.kind, "look": self._look(), "frames": self.frames}

    def _look(self) -> dict[str, Any]:
        artist: Any = self.artist  # Matplotlib's stubs know less than its artists
        if isinstance(self.artist, Line2D):
            look = {"stroke": to_hex(artist.get_color()), "width": artist.get_linewidth() * self.points}
            pattern = artist._unscaled_dash_pattern[1]
            if pattern:
                look["dash"] = [length * self.points for length in pattern]
            look["cap"] = "butt" if artist.get_solid_capstyle() == "butt" else "round"
            halo = [effect._gc for effect in artist.get_path_effects() or [] if hasattr(effect, "_gc")]
            if halo and "linewidth" in halo[0]:
                look["halo"] = halo[0]["linewidth"] * self.points
            return _rounded(look)
        if isinstance(self.artist, Patch):
            filled = artist.get_fill() and artist.get_facecolor()[3] > 0
            edged = artist.get_linewidth() > 0 and artist.get_edgecolor()[3] > 0
            look = {"fill": to_hex(artist.get_facecolor()) if filled else "none"}
            if edged:
                look |= {"stroke": to_hex(artist.get_edgecolor()), "width": artist.get_linewidth() * self.points}
            return _rounded(look)
        if isinstance(self.artist, PolyCollection):
            return {"fill": to_hex(artist.get_facecolor()[0])}
        if isinstance(self.artist, Text):
            return _rounded(
                {
                    "fill": to_hex(artist.get_color()),
                    "size": artist.get_fontsize() * self.points,
                    "anchor": {"left": "start", "center": "middle", "right": "end"}[artist.get_horizontalalignment()],
                    "base": artist.get_verticalalignment(),
                    "bold": int(artist.get_weight() in ("bold", "heavy")),
                }
            )
        return {}

    def _line(self):
        line: Any = self.artist
        return {"d": self._pixels(line.get_transform().transform(line.get_xydata()))}

    def _disc(self):
        circle: Any = self.artist
        transform = circle.get_transform()  # of the unit circle
        centre, edge = transform.transform([(0.0, 0.0), (1.0, 0.0)])
        radius = round(float(np.hypot(*(edge - centre))), 1)
        return {"d": self._pixels(centre[None]), "r": radius}

    def _polygon(self):
        patch: Any = self.artist
        outline: Outline = patch.get_path().transformed(patch.get_transform())
        polygons = outline.to_polygons(closed_only=False)
        return {"d": self._pixels(np.asarray(polygons[0])) if polygons else []}

    def _area(self):
        collection: Any = self.artist
        outline = collection.get_paths()[0].transformed(collection.get_transform())
        return {"d": self._pixels(np.asarray(outline.to_polygons()[0]))}

    def _text(self):
        text: Any = self.artist
        place = np.asarray(text.get_transform().transform([text.get_position()]))
        return {"d": self._pixels(place), "t": text.get_text()}

    def _picture(self):
        picture: Any = self.artist
        place = self.images.place_of(picture.pixels)
        if place is None:
            return {}
        tall, wide = picture.pixels.shape[:2]
        return {"d": [picture.left, HEIGHT - picture.top, wide, tall], "i": place}

    def _pixels(self, places: np.ndarray) -> list[float]:
        flipped = np.asarray(places, float) * (1, -1) + (0, HEIGHT)
        return [round(value, 1) for value in flipped[np.isfinite(flipped).all(axis=1)].ravel().tolist()]


_KINDS: dict[type, str] = {
    Line2D: "line",
    Circle: "disc",
    Patch: "polygon",
    PolyCollection: "area",
    Text: "text",
    Picture: "picture",
}


def _rounded(look: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in look.items()}

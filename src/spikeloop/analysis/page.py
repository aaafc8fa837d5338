"""The page that an animation is drawn on: a figure laid out in pixels, and redrawn without laying anything out again.

What never changes is drawn once and kept as a picture. A frame is that picture with the moving artists drawn over it,
which takes a few milliseconds where Matplotlib's own redrawing takes a hundred.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from spikeloop.analysis.style import INK, LABEL_SIZE, new_figure

_DPI = 100.0


class Picture(Artist):
    """RGBA pixels at a fixed place, copied as they are: Matplotlib's own images are resampled, ten times the cost."""

    def __init__(self, left: int, top: int, pixels: UInt8[np.ndarray, "height width 4"]):
        super().__init__()
        self.left, self.top, self.pixels = left, top, pixels  # `top` from the bottom of the page

    def set_pixels(self, pixels: UInt8[np.ndarray, "height width 4"]) -> None:
        """Show other pixels, of the same size."""
        self.pixels = pixels

    def draw(self, renderer):
        """Matplotlib's hook."""
        if self.get_visible():
            # Agg takes rows from the bottom up.
            renderer.draw_image(renderer.new_gc(), self.left, self.top - self.pixels.shape[0], self.pixels[::-1])


class Page:
    """A page of so many pixels. Positions are from the top left corner. Create and use it inside `apply_style`."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.figure = new_figure(width / _DPI, height / _DPI, _DPI)
        self.canvas = FigureCanvasAgg(self.figure)
        self._moving: list[Artist] = []
        self._background = None

    def axes(self, left: int, top: int, width: int, height: int, bare: bool = True) -> Axes:
        """Axes over a rectangle; without any axis lines if `bare`."""
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(box)
        axes.patch.set_visible(False)
        if bare:
            axes.set_axis_off()
        return axes

    def text(
        self, left: int | float, top: int | float, text: str = "", size: float = LABEL_SIZE, colour: str = INK, **how
    ) -> Text:
        """A text whose top left corner is there (or as `how` aligns it)."""
        how = {"va": "top", "ha": "left", **how}
        return self.figure.text(left / self.width, 1 - top / self.height, text, fontsize=size, color=colour, **how)

    def picture(self, left: int, top: int, pixels: UInt8[np.ndarray, "height width 4"]) -> "Picture":
        """An RGBA picture, pixel for pixel."""
        picture = Picture(left, self.height - top, pixels)
        self.figure.add_artist(picture)
        return picture

    def moving(self, artists: Sequence[Artist]) -> None:
        """These artists are drawn anew in every frame, in the order of the calls."""
        for artist in artists:
            artist.set_animated(True)
        self._moving += artists

    def frame(self) -> UInt8[np.ndarray, "height width 3"]:
        """The page as it stands now (RGB)."""
        if self._background is None:
            self.canvas.draw()
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._background)
        renderer = self.canvas.get_renderer()
        for artist in self._moving:
            artist.draw(renderer)
        return np.asarray(self.canvas.buffer_rgba())[..., :3].copy()

"""A picture with fewer pixels: its sizes, and the picture in each."""

from __future__ import annotations

from dataclasses import dataclass

import pyvips

from imaging.measures import Size

MOST_STEPS = 1000
"""Steps from nothing to the whole picture; a smaller one has a step for each pixel of its longer
side, so that no two are the same size."""

SMALLEST = 10
"""The part of its width and height that it has at least."""

PIXEL_EXPONENT = 0.7
"""By which power of its pixels the bytes of a picture grow, beside those around its pixels: a
smaller picture has more detail."""


@dataclass(frozen=True, slots=True)
class Fewer:
    """The sizes of a picture, each a step, which is a part of `steps`."""

    image: pyvips.Image
    """With a `page-height` an animation, whose frames all get smaller."""

    @property
    def steps(self) -> int:
        """The step of the whole picture."""
        return min(MOST_STEPS, int(max(self.image.width, self.image.get_page_height())))

    @property
    def smallest(self) -> int:
        return -(-self.steps // SMALLEST)

    def size(self, step: int) -> Size:
        """Of a frame."""
        return self._size(self.image, step)

    def shape(self, step: int) -> float:
        """How the bytes depend on the step."""
        size = self.size(step)
        return float((size.width * size.height) ** PIXEL_EXPONENT)

    def scaled(self, step: int, image: pyvips.Image | None = None) -> pyvips.Image:
        """The picture, or a part of it, with so many pixels, in memory."""
        image = self.image if image is None else image
        size = self._size(image, step)
        frames = [
            frame.thumbnail_image(size.width, height=size.height, size="force")
            for frame in _frames(image)
        ]
        return _joined(frames, size.height)

    def empty(self) -> pyvips.Image:
        """As good as nothing: one pixel of each frame."""
        return _joined([frame.crop(0, 0, 1, 1) for frame in _frames(self.image)], 1)

    def _size(self, image: pyvips.Image, step: int) -> Size:
        width, height = image.width, image.get_page_height()
        return Size(_rounded(width * step, self.steps), _rounded(height * step, self.steps))


def _rounded(number: int, by: int) -> int:
    return max(1, (2 * number + by) // (2 * by))


def _frames(image: pyvips.Image) -> list[pyvips.Image]:
    height = image.get_page_height()
    return [image.crop(0, top, image.width, height) for top in range(0, image.height, height)]


def _joined(frames: list[pyvips.Image], height: int) -> pyvips.Image:
    if len(frames) == 1:
        return frames[0].copy_memory()
    joined = pyvips.Image.arrayjoin(frames, across=1).copy_memory().copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", height)
    return joined

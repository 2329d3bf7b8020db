"""How a picture looks in few colours, beside the look of fewer pixels that are shown as large."""

from __future__ import annotations

import pyvips

from imaging import look
from imaging.codec import Reader
from imaging.source import as_still
from imaging.steps.background import flatten

SIDE = 512
"""Pixels of the longest side of the part that is looked at, the middle of the picture."""

LEAST_SIDE = 16
"""Pixels of the shorter side below which a look says nothing."""


class Shown:
    """A frame of a picture: the one in the middle, or the first where libvips gives no other."""

    def __init__(self, image: pyvips.Image, reader: Reader) -> None:
        """
        Args:
            image: in memory; with a `page-height` an animation.
            reader: of the files that are asked about.
        """
        assert reader.load is not None, "what is written in few colours is read by libvips"
        self._load = reader.load
        self._width, self._height = image.width, image.get_page_height()
        self._number = image.height // self._height // 2 if reader.pages else 0
        top = self._number * self._height
        self.frame = as_still(image.crop(0, top, self._width, self._height))
        self._reference = look.reference(self._part(self.frame))

    def look(self, data: bytes) -> float:
        """That of a file of the picture, or of its frame in fewer pixels."""
        image = self._load(data)
        if self._number:
            # Frames that are the same may be one.
            image = self._load(data, page=min(self._number, image.get_n_pages() - 1))
        if (image.width, image.height) != (self._width, self._height):
            image = _enlarged(flatten(image.colourspace("srgb")), self._width, self._height)
        return self._reference.score(self._part(image))

    def _part(self, image: pyvips.Image) -> pyvips.Image:
        """The middle of a frame, red, green and blue, on white."""
        width, height = min(SIDE, self._width), min(SIDE, self._height)
        left, top = (self._width - width) // 2, (self._height - height) // 2
        part = flatten(image.colourspace("srgb")).crop(left, top, width, height)
        return part.cast("uchar").copy_memory()


def _enlarged(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """The image, in so many pixels, as viewers show it: libvips's `thumbnail_image` would put it
    half a pixel to the right."""
    across, down = width / image.width, height / image.height
    return image.affine(
        (across, 0, 0, down),
        interpolate=pyvips.Interpolate.new("bicubic"),
        odx=(across - 1) / 2,
        ody=(down - 1) / 2,
        oarea=(0, 0, width, height),
        extend="copy",
    )

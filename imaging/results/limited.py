"""A picture in no more bytes than are allowed: at a lower quality, or in fewer colours, and then
with fewer pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from imaging.codec import Encoding, Writer
from imaging.codecs import READERS, WRITERS
from imaging.errors import TOO_MANY_BYTES, PictureError
from imaging.measures import Size
from imaging.options import Effort, Fit
from imaging.quality import NO_QUALITY
from imaging.results.shown import LEAST_SIDE, Shown
from imaging.steps.metadata import written
from imaging.target import Target
from imaging.write import fitting
from imaging.write.fitting import Found
from imaging.write.scale import between
from imaging.write.strips import strips

TRIES = 5
"""Files of the picture in its full size, the one at the quality that is asked for included."""

SMALLER_TRIES = 4
"""Files of the picture with fewer pixels."""

LARGE_PIXELS = 20_000_000
LARGE_TRIES, LARGE_SMALLER_TRIES = 3, 2
"""Above so many pixels a file may take 15 s, so these are the numbers, and the curve of the bytes
is that of a sample."""

SAMPLE_PIXELS = 500_000

SMALLER_QUALITY = 50
"""What a picture has that gets fewer pixels, or what is asked for if that is less: at the lowest
quality more pixels show nothing but blocks."""

WHOLE, SMALLEST = 1000, 100
"""Thousandths of width and height that it may have left."""

PIXEL_EXPONENT = 1.7
"""By which power of its sides the bytes of a picture grow: smaller ones have more detail."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A file that fits."""

    data: bytes
    size: Size
    """Of a frame."""
    quality: int | None
    """On the scale of `q`; None where the format has none, or is lossless."""


def limited(
    image: pyvips.Image,
    target: Target,
    limit: int,
    first: int,
    complete: Callable[[bytes], bytes],
) -> Limited:
    """The picture as `target` describes it, in at most `limit` bytes: at the highest quality that
    fits, and if none does and the target's `fit` allows it, with as many pixels as fit.

    Args:
        image: in memory, as it is to be written; with a `page-height` an animation, of which all
            frames count.
        first: bytes that it has at the quality of `target`, more than `limit`.
        complete: puts into a file what is written beside the encoder, which counts too.

    Raises:
        PictureError: if it is not possible; it says how small the picture gets.
    """
    return _Search(image, target, limit, complete).run(first)


class _Search:
    def __init__(
        self,
        image: pyvips.Image,
        target: Target,
        limit: int,
        complete: Callable[[bytes], bytes],
    ) -> None:
        self._image = image
        self._target = target
        self._limit = limit
        self._complete = complete
        self._writer = WRITERS[target.format]
        self._large = image.width * image.height > LARGE_PIXELS
        self._effort = _effort(self._writer, target, image)
        writes_worse = target.format.takes_q or self._writer.encode_limited is not None
        self._lossy = writes_worse and not target.options.lossless
        asked = target.quality if target.format.takes_q else NO_QUALITY
        self._highest = asked or self._writer.default_quality
        self._curve = [(each, math.log(size)) for each, size in self._writer.curve]

    def run(self, first: int) -> Limited:
        whole = Found(None, b"")
        quality, expected = self._target.quality, float(first)
        if self._lossy:
            shape = self._sampled() if self._large else self._usual
            whole = self._at_lower_quality(first, shape)
            sizes = {self._highest: float(first)}
            if whole.data:
                sizes[whole.setting or self._floor] = float(len(whole.data))
            quality = min(SMALLER_QUALITY, self._highest)
            expected = fitting.expected(sizes, shape, quality)
        if whole.setting is not None:
            return self._smaller_if_better(whole, quality, expected) or self._whole(whole)
        smallest = min(first, len(whole.data)) if whole.data else first
        if not self._may_shrink:
            raise self._refusal(smallest, "")
        found = self._with_fewer_pixels(quality, expected)
        if found.setting is None and self._lossy and self._writer.spoils_colours:
            quality = self._floor
            found = self._with_fewer_pixels(quality, float(smallest))
        if found.setting is None:
            raise self._refusal(len(found.data), " with a tenth of its width and height")
        return self._smaller(found, quality)

    def _smaller_if_better(self, whole: Found, quality: int, expected: float) -> Limited | None:
        """The picture with fewer pixels, if its colours are spoilt by what fits, and that looks
        worse.

        Args:
            whole: what fits.
            quality: that of the picture with fewer pixels.
            expected: bytes of the whole picture at this quality.
        """
        frame = min(self._image.width, self._image.get_page_height())
        if not self._writer.spoils_colours or not self._may_shrink or frame < LEAST_SIDE:
            return None
        shown = Shown(self._image, READERS[self._target.format.media_type])
        look = shown.look(whole.data)
        # One frame in about as many pixels as fit tells whether all of them are worth their time.
        scale = min(1.0, (fitting.AIM * self._limit / expected) ** (1 / PIXEL_EXPONENT))
        fewer = _scaled(shown.frame, max(SMALLEST, int(WHOLE * scale)))
        if shown.look(self._write(fewer, quality)) <= look:
            return None
        found = self._with_fewer_pixels(quality, expected)
        if found.setting is None or shown.look(found.data) <= look:
            return None
        return self._smaller(found, quality)

    def _with_fewer_pixels(self, quality: int, expected: float) -> Found:
        """The file of as many thousandths of width and height as fit.

        Args:
            expected: bytes of all pixels at this quality.
        """
        return fitting.largest(
            lambda scale: self._write(_scaled(self._image, scale), quality),
            self._limit,
            low=SMALLEST,
            high=WHOLE - 1,
            shape=lambda scale: (scale / WHOLE) ** PIXEL_EXPONENT,
            known={WHOLE: expected},
            is_estimate=True,
            tries=LARGE_SMALLER_TRIES if self._large else SMALLER_TRIES,
        )

    def _whole(self, found: Found) -> Limited:
        """The picture with all of its pixels; what was found is a quality."""
        size = Size(self._image.width, self._image.get_page_height())
        return Limited(found.data, size, self._told(found.setting))

    def _smaller(self, found: Found, quality: int) -> Limited:
        """The picture with fewer pixels; what was found is how many thousandths of its sides."""
        assert found.setting is not None, "what has fewer pixels fits"
        size = _scaled_size(self._image, found.setting)
        return Limited(found.data, size, self._told(quality))

    def _told(self, quality: int | None) -> int | None:
        """The quality, if it is one on the scale of `q`."""
        return quality if self._lossy and self._target.format.takes_q else None

    @property
    def _may_shrink(self) -> bool:
        """Whether fewer pixels break no promise."""
        return self._target.options.fit is Fit.INSIDE

    @property
    def _floor(self) -> int:
        """The lowest quality that is tried."""
        return min(self._writer.lowest_quality, self._highest)

    def _at_lower_quality(self, first: int, shape: fitting.Shape) -> Found:
        """The whole picture at the highest quality that fits.

        Args:
            first: bytes at the quality that is asked for.
            shape: how the bytes depend on the quality.
        """
        if self._floor == self._highest:
            return Found(None, b"")
        return fitting.largest(
            lambda quality: self._write(self._image, quality),
            self._limit,
            low=self._floor,
            high=self._highest - 1,
            shape=shape,
            known={self._highest: first},
            tries=(LARGE_TRIES if self._large else TRIES) - 1,
        )

    def _sampled(self) -> fitting.Shape:
        """The curve of a sample's bytes."""
        sample = strips(self._image, SAMPLE_PIXELS).copy_memory()
        qualities = sorted({self._floor, (self._floor + self._highest) // 2, self._highest})
        sizes = {each: float(len(self._write(sample, each))) for each in qualities}
        return lambda quality: fitting.expected(sizes, self._usual, quality)

    def _usual(self, quality: int) -> float:
        """The curve of the writer, between its points."""
        return math.exp(between(self._curve, quality))

    def _write(self, image: pyvips.Image, quality: int) -> bytes:
        encode = self._writer.encode_limited or self._writer.encode
        if not self._lossy:
            encode = self._writer.encode
        options = self._target.options
        wanted = Encoding(quality, self._effort, options.lossless, written(image, options))
        return self._complete(encode(image, wanted))

    def _refusal(self, smallest: int, how: str) -> PictureError:
        advice = "" if how else ": ask for a smaller width or height"
        return PictureError(
            f"the picture has at least {smallest} bytes as {self._target.format}{how}, more than "
            f"the {self._limit} of max_bytes{advice}",
            TOO_MANY_BYTES,
        )


def _effort(writer: Writer, target: Target, image: pyvips.Image) -> Effort:
    """The effort of each of several files: no more than what they are made at in time."""
    pixels = image.width * image.height
    most = next((effort for least, effort in writer.searched if pixels <= least), Effort.FAST)
    order = tuple(Effort)
    return min(target.effort, most, key=order.index)


def _scaled_size(image: pyvips.Image, scale: int) -> Size:
    """Width and height of a frame with so many thousandths of each."""
    width, height = image.width, image.get_page_height()
    return Size(max(1, width * scale // WHOLE), max(1, height * scale // WHOLE))


def _scaled(image: pyvips.Image, scale: int) -> pyvips.Image:
    """The image, each of its frames made smaller, in memory."""
    size, height = _scaled_size(image, scale), image.get_page_height()
    frames = [
        image.crop(0, top, image.width, height).thumbnail_image(
            size.width, height=size.height, size="force"
        )
        for top in range(0, image.height, height)
    ]
    if len(frames) == 1:
        return frames[0].copy_memory()
    joined = pyvips.Image.arrayjoin(frames, across=1).copy_memory().copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", size.height)
    return joined

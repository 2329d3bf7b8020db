"""A picture in no more bytes than are allowed: at a lower quality, or in fewer colours, and then
with fewer pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyvips

from imaging.codec import NO_METADATA, Encoding, Writer
from imaging.codecs import READERS, WRITERS
from imaging.errors import TOO_MANY_BYTES, PictureError
from imaging.measures import Size
from imaging.options import Effort, Fit
from imaging.quality import NO_QUALITY
from imaging.results.fewer import Fewer
from imaging.results.sampled import Sample
from imaging.results.shown import LEAST_SIDE, Shown
from imaging.steps.metadata import written
from imaging.target import Target
from imaging.write import chroma, fitting
from imaging.write.fitting import Found
from imaging.write.scale import between
from imaging.write.strips import strips

TRIES = 5
"""Files of the picture in its full size, the one at the quality that is asked for included."""

SMALLER_TRIES = 4
"""Files of the picture with fewer pixels, beside one of a single pixel."""

LARGE_PIXELS = 20_000_000
LARGE_TRIES, LARGE_SMALLER_TRIES = 3, 2
"""Above so many pixels a file may take 15 s, so these are the numbers, and the curve of the bytes
is that of a sample."""

SAMPLE_PIXELS = 500_000

SMALLER_QUALITY = 50
"""What a picture has that gets fewer pixels, or what is asked for if that is less: at the lowest
quality more pixels show nothing but blocks."""

GUESSED_PIXELS, GUESSED_SHARE = 500_000, 16
"""Pixels of the smallest still whose few colours are guessed by a sample, and the part of it that
this is: a file of all takes a second for some megapixels."""

FEW = 16
"""So few settings are not guessed: their usual curve tells as much."""

CLEARLY = (1.5, 15.0)
"""SSIMULACRA2 by which few colours and fewer pixels are to be apart for one file of each to tell
which is better, and for how many times, as a logarithm, the one has the bytes of the other. Else
both are searched to their end."""


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
        self._fewer = Fewer(image)
        writes_worse = target.format.takes_q or self._writer.encode_limited is not None
        self._lossy = writes_worse and not target.options.lossless
        asked = target.quality if target.format.takes_q else NO_QUALITY
        self._highest = asked or self._writer.default_quality
        self._curve = [(each, math.log(size)) for each, size in self._writer.curve]

    def run(self, first: int) -> Limited:
        quality = min(SMALLER_QUALITY, self._highest) if self._lossy else self._target.quality
        smallest, expected = first, float(first)
        if self._lossy and self._floor < self._highest:
            whole = self._whole_search(first)
            if self._may_look:
                found = self._whole_or_smaller(whole, quality)
            else:
                found = self._whole(whole.run())
            if found is not None:
                return found
            smallest = min(first, len(whole.found.data))
            expected = whole.expected(quality)
        if not self._may_shrink:
            raise self._refusal(smallest, "")
        smaller = self._smaller_search(quality, expected).run()
        if smaller.setting is None and self._lossy and self._writer.spoils_colours:
            quality = self._floor
            smaller = self._smaller_search(quality, float(smallest)).run()
        if smaller.setting is None:
            least = len(smaller.data) or smallest
            raise self._refusal(least, " with a tenth of its width and height")
        return self._smaller(smaller, quality)

    def _whole_or_smaller(self, whole: fitting.Search, quality: int) -> Limited | None:
        """The picture in few colours, or with fewer pixels where that looks better; None if its
        fewest colours do not fit.

        A file about as large as the limit tells, if the looks are clearly apart; only the better
        way is then searched to its end.

        Args:
            whole: the search for the colours, which has not begun.
            quality: that of the picture with fewer pixels.
        """
        whole.run(roughly=True)
        if whole.near is None:
            return None
        shown = Shown(self._image, READERS[self._target.format.media_type])
        look = shown.look(whole.near)
        smaller = self._smaller_search(quality, whole.expected(quality))
        if self._image.height > self._image.get_page_height():
            # One frame in about as many pixels as fit tells whether all of them are worth their
            # time.
            frame = self._fewer.scaled(smaller.next(), shown.frame)
            if shown.look(self._write(frame, quality)) <= look:
                return self._whole(whole.run())
        smaller.run(roughly=True)
        if smaller.near is None:
            return self._whole(whole.run())
        gained = shown.look(smaller.near) - look
        least, more = CLEARLY
        clearly = least + more * abs(math.log(len(whole.near) / len(smaller.near)))
        if gained <= clearly:
            whole.run()
        if gained >= -clearly:
            smaller.run()
        if abs(gained) <= clearly and whole.found.setting and smaller.found.setting:
            gained = shown.look(smaller.found.data) - shown.look(whole.found.data)
        if gained > 0 and smaller.found.setting is not None:
            return self._smaller(smaller.found, quality)
        return self._whole(whole.run())

    def _whole_search(self, first: int) -> fitting.Search:
        """The search for the highest quality of the whole picture.

        Args:
            first: bytes at the quality that is asked for.
        """
        shape: fitting.Shape = self._usual
        sizes, is_estimate = {self._highest: float(first)}, False
        if self._sample is not None:
            image = self._sample.image
            tried = self._sample.searched(
                lambda setting: self._encode(image, *self._quality(setting)),
                self._limit,
                sizes,
                low=self._lowest,
                high=self._highest - 1,
                shape=shape,
            )
            shape, sizes, is_estimate = tried.expected, self._sample.of_whole(tried), True
        elif self._large:
            shape = self._sampled()
        return fitting.Search(
            lambda setting: self._write(self._image, *self._quality(setting)),
            self._limit,
            low=self._lowest,
            high=self._highest - 1,
            shape=shape,
            known=sizes,
            around=self._around,
            is_estimate=is_estimate,
            tries=(LARGE_TRIES if self._large else TRIES) - 1,
        )

    def _smaller_search(self, quality: int, expected: float) -> fitting.Search:
        """The search for the most pixels.

        Args:
            expected: bytes of all pixels at this quality.
        """
        fewer, whole_chroma = self._fewer, self._smaller_has_whole_chroma
        sizes = {fewer.steps: expected}
        if self._sample is not None:
            image = self._sample.image
            tried = self._sample.searched(
                lambda step: self._encode(fewer.scaled(step, image), quality),
                self._limit,
                sizes,
                low=fewer.smallest,
                high=fewer.steps - 1,
                shape=fewer.shape,
            )
            sizes = self._sample.of_whole(tried)
        return fitting.Search(
            lambda step: self._write(fewer.scaled(step), quality, whole_chroma),
            self._limit,
            low=fewer.smallest,
            high=fewer.steps - 1,
            shape=fewer.shape,
            known=sizes,
            around=self._around,
            is_estimate=True,
            tries=LARGE_SMALLER_TRIES if self._large else SMALLER_TRIES,
        )

    @cached_property
    def _sample(self) -> Sample | None:
        """The sample of a large still that gets few colours or fewer pixels; else None."""
        image, pixels = self._image, self._image.width * self._image.height
        is_still = image.height == image.get_page_height()
        has_few = self._highest - self._floor < FEW
        if not self._may_look or not is_still or has_few or pixels < GUESSED_PIXELS:
            return None
        return Sample(image, min(SAMPLE_PIXELS, pixels // GUESSED_SHARE), self._around)

    @cached_property
    def _around(self) -> int:
        """Bytes that are not of the pixels."""
        return len(self._write(self._fewer.empty(), self._floor))

    def _whole(self, found: Found) -> Limited | None:
        """The picture with all of its pixels, if a quality was found."""
        if found.setting is None:
            return None
        size = Size(self._image.width, self._image.get_page_height())
        return Limited(found.data, size, self._told(self._quality(found.setting)[0]))

    def _smaller(self, found: Found, quality: int) -> Limited:
        """The picture with fewer pixels; a step was found."""
        assert found.setting is not None, "what has fewer pixels fits"
        return Limited(found.data, self._fewer.size(found.setting), self._told(quality))

    def _told(self, quality: int | None) -> int | None:
        """The quality, if it is one on the scale of `q`."""
        return quality if self._lossy and self._target.format.takes_q else None

    @property
    def _may_shrink(self) -> bool:
        """Whether fewer pixels break no promise."""
        return self._target.options.fit is Fit.INSIDE

    @property
    def _may_look(self) -> bool:
        """Whether few colours may be held against fewer pixels."""
        frame = min(self._image.width, self._image.get_page_height())
        return self._writer.spoils_colours and self._may_shrink and frame >= LEAST_SIDE

    @property
    def _floor(self) -> int:
        """The lowest quality that is tried."""
        return min(self._writer.lowest_quality, self._highest)

    @cached_property
    def _fine_chroma(self) -> tuple[int, int] | None:
        """That of the writer, if the picture's chroma is fine, and its quality is one that was
        found for whole chroma."""
        is_sought = self._lossy and self._target.options.q is not None
        fine = self._writer.fine_chroma if is_sought else None
        return fine if fine and chroma.is_fine(self._image) else None

    @property
    def _lowest(self) -> int:
        """The lowest setting of the whole picture."""
        return self._floor - (self._fine_chroma[1] if self._fine_chroma else 0)

    def _quality(self, setting: int) -> tuple[int, bool]:
        """The quality of a setting of the whole picture, and whether its chroma is whole: up to
        where whole chroma begins it is halved, and the quality a higher one."""
        if self._fine_chroma is None:
            return setting, False
        first, higher = self._fine_chroma
        return (setting, True) if setting >= first else (setting + higher, False)

    @property
    def _smaller_has_whole_chroma(self) -> bool:
        """Whether whole chroma looks better with fewer pixels: where it does at any quality."""
        return self._fine_chroma is not None and self._fine_chroma[0] <= self._floor

    def _sampled(self) -> fitting.Shape:
        """The curve of a sample's bytes."""
        sample = strips(self._image, SAMPLE_PIXELS).copy_memory()
        qualities = sorted({self._lowest, (self._floor + self._highest) // 2, self._highest})
        sizes = {each: float(len(self._write(sample, *self._quality(each)))) for each in qualities}
        return lambda quality: fitting.expected(sizes, self._usual, quality)

    def _usual(self, setting: int) -> float:
        """The curve of the writer, between its points."""
        quality, is_whole = self._quality(setting)
        size = math.exp(between(self._curve, quality))
        if self._fine_chroma is None or is_whole:
            return size
        first, higher = self._fine_chroma
        return size * self._usual(first) / math.exp(between(self._curve, first + higher))

    def _write(self, image: pyvips.Image, quality: int, whole_chroma: bool = False) -> bytes:
        """The file, as it is to be."""
        keep = written(image, self._target.options)
        return self._complete(self._encode(image, quality, whole_chroma, keep))

    def _encode(
        self,
        image: pyvips.Image,
        quality: int,
        whole_chroma: bool = False,
        keep: int = NO_METADATA,
    ) -> bytes:
        encode = (self._lossy and self._writer.encode_limited) or self._writer.encode
        lossless = self._target.options.lossless
        return encode(image, Encoding(quality, self._effort, lossless, keep, whole_chroma))

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

"""A picture in no more bytes than are allowed: at a lower quality, or in fewer colours, and then
with fewer pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyvips

from imaging.codecs import READERS, WRITERS
from imaging.errors import TOO_MANY_BYTES, PictureError
from imaging.measures import Size
from imaging.options import Fit
from imaging.results.fewer import Fewer
from imaging.results.ladder import Ladder
from imaging.results.sampled import Sample
from imaging.results.shown import LEAST_SIDE, Shown
from imaging.target import Target
from imaging.write import fitting
from imaging.write.fitting import Found
from imaging.write.strips import strips

TRIES = 5
"""Files of the picture in its full size, the one at the quality that is asked for included."""

SMALLER_TRIES = 4
"""Files of the picture with fewer pixels, beside one of a single pixel."""

FINER_TRIES, FINER_PIXELS = 4, 2_500_000
"""Files above the quality that is asked for, and pixels of the largest picture that has any: for a
larger one each takes seconds."""

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
        self._spoils_colours = WRITERS[target.format].spoils_colours
        self._large = image.width * image.height > LARGE_PIXELS
        self._ladder = Ladder(image, target, complete)
        self._fewer = Fewer(image)

    def run(self, first: int) -> Limited:
        ladder, quality = self._ladder, self._target.quality
        if ladder.is_lossy:
            quality = min(SMALLER_QUALITY, ladder.highest)
        smallest, expected = first, float(first)
        if ladder.is_lossy and ladder.floor < ladder.highest:
            whole = self._whole_search(first)
            if self._may_look:
                found = self._whole_or_smaller(whole, quality, first)
            else:
                found = self._whole(whole, first)
            if found is not None:
                return found
            smallest = min(first, len(whole.found.data))
            expected = whole.expected(quality)
        if not self._may_shrink:
            raise self._refusal(smallest, "")
        smaller = self._smaller_search(quality, expected).run()
        if smaller.setting is None and ladder.is_lossy and self._spoils_colours:
            quality = ladder.floor
            smaller = self._smaller_search(quality, float(smallest)).run()
        if smaller.setting is None:
            least = len(smaller.data) or smallest
            raise self._refusal(least, " with a tenth of its width and height")
        return self._smaller(smaller, quality)

    def _whole_or_smaller(self, whole: fitting.Search, quality: int, first: int) -> Limited | None:
        """The picture in few colours, or with fewer pixels where that looks better; None if its
        fewest colours do not fit.

        A file about as large as the limit tells, if the looks are clearly apart; only the better
        way is then searched to its end.

        Args:
            whole: the search for the colours, which has not begun.
            quality: that of the picture with fewer pixels.
            first: bytes of the picture without a limit.
        """
        whole.run(roughly=True)
        if whole.near is None:
            return None
        smaller = self._smaller_search(quality, whole.expected(quality))
        whole = self._finer(whole, first) or whole
        assert whole.near is not None, "what is finer has a file that fits"
        shown = Shown(self._image, READERS[self._target.format.media_type])
        look = shown.look(whole.near)
        if self._image.height > self._image.get_page_height():
            # One frame in about as many pixels as fit tells whether all of them are worth their
            # time.
            frame = self._fewer.scaled(smaller.next(), shown.frame)
            if shown.look(self._ladder.write(frame, quality)) <= look:
                return self._whole(whole, first)
        smaller.run(roughly=True)
        if smaller.near is None:
            return self._whole(whole, first)
        gained = shown.look(smaller.near) - look
        least, more = CLEARLY
        clearly = least + more * abs(math.log(len(whole.near) / len(smaller.near)))
        are_alike = abs(gained) <= clearly
        if are_alike or not (smaller if gained > 0 else whole).run().setting:
            whole.run()
            smaller.run()
        elif not (smaller if gained > 0 else whole).fills:
            # The file that was looked at did not fit, and what does may look far worse.
            (whole if gained > 0 else smaller).run()
            are_alike = True
        if are_alike and whole.found.setting and smaller.found.setting:
            gained = shown.look(smaller.found.data) - shown.look(whole.found.data)
        if gained > 0 and smaller.found.setting is not None:
            return self._smaller(smaller.found, quality)
        return self._whole(whole, first)

    def _whole_search(self, first: int) -> fitting.Search:
        """The search for the highest quality of the whole picture.

        Args:
            first: bytes at the quality that is asked for.
        """
        ladder = self._ladder
        shape: fitting.Shape = ladder.usual
        sizes, is_estimate = {ladder.highest: float(first)}, False
        if self._sample is not None:
            image = self._sample.image
            tried = self._sample.searched(
                lambda setting: ladder.encode(image, *ladder.quality(setting)),
                self._limit,
                sizes,
                low=ladder.lowest,
                high=ladder.highest - 1,
                shape=shape,
            )
            shape, sizes, is_estimate = tried.expected, self._sample.of_whole(tried), True
        elif self._large:
            shape = self._sampled()
        return fitting.Search(
            lambda setting: ladder.write(self._image, *ladder.quality(setting)),
            self._limit,
            low=ladder.lowest,
            high=ladder.highest - 1,
            shape=shape,
            known=sizes,
            around=self._around,
            is_estimate=is_estimate,
            tries=(LARGE_TRIES if self._large else TRIES) - 1,
        )

    def _finer(self, whole: fitting.Search, first: int) -> fitting.Search | None:
        """The search above the quality that is asked for, if anything larger that fits was found
        there: a smooth picture has more colours than that takes.

        Args:
            whole: the search below it.
            first: bytes of the picture without a limit.
        """
        ladder, found = self._ladder, whole.found
        if found.setting is None or not found.setting < ladder.highest <= ladder.finest:
            return None
        if self._image.width * self._image.height > FINER_PIXELS:
            return None
        if whole.fills and whole.expected(ladder.highest - 1) >= fitting.CLOSE * self._limit:
            return None
        finest = ladder.finest
        finer = fitting.Search(
            lambda setting: ladder.write(self._image, setting),
            self._limit,
            low=ladder.highest,
            high=finest,
            # The error falls about as what is missing of the finest.
            shape=lambda setting: 1 / (finest + 1 - setting),
            known={found.setting: float(len(found.data)), finest: float(first)},
            around=self._around,
            tries=FINER_TRIES,
        )
        more = finer.run()
        has_more = more.setting is not None and len(more.data) > len(found.data)
        return finer if has_more else None

    def _smaller_search(self, quality: int, expected: float) -> fitting.Search:
        """The search for the most pixels.

        Args:
            expected: bytes of all pixels at this quality.
        """
        ladder, fewer = self._ladder, self._fewer
        sizes = {fewer.steps: expected}
        if self._sample is not None:
            image = self._sample.image
            tried = self._sample.searched(
                lambda step: ladder.encode(fewer.scaled(step, image), quality),
                self._limit,
                sizes,
                low=fewer.smallest,
                high=fewer.steps - 1,
                shape=fewer.shape,
            )
            sizes = self._sample.of_whole(tried)
        return fitting.Search(
            lambda step: ladder.write(fewer.scaled(step), quality, ladder.smaller_has_whole_chroma),
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
        has_few = self._ladder.highest - self._ladder.floor < FEW
        if not self._may_look or not is_still or has_few or pixels < GUESSED_PIXELS:
            return None
        return Sample(image, min(SAMPLE_PIXELS, pixels // GUESSED_SHARE), self._around)

    @cached_property
    def _around(self) -> int:
        """Bytes that are not of the pixels."""
        return len(self._ladder.write(self._fewer.empty(), self._ladder.floor))

    def _whole(self, search: fitting.Search, first: int) -> Limited | None:
        """The picture with all of its pixels, if a quality was found.

        Args:
            first: bytes of the picture without a limit.
        """
        search.run()
        found = (self._finer(search, first) or search).found
        if found.setting is None:
            return None
        size = Size(self._image.width, self._image.get_page_height())
        quality, _ = self._ladder.quality(found.setting)
        return Limited(found.data, size, self._ladder.told(quality))

    def _smaller(self, found: Found, quality: int) -> Limited:
        """The picture with fewer pixels; a step was found."""
        assert found.setting is not None, "what has fewer pixels fits"
        return Limited(found.data, self._fewer.size(found.setting), self._ladder.told(quality))

    @property
    def _may_shrink(self) -> bool:
        """Whether fewer pixels break no promise."""
        return self._target.options.fit is Fit.INSIDE

    @property
    def _may_look(self) -> bool:
        """Whether few colours may be held against fewer pixels."""
        frame = min(self._image.width, self._image.get_page_height())
        return self._spoils_colours and self._may_shrink and frame >= LEAST_SIDE

    def _sampled(self) -> fitting.Shape:
        """The curve of a sample's bytes."""
        ladder, sample = self._ladder, strips(self._image, SAMPLE_PIXELS).copy_memory()
        settings = sorted({ladder.lowest, (ladder.floor + ladder.highest) // 2, ladder.highest})
        sizes = {each: float(len(ladder.write(sample, *ladder.quality(each)))) for each in settings}
        return lambda setting: fitting.expected(sizes, ladder.usual, setting)

    def _refusal(self, smallest: int, how: str) -> PictureError:
        advice = "" if how else ": ask for a smaller width or height"
        return PictureError(
            f"the picture has at least {smallest} bytes as {self._target.format}{how}, more than "
            f"the {self._limit} of max_bytes{advice}",
            TOO_MANY_BYTES,
        )

"""A palette of at most 256 colours, by libvips's own quantiser, and whether a picture can do with
one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import ceil, sqrt
from typing import cast

import pyvips
from PIL import Image

from imaging.colour.icc import has_grey_profile
from imaging.options import Effort
from imaging.source import pixels
from imaging.write.banding import SIZE, banding, without_banding, without_far_colours
from imaging.write.loss import largest_error, mean_square, weighed
from imaging.write.scale import along, within
from imaging.write.strips import Picture, to_vips

DEFAULT = 85
"""The upper end of `pngquant --quality=65-85`, which the older server used."""

WORST_BELOW = 20
"""How far the quality may fall below the one asked for before there is no palette: 85 - 65."""

QUANTISER_SCALE = ((1, 1), (85, 76), (100, 100))
"""libvips's quality whose look is that of pngquant at the one asked for, by SSIMULACRA2."""

QUANTISER_EFFORTS = {
    Effort.FAST: ((10e6, 5), (50e6, 3)),
    Effort.BALANCED: ((10e6, 6), (25e6, 5), (50e6, 3)),
    Effort.SMALL: ((4e6, 10), (10e6, 7), (25e6, 5), (50e6, 3)),
}
"""libvips's effort (11 less libimagequant's speed) up to so many pixels: a larger picture gets less
for each of them, or it would not be done within `limits.conversion_timeout`. From 6 on it dithers
by a map of the edges, which is most of what can be seen of a higher effort."""

DITHER = 0.6
"""Less noise than all of it, for fewer bytes at equal SSIMULACRA2."""

TRIED_PIXELS = 6_000_000
"""Pixels of the largest picture of which several palettes are tried: one of a larger picture takes
two seconds and more."""

CALMER = (DITHER / 2, 0.0)
"""What is tried where that gives pixels a far colour."""

AREA = 4
AREA_ERROR = 1e-5
"""Side in pixels of the areas, and the mean square error of their colours (as `mean_square` has
it), up to which a palette is not dithered. Above it a gradient becomes steps: of the drawings that
were measured SSIMULACRA2 was 0 to 5 less below it, and 4 to 20 above."""

PLAIN_BELOW = 10
"""The quality below which a palette that has to be small is not dithered: a fifth to a third fewer
bytes. At 1 it has some 16 colours."""

EXACT_COLOURS = 32
"""A picture of no more colours keeps each of them."""

SAMPLE_PIXELS = 16_384
"""Pixels of the sample on which the loss of a palette is measured."""


@dataclass(frozen=True)
class Colours:
    """The colours of a picture, and the palette that it can have at a quality."""

    picture: Picture
    """In memory, as it is read more than once; sRGB or grey."""
    quality: int
    """1 to 100, pngquant's largest; 0 for the default."""
    keep: int
    """What of the image's metadata is written."""
    _small: dict[tuple[int, Effort], pyvips.Image] = field(default_factory=dict, repr=False)
    """What `_undithered` has made of a small picture."""

    @cached_property
    def image(self) -> pyvips.Image:
        """The pixels, as libvips has them."""
        return to_vips(self.picture) if isinstance(self.picture, Image.Image) else self.picture

    @cached_property
    def count(self) -> int | None:
        """How many there are, or None if they are more than a palette holds."""
        return _count(self.small if self.is_small else _as_pillow(self.picture))

    @cached_property
    def small(self) -> Image.Image:
        """The pixels of a small picture, as Pillow has them."""
        return _as_pillow(self.picture)

    @cached_property
    def is_small(self) -> bool:
        """Whether what is known of it may be kept, and measured on all of its pixels."""
        return bool(self.picture.width * self.picture.height <= SAMPLE_PIXELS)

    @cached_property
    def suffices(self) -> bool:
        """Whether the picture gets a palette of fewer colours than it has."""
        return not self._stay and palette_is_enough(self.image, self._worst)

    @cached_property
    def drawn_suffices(self) -> bool:
        """As `suffices`; of a small picture that `drawn` is asked for next, it takes less time."""
        if self.is_small and not self._stay and 0 < self._worst <= DEFAULT - WORST_BELOW:
            # One that `drawn` may take: if it is good enough, the best one is.
            tried = self._undithered(self._worst, Effort.BALANCED)
            if mean_square(self._seen - weighed(tried)) <= largest_error(self._worst):
                return True
        return self.suffices

    @property
    def _stay(self) -> bool:
        """Whether the colours stay as they are, whatever a palette would lose."""
        few = self.count is not None and self.count <= EXACT_COLOURS
        return few or has_grey_profile(self.image)

    @property
    def _worst(self) -> int:
        return (self.quality or DEFAULT) - WORST_BELOW

    def quantised(self, effort: Effort, compression: int = 1) -> bytes | None:
        """The picture with a palette, as a PNG; None if it would show bands.

        Args:
            effort: how long the quantiser searches.
            compression: zlib's level.
        """

        def dithered(dither: float) -> Callable[[int], bytes]:
            return lambda number: self._quantised(number, effort, dither, compression)

        tries_less = self._dither and not self._is_large
        return without_banding(
            self.image,
            along(QUANTISER_SCALE, self.quality or DEFAULT),
            dithered(self._dither),
            at_once=not self._dither or self._is_large,
            allowed=allowed_banding(self.quality),
            usual=along(QUANTISER_SCALE, DEFAULT),
            calmer=[dithered(each) for each in CALMER] if tries_less else (),
        )

    def reduced(self, effort: Effort, compression: int, *, plain: bool) -> bytes:
        """As `quantised`, of as few colours as its quality allows, whatever is seen of that.

        Args:
            plain: whether it is not dithered, however many colours there are.
        """
        number = along(QUANTISER_SCALE, self.quality or DEFAULT)
        dither = 0.0 if plain else self._dither
        if not dither or self._is_large:
            return self._quantised(number, effort, dither, compression)
        return without_far_colours(
            self.image,
            self._quantised(number, effort, dither, compression),
            [partial(self._quantised, number, effort, each, compression) for each in CALMER],
        )

    @property
    def _is_large(self) -> bool:
        return bool(self.picture.width * self.picture.height > TRIED_PIXELS)

    @property
    def _dither(self) -> float:
        few = self.count is not None and self.image.bands > 2
        return 0.0 if few else DITHER

    def drawn(self, effort: Effort) -> pyvips.Image | None:
        """The picture with the fewest colours that its quality allows, and without dithering, if
        its areas keep their colours then; else as `shown` has it.

        Noise and colours that are not needed take bytes where nothing but edges is smooth.
        """
        quality = self.quality or DEFAULT
        if quality <= DEFAULT:
            for each in (max(1, quality - WORST_BELOW), quality):
                image = self._undithered(each, effort)
                is_near = mean_square(self._seen - weighed(image), AREA) <= AREA_ERROR
                # Of a small picture a second look would take longer than its file.
                if is_near and (
                    self.is_small or banding(self.image, image) <= allowed_banding(self.quality)
                ):
                    return image
        return self.shown(effort)

    def shown(self, effort: Effort) -> pyvips.Image | None:
        """As `quantised`, decoded."""
        data = self.quantised(effort)
        return None if data is None else pyvips.Image.pngload_buffer(data).copy_memory()

    def _undithered(self, quality: int, effort: Effort) -> pyvips.Image:
        """The picture with the palette of this quality."""
        key = (quality, effort)
        if key in self._small:
            return self._small[key]
        data = self._quantised(along(QUANTISER_SCALE, quality), effort, 0.0, 1)
        image = pyvips.Image.pngload_buffer(data).copy_memory()
        if self.is_small:
            self._small[key] = image
        return image

    @cached_property
    def _seen(self) -> pyvips.Image:
        seen = weighed(self.image)
        return seen.copy_memory() if self.is_small else seen

    def _quantised(self, number: int, effort: Effort, dither: float, compression: int) -> bytes:
        """At a quality of libvips's scale."""
        data = self.image.pngsave_buffer(
            palette=True,
            Q=number,
            effort=within(QUANTISER_EFFORTS[effort], self.image.width * self.image.height),
            dither=dither,
            compression=compression,
            keep=self.keep,
        )
        return cast(bytes, data)


def count_colours(image: pyvips.Image) -> int | None:
    """How many colours the image has, or None if they are more than a palette holds."""
    return _count(to_pillow(image))


def to_pillow(image: pyvips.Image) -> Image.Image:
    """The pixels of an image in memory, of 8 bit, sRGB or grey, as Pillow has them."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[image.bands]
    return Image.frombuffer(mode, (image.width, image.height), pixels(image), "raw", mode, 0, 1)


def _as_pillow(picture: Picture) -> Image.Image:
    return picture if isinstance(picture, Image.Image) else to_pillow(picture)


def _count(image: Image.Image) -> int | None:
    colours = image.getcolors(SIZE)
    return None if colours is None else len(colours)


def palette_is_enough(image: pyvips.Image, worst: int) -> bool:
    """Whether a palette can carry the image at the quality `worst` of pngquant's scale.

    pngquant's own rule, measured on a sample of the pixels.
    """
    if worst <= 0:
        return True
    factor = max(1, ceil(sqrt(image.width * image.height / SAMPLE_PIXELS)))
    factor = min(factor, image.width, image.height)
    sample = image.subsample(factor, factor).copy_memory() if factor > 1 else image
    best = sample.pngsave_buffer(
        palette=True, Q=100, dither=0, effort=5, compression=0, keep="none"
    )
    difference = weighed(sample) - weighed(pyvips.Image.pngload_buffer(best))
    return mean_square(difference) <= largest_error(worst)


def allowed_banding(quality: int) -> float:
    """What may be seen of bands at a low quality, over what may at the default one."""
    return largest_error(min(DEFAULT, quality or DEFAULT)) / largest_error(DEFAULT)

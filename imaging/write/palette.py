"""A palette of at most 256 colours, by libvips's own quantiser, and whether a picture can do with
one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from typing import cast

import pyvips
from PIL import Image

from imaging.colour.kept import has_grey_profile
from imaging.options import Effort
from imaging.write.scale import along, within

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

AREA = 4
AREA_ERROR = 1e-5
"""Side in pixels of the areas, and the mean square error of their colours (as `_error` has it), up
to which a palette is not dithered. Above it a gradient becomes steps: of the drawings that were
measured SSIMULACRA2 was 0 to 5 less below it, and 4 to 20 above."""

SIZE = 256
"""Colours that it holds at most."""

EXACT_COLOURS = 32
"""A picture of no more colours keeps each of them."""

SAMPLE_PIXELS = 16_384
"""Pixels of the sample on which the loss of a palette is measured."""

GAMMA: float = 0.57 / 0.45455
WEIGHTS = (0.5, 1.0, 0.45)
"""How libimagequant sees colours when it measures an error (its source, pam.h)."""


@dataclass(frozen=True)
class Colours:
    """The colours of a picture, and the palette that it can have at a quality."""

    image: pyvips.Image
    """In memory, as it is read more than once; sRGB or grey."""
    quality: int
    """1 to 100, pngquant's largest; 0 for the default."""

    @cached_property
    def count(self) -> int | None:
        """How many there are, or None if they are more than a palette holds."""
        return count_colours(self.image)

    @cached_property
    def suffices(self) -> bool:
        """Whether the picture gets a palette of fewer colours than it has."""
        if self.count is not None and self.count <= EXACT_COLOURS:
            return False
        if has_grey_profile(self.image):
            return False
        return palette_is_enough(self.image, (self.quality or DEFAULT) - WORST_BELOW)

    def quantised(self, effort: Effort, keep: int, compression: int = 1) -> bytes:
        """The picture with a palette, as a PNG.

        Args:
            effort: how long the quantiser searches.
            keep: what of the image's metadata is written.
            compression: zlib's level.
        """
        few = self.count is not None and self.image.bands > 2
        dither = 0.0 if few else DITHER
        return self._quantised(self.quality or DEFAULT, effort, dither, keep, compression)

    def drawn(self, effort: Effort, keep: int) -> pyvips.Image:
        """The picture with the fewest colours that its quality allows, and without dithering, if
        its areas keep their colours then; else as `shown` has it.

        Noise and colours that are not needed take bytes where nothing but edges is smooth.
        """
        quality = self.quality or DEFAULT
        if quality <= DEFAULT:
            for each in (max(1, quality - WORST_BELOW), quality):
                data = self._quantised(each, effort, 0.0, keep, 1)
                image = pyvips.Image.pngload_buffer(data).copy_memory()
                if _error(self.image, image, AREA) <= AREA_ERROR:
                    return image
        return self.shown(effort, keep)

    def shown(self, effort: Effort, keep: int) -> pyvips.Image:
        """As `quantised`, decoded."""
        return pyvips.Image.pngload_buffer(self.quantised(effort, keep)).copy_memory()

    def _quantised(
        self, quality: int, effort: Effort, dither: float, keep: int, compression: int
    ) -> bytes:
        data = self.image.pngsave_buffer(
            palette=True,
            Q=along(QUANTISER_SCALE, quality),
            effort=within(QUANTISER_EFFORTS[effort], self.image.width * self.image.height),
            dither=dither,
            compression=compression,
            keep=keep,
        )
        return cast(bytes, data)


def count_colours(image: pyvips.Image) -> int | None:
    """How many colours the image has, or None if they are more than a palette holds."""
    colours = to_pillow(image).getcolors(SIZE)
    return None if colours is None else len(colours)


def to_pillow(image: pyvips.Image) -> Image.Image:
    """The pixels of an image of 8 bit, sRGB or grey, as Pillow has them."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[image.bands]
    size = (image.width, image.height)
    return Image.frombuffer(mode, size, image.write_to_memory(), "raw", mode, 0, 1)


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
    return _error(sample, pyvips.Image.pngload_buffer(best)) <= _largest_error(worst)


def _error(image: pyvips.Image, other: pyvips.Image, area: int = 1) -> float:
    """The mean square error as libimagequant measures it, with colours as far as they are seen.

    Args:
        area: pixels of a side of the areas whose mean counts.
    """
    shrink = min(area, image.width, image.height)
    total = 0.0
    for one, two in zip(_seen(image), _seen(other), strict=True):
        difference = one - two
        if shrink > 1:
            difference = difference.shrink(shrink, shrink)
        total += float((difference**2).avg())
    return total


def _seen(image: pyvips.Image) -> list[pyvips.Image]:
    image = image.colourspace("srgb")
    alpha = image[3] / 255 if image.hasalpha() else None
    bands = []
    for band, weight in zip(range(3), WEIGHTS, strict=True):
        seen = (image[band] / 255) ** GAMMA * weight
        bands.append(seen * alpha if alpha is not None else seen)
    return bands


def _largest_error(quality: int) -> float:
    """The mean square error that this quality allows (libimagequant's quality_to_mse)."""
    low = max(0.0, 0.016 / (0.001 + quality) - 0.001)
    spread = float((210 + quality) ** 1.2)
    return low + 2.5 / spread * (100.1 - quality) / 100

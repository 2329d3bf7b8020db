"""How a file looks beside the picture it was made of, on a sample of it or the whole."""

from __future__ import annotations

import pyvips

from imaging import look
from imaging.auto.sample import FEW_STRIPS, HIGH_STRIPS, LOW_STRIPS, MARGIN, Sample, sample, strips

SHADES = (0, 255)
"""What transparency is put on; the worse of the two looks counts."""

WHOLE_PIXELS, SLOW_PIXELS = 1_500_000, 6_000_000
"""Pixels of the largest picture of which a file is looked at as a whole, where vszip does it, in 30
ms a megapixel: what a sample is off by is most of what results are off by. The second is that of an
encoder which takes longer itself."""


def is_large(image: pyvips.Image) -> bool:
    """Whether the sample of a picture is of strips, and a look at all of it takes long."""
    return bool(image.width * image.height > WHOLE_PIXELS)


class Judge:
    """Holds files against one picture."""

    def __init__(
        self, image: pyvips.Image, margin: int, *, slow: bool = False, in_part: bool = False
    ) -> None:
        """
        Args:
            image: sRGB or grey, 8 bit, in memory.
            margin: pixels around each tile of `sample` that are not looked at, of a small picture.
            slow: whether the encoder takes longer than a look at the whole picture.
            in_part: whether high strips of a large picture are looked at in place of all of it.
        """
        pixels = image.width * image.height
        if is_large(image):
            usual = FEW_STRIPS if slow else LOW_STRIPS
            self._sample = strips(image.width, image.height, MARGIN, usual)
        else:
            self._sample = sample(image.width, image.height, margin)
        self.sample = self._sample.with_margins(image)
        tiles = self._sample.without_margins(self.sample)
        shades = SHADES if image.hasalpha() else SHADES[:1]
        self._references = {
            shade: look.reference(_flat(tiles, shade), image.width) for shade in shades
        }
        self._image = image
        self._whole = Sample((0,), (0,), image.width, image.height)
        if in_part and is_large(image):
            high = strips(image.width, image.height, 0, HIGH_STRIPS)
            # A low picture has columns, which tell less.
            self._whole = high if len(high.lefts) == 1 else self._whole
        few = pixels <= (SLOW_PIXELS if slow else WHOLE_PIXELS)
        few = few and look.method() is look.Method.VSZIP
        self.sees_all = (few and self._whole.is_whole) or self._sample.is_whole
        """Whether `of_whole` looks at every pixel."""
        self.is_sample = self._sample.is_whole
        """Whether the picture is its own sample."""
        self.sees_more = few and not self._sample.is_whole
        """Whether it looks at more than `of_sample` does."""

    def of_sample(self, image: pyvips.Image) -> float:
        """SSIMULACRA2, 100 at most, of what became of `sample`, as the whole picture has it."""
        return self._of_tiles(self._sample.without_margins(image))

    def of_whole(self, image: pyvips.Image) -> float:
        """The same of what became of the picture."""
        image = image.copy_memory()
        if not self.sees_more:
            return self._of_tiles(self._sample.of(image))
        original, seen = self._whole.of(self._image), self._whole.of(image)
        worst = min(
            look.reference(_flat(original, shade), image.width).score(_flat(seen, shade))
            for shade in self._references
        )
        return 100 - (100 - worst) * self._whole.factor

    def _of_tiles(self, image: pyvips.Image) -> float:
        worst = min(
            reference.score(_flat(image, shade)) for shade, reference in self._references.items()
        )
        return 100 - (100 - worst) * self._sample.factor


def _flat(image: pyvips.Image, shade: int) -> pyvips.Image:
    """Red, green and blue alone."""
    if image.hasalpha():
        image = image.flatten(background=[shade] * (image.bands - 1))
    if image.bands < look.CHANNELS:
        image = image.bandjoin([image] * (look.CHANNELS - 1))
    return image

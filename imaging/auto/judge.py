"""How a file looks beside the picture it was made of, on a sample of it or the whole."""

from __future__ import annotations

import pyvips

from imaging import look
from imaging.auto.sample import HIGH_STRIPS, Sample, is_large, strips, whole

SHADES = (0, 255)
"""What transparency is put on; the worse of the two looks counts."""

WHOLE_PIXELS = 6_000_000
"""Pixels of the largest picture of which a file is looked at as a whole: what a sample is off by is
most of what results are off by. vszip takes 30 ms a megapixel. Pillow's way takes twice that, and
does it for large pictures alone: what is drawn between their strips may look 19 points worse."""


class Judge:
    """Holds files against one picture."""

    def __init__(self, image: pyvips.Image, tried: Sample, seen: Sample | None = None) -> None:
        """
        Args:
            image: sRGB or grey, 8 bit, in memory.
            tried: the part of it that `of_sample` looks at.
            seen: the part that `of_whole` looks at, if that is another one.
        """
        self._image, self.tried, self.seen = image, tried, seen or tried
        self.sample = tried.with_margins(image)
        """What is to be encoded for `of_sample`."""
        tiles = tried.without_margins(self.sample)
        shades = SHADES if image.hasalpha() else SHADES[:1]
        self._references = {
            shade: look.reference(_flat(tiles, shade), image.width) for shade in shades
        }

    def of_sample(self, image: pyvips.Image) -> float:
        """SSIMULACRA2, 100 at most, of what became of `sample`, as the whole picture has it."""
        return self._of_tiles(self.tried.without_margins(image))

    def of_whole(self, image: pyvips.Image) -> float:
        """The same of what became of the picture."""
        image = image.copy_memory()
        if self.seen == self.tried:
            return self._of_tiles(self.tried.of(image))
        original, seen = self.seen.of(self._image), self.seen.of(image)
        worst = min(
            look.reference(_flat(original, shade), image.width).score(_flat(seen, shade))
            for shade in self._references
        )
        return self.seen.look_of_whole(worst)

    def _of_tiles(self, image: pyvips.Image) -> float:
        worst = min(
            reference.score(_flat(image, shade)) for shade, reference in self._references.items()
        )
        return self.tried.look_of_whole(worst)


def seen_of_file(width: int, height: int, *, in_part: bool) -> Sample | None:
    """The part of a file of a picture of this size, in pixels, that is looked at; None for the
    sample of it.

    Args:
        in_part: whether it is strips of a large picture, as a look at all of it takes long beside
            the encoder.
    """
    if width * height > WHOLE_PIXELS:
        return None
    if look.method() is not look.Method.VSZIP and (in_part or not is_large(width, height)):
        return None
    if in_part and is_large(width, height):
        high = strips(width, height, 0, HIGH_STRIPS)
        if len(high.lefts) == 1:  # a low picture has columns, which tell less
            return high
    return whole(width, height)


def _flat(image: pyvips.Image, shade: int) -> pyvips.Image:
    """Red, green and blue alone."""
    if image.hasalpha():
        image = image.flatten(background=[shade] * (image.bands - 1))
    if image.bands < look.CHANNELS:
        image = image.bandjoin([image] * (look.CHANNELS - 1))
    return image

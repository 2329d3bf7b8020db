"""The bytes of a picture at each setting of an encoder, told by a search on a sample of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyvips

from imaging.write.fitting import Search, Shape
from imaging.write.strips import strips

TRIES = 6
"""Files of the sample."""


class Sample:
    """Strips of a still."""

    def __init__(self, image: pyvips.Image, pixels: int, around: int) -> None:
        """
        Args:
            pixels: how many it has, about.
            around: bytes of a file of the picture that are not of its pixels.
        """
        self.image = strips(image, pixels).copy_memory()
        self._around = around
        self._share = image.width * image.height / (self.image.width * self.image.height)

    def searched(
        self,
        encode: Callable[[int], bytes],
        limit: int,
        known: Mapping[int, float],
        *,
        low: int,
        high: int,
        shape: Shape,
    ) -> Search:
        """A search on the sample until a file is about as large as its share of the limit.

        Args:
            encode: the file of the sample at a setting, or of what becomes of it.
            limit: bytes of the whole picture.
            known: bytes of the whole picture at settings.
            low, high, shape: as `Search` gets them.
        """
        search = Search(
            encode,
            max(1, int((limit - self._around) / self._share)),
            low=low,
            high=high,
            shape=shape,
            known={each: size / self._share for each, size in known.items()},
            is_estimate=True,
            tries=TRIES,
        )
        search.run(roughly=True)
        return search

    def of_whole(self, search: Search) -> dict[int, float]:
        """The bytes of the whole picture at each setting that was searched."""
        return {each: self._around + size * self._share for each, size in search.sizes.items()}

"""The size that a picture gets."""

from __future__ import annotations

from collections.abc import Iterator

from imaging.measures import Size
from imaging.options import Fit, Options


def scaled_size(width: int, height: int, options: Options) -> Size:
    """Width and height of the scaled picture, without borders, where a size is asked for."""
    if options.fit in (Fit.COVER, Fit.FILL, Fit.THUMB):
        return Size(options.width or width, options.height or height)
    factor = min(wanted / size for size, wanted in sides(width, height, options))
    if options.fit is Fit.INSIDE:
        factor = min(1, factor)
    return Size(max(1, round(width * factor)), max(1, round(height * factor)))


def final_size(width: int, height: int, options: Options) -> Size:
    """Width and height of the result, with its borders, whatever is asked for."""
    if not options.resizes:
        return Size(width, height)
    if options.fit is Fit.CONTAIN:
        return Size(options.width or width, options.height or height)
    return scaled_size(width, height, options)


def sides(width: int, height: int, options: Options) -> Iterator[tuple[int, int]]:
    """Of each side that is asked for: what it is, and what it is to be."""
    if options.width is not None:
        yield width, options.width
    if options.height is not None:
        yield height, options.height

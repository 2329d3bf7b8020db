"""A result is opened before it counts as done: by its loader, from its bytes."""

from __future__ import annotations

import struct

import pyvips
from PIL import Image

from imaging.codecs import READERS, WRITERS
from imaging.data import Data
from imaging.decode import check_whole, decode, decode_otherwise
from imaging.errors import PictureError, ReaderFailed
from imaging.formats import FACTS, Format
from imaging.formats.facts import Frames
from imaging.measures import Size
from imaging.options import Fit
from imaging.steps.background import rgb
from imaging.target import Target
from imaging.write.palette import to_pillow
from imaging.write.strips import Picture

HEAD = 2048
"""Bytes that are not pixels, in a file without a profile."""
BLOCK = 16
"""Pixels of the result on a side that are averaged: what is finer, an encoder may drop."""
SPREAD = 0.1
"""The deviation of those averages, of the full range, above which a picture cannot become a single
colour at any quality."""

SHRINK = 8
"""What a loader makes smaller by this in passing takes a third to a seventh of the time. A single
colour stays one."""

SMALL_PIXELS = 16_384
"""Up to so many are compared as they are: a step of libvips would take longer."""

_RANGES = {"uchar": 255, "ushort": 65_535}


class Unreadable(PictureError):
    """The result is not the file that it should be."""


def check_header(result: bytes, format: Format, sizes: set[Size], frames: int) -> pyvips.Image:
    """See whether the result opens and has one of these sizes, and frames but no more than these.

    Encoders make one frame of several that are the same.

    Returns:
        the opened result, to be decoded once.

    Raises:
        Unreadable: if not.
    """
    try:
        image = _open(result, format)
    except (pyvips.Error, PictureError):
        raise Unreadable(f"the {format} that was written cannot be read") from None
    pages = int(image.get("n-pages")) if image.get_typeof("n-pages") else 1
    if count := WRITERS[format].frames:
        pages = count(result, frames)
    size = Size(image.width, image.height)
    if size not in sizes or not 1 <= pages <= frames:
        wanted = next(iter(sizes))
        raise Unreadable(
            f"the {format} that was written has {size.width} × {size.height} pixels and {pages} "
            f"frames in place of {wanted.width} × {wanted.height} and {frames}"
        )
    return image


def check_colours(
    result: bytes, opened: pyvips.Image, data: Data, target: Target, size: Size
) -> None:
    """See whether the result is a single colour, or clear, where the original is not: one that can
    be decoded, and has several.

    The original is decoded a second time where the result is, and only then.

    Args:
        opened: the result, not decoded yet.
        size: of a frame of the result.

    Raises:
        Unreadable: if the result cannot be decoded.
        PictureError: if it is, or the original is broken and shows nothing but one colour.
    """
    options = target.options
    most = HEAD + WRITERS[target.format].flat(target.effort) * size.width * size.height
    if len(result) > most:  # it is not flat
        return
    try:
        flat = _is_flat(result, opened, target.format, size)
    except (pyvips.Error, OSError):
        raise Unreadable(f"the {target.format} that was written cannot be decoded") from None
    if not flat:
        return
    # A part of the picture may well be a single colour.
    cut = options.looks_first or (options.resizes and options.fit in (Fit.COVER, Fit.THUMB))
    if not cut and _differs(data, target, size):
        raise PictureError("the result is a single colour, and the picture is not")
    # One of which nothing was decoded is black, and no picture of a night.
    try:
        check_whole(data, target.limits)
    except PictureError:
        # A single pixel is a single colour whatever is there of the original.
        if (cut and size != Size(1, 1)) or _is_constant(_first(data, target)):
            raise


def _differs(data: Data, target: Target, size: Size) -> bool:
    """Whether the original is clearly no single colour."""
    try:
        return _varies(_first(data, target), target, size)
    except pyvips.Error:  # NaN and infinity, in floating point
        return False


def _first(data: Data, target: Target) -> pyvips.Image:
    """The first frame of the original, not decoded yet."""
    # The default picture of an animated PNG may be another than its first frame.
    still = target.format.output.frames is Frames.NONE
    frames = () if still else FACTS[Format.PNG].kinds
    try:
        source = decode(data, target.limits, frames=frames)
    except ReaderFailed:
        source = decode_otherwise(data, target.limits)
    return source.each_frame()[0]


def _open(result: bytes, format: Format, **shrink: float) -> pyvips.Image:
    load = READERS[format.media_type].load
    assert load is not None, f"libvips does not read {format}"
    return load(result, access="sequential", **shrink)


def is_flat(picture: Picture) -> bool:
    """Whether all pixels are the same, or cannot be seen."""
    if not isinstance(picture, Image.Image):
        picture = to_pillow(picture)
    extrema = picture.getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    if picture.mode in ("LA", "RGBA") and bands[-1][1] == 0:
        return True
    return all(least == most for least, most in bands)


def _is_flat(result: bytes, image: pyvips.Image, format: Format, size: Size) -> bool:
    """Whether all pixels of the (first) frame are the same, or cannot be seen.

    Args:
        image: the opened result.
    """
    if size.width * size.height <= SMALL_PIXELS and image.format == "uchar":
        read = WRITERS[format].read
        return is_flat(read(result) if read else image)
    # Of a narrower picture no pixel would be left.
    factor = min(SHRINK, size.width, size.height)
    shrink = READERS[format.media_type].shrink(factor)
    if shrink and not _is_constant(_open(result, format, **shrink)):
        return False
    return _is_constant(image)


def _is_constant(image: pyvips.Image) -> bool:
    """As `_is_flat`, of pixels that are not decoded yet."""
    # A row for all bands together, and one for each; minimum and maximum come first. All of it at
    # once: a number by itself takes as long as the whole of a tiny picture.
    stats = image.stats()
    numbers = struct.unpack(f"{stats.width * stats.height}d", stats.write_to_memory())
    ranges = [numbers[at : at + 2] for at in range(stats.width, len(numbers), stats.width)]
    if image.hasalpha() and ranges[-1][1] == 0:
        return True
    return all(least == most for least, most in ranges)


def _varies(image: pyvips.Image, target: Target, size: Size) -> bool:
    """Whether what is seen of the original has parts of clearly other colours.

    Measured on the numbers as they are stored: it may be their conversion that went wrong.
    """
    image = image.copy_memory()
    full = _RANGES.get(image.format) or max(1.0, image.max())
    seen = image / full
    if image.hasalpha():
        alpha, colours = seen[image.bands - 1], seen[: image.bands - 1]
        seen = colours * alpha
        if not target.format.output.has_alpha or target.options.background is not None:
            ground = [value / 255 for value in rgb(target.options.background)]
            if colours.bands == len(ground):
                seen += (alpha * -1 + 1) * ground
            elif colours.bands == 1 and len(set(ground)) == 1:
                seen += (alpha * -1 + 1) * ground[0]
            else:
                return False
        else:
            seen = seen.bandjoin(alpha)
    shrink = BLOCK * max(1.0, image.width / size.width, image.height / size.height)
    across, down = min(shrink, image.width), min(shrink, image.height)
    averages = seen.shrink(across, down)
    if averages.width * averages.height < 2:
        return False
    return any(averages[band].deviate() > SPREAD for band in range(averages.bands))

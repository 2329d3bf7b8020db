"""Whether a palette has made steps of what was smooth.

libimagequant stops at the few colours whose error is as small as was asked for. Where all colours
of a picture are nearly the same, as in the dark, two may do: then each is a step that can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pyvips

AREA, TILE = 4, 8
"""Pixels of a side of the areas whose mean colours are held against each other, and areas of a side
of a tile."""

MOST, MOST_IN_TILE = 0.5, 5.0
"""The mean square error of the areas' colours, in steps of 8 bit and over how much an area varies,
that is not seen: of all of a picture, and of any tile."""

SIZE = 256
"""Colours that a palette holds at most."""

RGB = 3
"""Bands of a picture in colour, and bytes of a colour."""

ENOUGH = 0.6
"""The part of that which a palette of more colours may show: it is made where bands are seen."""

BEST = 100
"""libvips's quality at which a palette has as many colours as it can hold."""

TRIES = 3
"""Below `BEST`."""

SPOILT = 3.0
"""What may be seen at `BEST`, over what is not, before the picture keeps its own colours."""

FAR = 1.75
"""How many times as much is seen of a palette that has pixels of a far colour as of one that is
dithered less, which else shows more: of 36 wallpapers at four qualities 1.8 and more times, up to
374, and of the others at most 1.6."""


def without_banding(
    image: pyvips.Image,
    quality: int,
    quantised: Callable[[int], bytes],
    *,
    at_once: bool,
    allowed: float = 1.0,
    usual: int = 0,
    calmer: Sequence[Callable[[int], bytes]] = (),
) -> bytes | None:
    """The picture with a palette, as a PNG: at the quality, or as far above it as it takes for
    nothing smooth to become steps. None if these are seen at any.

    Args:
        image: in memory; sRGB or grey.
        quality: of libvips's scale.
        quantised: what makes the PNG, at a quality of that scale.
        at_once: whether `BEST` is tried as soon as bands are seen, with nothing between.
        allowed: how far the picture may be from what it was, as `banding` has it.
        usual: a quality that is tried before any above it, as most pictures show no bands at it.
        calmer: as `quantised`, each with less dithering.
    """
    data = quantised(quality)
    seen = banding(image, opened(data))
    best = seen, data
    least, tries = 1.0, 0 if at_once else TRIES
    while seen / allowed > least and quality < BEST and not _is_full(data):
        # The error that libimagequant allows falls about as fast as what is missing of the best.
        nearer = max(quality + 1, round(BEST - (BEST - quality) * ENOUGH / (seen / allowed)))
        if quality < usual:
            nearer = min(nearer, usual)
        quality = nearer if tries else BEST
        tries -= 1
        # At a low quality the best would have far more bytes than what has been tried by then.
        least = ENOUGH if tries > 0 or allowed <= 1 else 1.0
        data = quantised(quality)
        seen = banding(image, opened(data))
        # libimagequant may give a dithered pixel a far colour, so that more of them look worse.
        best = min(best, (seen, data))
    seen, data = _calmest(image, *best, [partial(each, quality) for each in calmer])
    return data if seen / allowed <= SPOILT else None


def without_far_colours(
    image: pyvips.Image, dithered: bytes, calmer: Sequence[Callable[[], bytes]]
) -> bytes:
    """The dithered picture, or one that is dithered less if it has pixels of a far colour.

    The errors that libimagequant passes on may grow until the nearest colour to a pixel is another
    one: brown in a blue sky.

    Args:
        image: what it was, in memory; sRGB or grey.
        calmer: what makes the picture with less dithering, and with less still.
    """
    return _calmest(image, banding(image, opened(dithered)), dithered, calmer)[1]


def _calmest(
    image: pyvips.Image, seen: float, data: bytes, calmer: Sequence[Callable[[], bytes]]
) -> tuple[float, bytes]:
    """What is seen of the picture that `without_far_colours` takes, and that.

    Args:
        seen: what `banding` tells of the dithered one.
        data: the dithered one.
    """
    for each in calmer:
        if seen <= 1:
            break
        other = each()
        now = banding(image, opened(other))
        if now * FAR < seen:
            seen, data = now, other
    return seen, data


def _is_full(data: bytes) -> bool:
    """Whether the palette of a PNG has all the colours that it can hold: a higher quality gives the
    same."""
    at = data.find(b"PLTE")
    return at > 0 and int.from_bytes(data[at - 4 : at]) == RGB * SIZE


def opened(data: bytes) -> pyvips.Image:
    """The pixels of a PNG, which can be read once."""
    return pyvips.Image.pngload_buffer(data, access="sequential")


def banding(image: pyvips.Image, result: pyvips.Image) -> float:
    """How far a picture with a palette is from what it was, where that was smooth: up to 1 nothing
    is seen of it.

    Args:
        image: what it was, in memory; sRGB or grey.
        result: read once.
    """
    if image.hasalpha() and not result.hasalpha():  # it hides nothing
        image = image.extract_band(0, n=image.bands - 1)
    original = _shown(image)
    error = _areas(_shown(result) - original, AREA).copy_memory()
    squares = (error * error).bandmean().copy_memory()
    most = _over(squares)
    if most <= 1:
        return most
    original = original.cast("float")
    mean = _areas(original, AREA)
    varies = (_areas(original * original, AREA) - mean * mean).bandmean()
    return _over((squares / (varies + 1)).copy_memory())


def _over(errors: pyvips.Image) -> float:
    """The errors of areas, in memory, over those that are not seen."""
    mean: float = errors.avg()
    highest: float = _areas(errors, TILE).max()
    return max(mean / MOST, highest / MOST_IN_TILE)


def _areas(image: pyvips.Image, side: int) -> pyvips.Image:
    """The means of areas with a side of so many pixels."""
    side = min(side, image.width, image.height)
    return image.cast("float").shrink(side, side)


def _shown(image: pyvips.Image) -> pyvips.Image:
    """Red, green and blue, or what is seen of them on black with how much else is seen."""
    if image.bands < RGB:
        image = image.colourspace("srgb")
    return image.premultiply() if image.hasalpha() else image

"""The ways in which libwebp writes a picture: settings of libvips's webpsave, and what was measured
for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from imaging.codec import Purpose, Sought
from imaging.options import Effort
from imaging.write import chroma
from imaging.write.graphics import ALL_EFFORTS_PIXELS
from imaging.write.scale import along
from imaging.write.strips import Picture, bands

DEFAULT = 80
"""The quality where none is asked for, on libwebp's own scale; what the older server used."""

EFFORT = {Effort.FAST: 4, Effort.BALANCED: 5, Effort.SMALL: 6}

FINE_QUALITY = 90
"""From here on smart subsampling is always used: what little it gains is of some account."""

QUICK_EFFORT = 2
"""For a guess at the look: of four photographs with fine colours that was off by 0.3 (standard
deviation), and with effort 0 by 0.7. Plain subsampling in place of the smart one, which takes most
of the time then, was off by up to 15."""

GUESSED = 0.98
"""How far from 100 a result is over what a guess tells: of 67 pictures of 0.26 megapixels it was
off by 0.9 then, at 23 from 100 (standard deviation)."""

LARGE_QUICK_EFFORT = 3
"""As `QUICK_EFFORT`, of the strips of a large picture: of 13 wallpapers the look was off by 0.2
(standard deviation), at 78 ms a megapixel, and with 2, at 35 ms, by 1.2."""

LOSSLESS_SEARCH = {
    Effort.FAST: {"effort": 2, "Q": 75},
    Effort.BALANCED: {"effort": 4, "Q": 100},
    Effort.SMALL: {"effort": 5, "Q": 100},
}
"""libwebp's method and quality, which without loss is how long it looks for repetitions. Method 6
is method 4 up to 99, and at 100 takes seven times as long as 5 for the same bytes."""

LARGE_SEARCH: Sequence[tuple[float, Mapping[str, int]]] = (
    (25e6, {"effort": 1, "Q": 50}),
    (float("inf"), {"effort": 1, "Q": 0}),
)
"""What takes the place of that of `LOSSLESS_SEARCH` above `SEARCHED_PIXELS`, up to so many pixels,
of a picture that is to lose nothing: 0.5 and 0.2 s a megapixel of a photograph, where the others
take 1 to 2. docs/engine.md has the figures."""

SEARCHED_PIXELS = {Effort.FAST: 1e6, Effort.BALANCED: 2e6, Effort.SMALL: 4e6}

PACKED_SEARCH = {**LOSSLESS_SEARCH, Effort.BALANCED: LOSSLESS_SEARCH[Effort.SMALL]}
PACKED_COLOURS = 16
"""Up to so many, a pixel takes half a byte or less (RFC 9649, 4.4), and a long search is a short
one; PNG is good at these."""

FAST_SCALE = (
    *((1, 1), (10, 8), (20, 12), (30, 27.3), (40, 39.8), (50, 51.1), (60, 61.3), (65, 68.5)),
    *((70, 75), (75, 77.6), (80, 81.7), (85, 85.4), (89, 88.7), (90, 93.4), (95, 98), (100, 100)),
)
"""The quality at which photographs by libwebp at effort 4 look, on average, as a JPEG does at the
one asked for, by SSIMULACRA2; docs/engine.md says how far single ones are from it. From 90 on a
JPEG keeps its chroma whole, which WebP cannot."""

PLAIN_SCALE = (
    *((1, 1), (10, 8), (20, 12), (30, 28.1), (40, 40.8), (50, 52.8), (60, 63.1), (65, 70)),
    *((70, 75.6), (75, 78.6), (80, 82.4), (85, 86), (89, 89), (90, 93), (95, 98), (100, 100)),
)
"""As `FAST_SCALE`, at effort 6, of photographs without fine colours."""

SHARP_SCALE = (
    *((1, 1), (10, 7), (20, 12), (30, 25.8), (40, 36.6), (50, 47), (60, 56), (65, 62)),
    *((70, 69), (75, 75), (80, 79), (85, 82.6), (89, 85.6), (90, 92), (95, 98), (100, 100)),
)
"""As `FAST_SCALE`, with smart subsampling, of photographs with fine colours."""

SHARP_PIXELS = 12_000_000
"""Pixels of the largest picture (or frame) that more than the plain encoder is used for: smart
subsampling takes 16 bytes a pixel, which for 50 megapixels is twice what all else needs."""

ALPHA_PIXELS, ALPHA_EFFORT = 500_000, 5
"""Pixels of the largest still with alpha that libwebp's highest effort is used for, and the effort
for a larger one: over a smooth alpha, 6 takes 7 to 10 s of CPU a megapixel, and 5 takes 0.4, for 1
to 11 % more bytes."""

DEFAULT_LOOK = 78
"""The quality of a JPEG that looks as `DEFAULT` does."""

SHARP_DEFAULT = 78
"""The quality at which libwebp with smart subsampling looks as it does at `DEFAULT` without."""


def lossy_ways(image: Picture, quality: int, efforts: Sequence[Effort]) -> list[dict[str, Any]]:
    """Smart subsampling, which takes more than half of the time, where the picture has fine
    colours; else all the effort that there is, which takes less."""
    if efforts == (Effort.FAST,) or quality >= FINE_QUALITY or chroma.is_fine(image):
        return [one_way(quality, each) for each in efforts]
    numbers = {EFFORT[each if each is Effort.FAST else Effort.SMALL] for each in efforts}
    return [plain_way(quality, number) for number in sorted(numbers)]


def one_way(quality: float, effort: Effort) -> dict[str, Any]:
    """With loss, at a quality, 0 for the default: with smart subsampling above `Effort.FAST`."""
    if effort is Effort.FAST:
        return plain_way(quality, EFFORT[effort])
    number = along(SHARP_SCALE, quality) if quality else SHARP_DEFAULT
    return {"Q": number, "effort": EFFORT[effort], "smart_subsample": True}


def large_way(pixels: int, quality: float) -> dict[str, Any] | None:
    """As `one_way`, for a picture (or frame) of so many pixels at any effort; None if it is not too
    large for more than the plain encoder."""
    return one_way(quality, Effort.FAST) if pixels > SHARP_PIXELS else None


def plain_way(quality: float, effort: int) -> dict[str, Any]:
    """As `one_way`, without smart subsampling, by libwebp's own number for the effort."""
    scale = FAST_SCALE if effort == EFFORT[Effort.FAST] else PLAIN_SCALE
    number = along(scale, quality) if quality else DEFAULT
    return {"Q": number, "effort": effort, "smart_subsample": False}


def part_way(whole: Picture, quality: int, effort: Effort) -> dict[str, Any]:
    """With loss, for a part of a photograph: of the ways of the whole the one that gives the fewest
    bytes, as good as always."""
    pixels = whole.width * whole.height
    few = pixels <= ALL_EFFORTS_PIXELS
    way = one_way(quality, effort) if few else large_way(pixels, quality)
    return way or lossy_ways(whole, quality, (effort,))[0]


def sought_way(wanted: Sought) -> dict[str, Any]:
    """With loss, at a quality that is sought. Chroma is halved at every quality; smart subsampling
    comes nearest to a whole one."""
    sharp, effort = wanted.whole_chroma, wanted.effort
    number = EFFORT[effort if effort is Effort.FAST or sharp else Effort.SMALL]
    if wanted.purpose is Purpose.GUESS:
        number = LARGE_QUICK_EFFORT if wanted.of_large else QUICK_EFFORT
    scale = SHARP_SCALE if sharp else PLAIN_SCALE
    return {"Q": along(scale, wanted.quality), "effort": number, "smart_subsample": sharp}


def in_time(way: Mapping[str, Any], image: Picture) -> Mapping[str, Any]:
    """The way, or where its search over alpha would take tens of seconds one that searches less."""
    if way.get("lossless") or way["effort"] <= ALPHA_EFFORT or bands(image) % 2:
        return way
    if image.width * image.height <= ALPHA_PIXELS or _is_opaque(image):
        return way
    return {**way, "effort": ALPHA_EFFORT}


def _is_opaque(image: Picture) -> bool:
    """Whether no pixel can be seen through. What libvips may still have to decode is not asked, as
    its rows may come once."""
    return isinstance(image, Image.Image) and image.getchannel("A").getextrema()[0] == 255


def lossless_way(effort: Effort, colours: int | None = None) -> dict[str, Any]:
    """Without loss, but of pixels that cannot be seen.

    Args:
        colours: how many the picture has, if that is known and few.
    """
    packed = colours is not None and colours <= PACKED_COLOURS
    return {"lossless": True, **(PACKED_SEARCH if packed else LOSSLESS_SEARCH)[effort]}


def exact_way(image: Picture, effort: Effort) -> dict[str, Any]:
    """Every pixel as it is."""
    pixels = image.width * image.height
    search: Mapping[str, int] = LOSSLESS_SEARCH[effort]
    if pixels > SEARCHED_PIXELS[effort]:
        search = next(search for most, search in LARGE_SEARCH if pixels <= most)
    return {"lossless": True, "exact": True, **search}

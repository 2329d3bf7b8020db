"""Whether a picture is a photograph or a graphic, told from a sample of it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from enum import Enum, auto

import pyvips
from PIL import Image

from imaging.formats.webp import small
from imaging.options import Effort

STRIPS = 4
"""The sample is so many strips of the picture's whole width, evenly from top to bottom."""

SAMPLE_PIXELS = 4096
SAMPLE_SHARE = 128
"""The sample has one in so many pixels, and at least that number."""

TINY_PIXELS = 4096
PHOTOGRAPH, TINY_PHOTOGRAPH = 0.5, 0.75
"""What zlib's level 1 leaves of a sample's bytes: of the graphics that were measured 0.21 at most,
of photographs 0.56 to 0.92, of very smooth ones 0.25 to 0.41. A tiny picture's bytes repeat
little, whatever it is."""

GRAPHIC = 0.22
"""Up to here it is no photograph, however smooth."""

SMOOTH_PIXELS, ENCODED_PIXELS = 16_384, 65_536
"""Pixels of the larger sample that both encoders are tried on: of a picture that may be a very
smooth photograph, which is to cost it little, and of one that is none."""

NEVER_LOSSLESS, ALWAYS_LOSSLESS = 2.0, 0.7
"""libwebp's lossless bytes of that sample over its lossy ones, both at effort 0. Up to the second
the lossless file was the smaller one of all graphics that were measured; smooth photographs are at
2.3 and above."""

ALL_EFFORTS_PIXELS, GRAPHIC_PIXELS = 65_536, 1_500_000
"""Pixels of the largest picture, and of the largest graphic, for which an effort tries what those
below it give, too."""


_MODES = {3: "RGB", 4: "RGBA"}
"""What Pillow calls pixels of so many bands."""


class Kind(Enum):
    """Which of libwebp's encoders gives fewer bytes."""

    PHOTOGRAPH = auto()  # the lossy one
    GRAPHIC = auto()  # the lossless one
    EITHER = auto()  # to be tried


def kind_of(image: pyvips.Image, *, tried: int) -> Kind:
    """What kind of picture this is.

    Args:
        image: in memory; an animation is one tall picture.
        tried: pixels up to which a picture that is no photograph is `EITHER`.
    """
    left, pixels = _left(image), image.width * image.height
    if left > (TINY_PHOTOGRAPH if pixels <= TINY_PIXELS else PHOTOGRAPH):
        return Kind.PHOTOGRAPH
    if pixels <= tried:
        return Kind.EITHER
    if left > GRAPHIC:
        smooth = _lossless_share(image, SMOOTH_PIXELS) > NEVER_LOSSLESS
        return Kind.PHOTOGRAPH if smooth else Kind.EITHER
    always = _lossless_share(image, ENCODED_PIXELS) < ALWAYS_LOSSLESS
    return Kind.GRAPHIC if always else Kind.EITHER


def efforts_tried(image: pyvips.Image, effort: Effort) -> tuple[Effort, ...]:
    """The efforts whose results are held against each other, so that a higher one is never larger.

    Args:
        image: in memory.
        effort: the highest.
    """
    pixels = image.width * image.height
    if pixels > GRAPHIC_PIXELS or (pixels > ALL_EFFORTS_PIXELS and _left(image) > GRAPHIC):
        return (effort,)
    efforts = tuple(Effort)
    return efforts[: efforts.index(effort) + 1]


def _lossless_share(image: pyvips.Image, pixels: int) -> float:
    """Bytes of a sample without loss over those with it."""
    rows = sum(rows for _, rows in _places(image, pixels))
    is_plain = image.format == "uchar" and image.bands in _MODES
    if is_plain and image.width * rows <= small.MAX_PIXELS:
        part = Image.frombytes(
            _MODES[image.bands], (image.width, rows), _pixels(image, _places(image, pixels))
        )
        exact = len(small.write(part, {"lossless": True, "effort": 0, "Q": 75}))
        return exact / len(small.write(part, {"Q": 80, "effort": 0}))
    part = strips(image, pixels)
    lossless = len(part.webpsave_buffer(lossless=True, effort=0, keep="none"))
    return lossless / len(part.webpsave_buffer(Q=80, effort=0, keep="none"))


def _left(image: pyvips.Image) -> float:
    """The share of a sample's bytes that zlib leaves."""
    pixels = max(SAMPLE_PIXELS, image.width * image.height // SAMPLE_SHARE)
    sample = _pixels(image, _places(image, pixels))
    return len(zlib.compress(sample, 1)) / len(sample)


def _pixels(image: pyvips.Image, places: Sequence[tuple[int, int]]) -> bytes:
    """The bytes of strips, read without a step of libvips for each: that would take longer."""
    region, width = pyvips.Region.new(image), image.width
    return b"".join(bytes(region.fetch(0, top, width, rows)) for top, rows in places)


def even_strips(image: pyvips.Image, pixels: int) -> Image.Image:
    """As `strips`, of which top, width and height are even, as Pillow has it, red, green and blue.

    Args:
        image: red, green and blue with or without alpha, in memory; two pixels wide and high at
            least.
    """
    image = image.extract_band(0, n=3)
    if image.format != "uchar":
        image = image.cast("uchar")
    places = _places(image, pixels)
    rows = places[0][1] - places[0][1] % 2 or 2
    places = [(min(top - top % 2, image.height - rows), rows) for top, _ in places]
    height = rows * len(places)
    part = Image.frombytes("RGB", (image.width, height), _pixels(image, places))
    return part.crop((0, 0, image.width - image.width % 2, height))


def strips(image: pyvips.Image, pixels: int) -> pyvips.Image:
    """A sample of about so many pixels, as one page, whatever the image's frames were: strips of
    its whole width below each other."""
    parts = [image.crop(0, top, image.width, rows) for top, rows in _places(image, pixels)]
    joined = pyvips.Image.arrayjoin(parts, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", joined.height)
    return joined


def _places(image: pyvips.Image, pixels: int) -> list[tuple[int, int]]:
    """Top and height of the strips, of about so many pixels together; all of a small picture."""
    rows, height = -(-pixels // (STRIPS * image.width)), image.height
    if rows * STRIPS >= height:
        return [(0, height)]
    step = (height - rows) / (STRIPS - 1)
    return [(int(step * n), rows) for n in range(STRIPS)]

"""Whether a picture is a photograph or a graphic, told from a sample of it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from enum import Enum, auto

import pyvips
from PIL import Image

from imaging.formats import Format
from imaging.options import Effort
from imaging.write.strips import Picture, aligned_strips, bands, sample, strips, upper_halves

SAMPLE_PIXELS = 4096
SAMPLE_SHARE = 128
"""The sample has one in so many pixels, and at least that number."""

TINY_PIXELS = 4096
PHOTOGRAPH, TINY_PHOTOGRAPH = 0.5, 0.75
"""What zlib's level 1 leaves of a sample's bytes: of the graphics that were measured 0.21 at most,
of photographs 0.56 to 0.92, of very smooth ones 0.25 to 0.41. A tiny picture's bytes repeat
little, whatever it is."""

GRAPHIC = 0.22
"""Up to here it is not a photograph, however smooth."""

SMOOTH_PIXELS, ENCODED_PIXELS = 16_384, 65_536
"""Pixels of the larger sample that both encoders are tried on: of a picture that may be a very
smooth photograph, which is to cost it little, and of one that is not."""

NEVER_LOSSLESS, ALWAYS_LOSSLESS = 2.0, 0.7
"""libwebp's lossless bytes of that sample over its lossy ones, both at effort 0. Up to the second
the lossless file was the smaller one of all graphics that were measured; smooth photographs are at
2.3 and above."""

ALL_EFFORTS_PIXELS, GRAPHIC_PIXELS = 65_536, 1_500_000
"""Pixels of the largest picture, and of the largest graphic, for which an effort tries what those
below it give, too."""

PART_PIXELS = 32_768
"""Pixels of the strips that tell about how many bytes a graphic takes without loss, or with a
palette."""

UNSURE = 2.0
"""Bytes of a graphic by its strips over those of a lossy file, at the most where it may have fewer:
1.93 of 140 drawings, screenshots and icons. They are up to 2.8 times what it has, and less than a
tenth where it is empty in these places, so that it is written in vain."""

_MODES = {3: "RGB", 4: "RGBA"}
"""Pillow's name for pixels of so many bands."""


class Kind(Enum):
    """Which of libwebp's encoders gives fewer bytes."""

    PHOTOGRAPH = auto()  # the lossy one
    GRAPHIC = auto()  # the lossless one
    EITHER = auto()  # to be tried


def kind_of(image: Picture, *, tried: int) -> Kind:
    """What kind of picture this is.

    Args:
        image: an animation is one tall picture.
        tried: pixels up to which a picture that is not a photograph is `EITHER`.
    """
    left, pixels = _left(image), image.width * image.height
    if left > (TINY_PHOTOGRAPH if pixels <= TINY_PIXELS else PHOTOGRAPH):
        return Kind.PHOTOGRAPH
    if pixels <= tried:
        return Kind.EITHER
    if left > GRAPHIC:
        smooth = lossless_share(image, SMOOTH_PIXELS) > NEVER_LOSSLESS
        return Kind.PHOTOGRAPH if smooth else Kind.EITHER
    always = lossless_share(image, ENCODED_PIXELS) < ALWAYS_LOSSLESS
    return Kind.GRAPHIC if always else Kind.EITHER


def efforts_tried(image: Picture, effort: Effort) -> tuple[Effort, ...]:
    """The efforts whose results are held against each other, so that a higher one is never larger.

    Args:
        effort: the highest.
    """
    pixels = image.width * image.height
    if pixels > GRAPHIC_PIXELS or (pixels > ALL_EFFORTS_PIXELS and _left(image) > GRAPHIC):
        return (effort,)
    efforts = tuple(Effort)
    return efforts[: efforts.index(effort) + 1]


def may_have(
    most: float,
    image: pyvips.Image,
    write: Callable[[pyvips.Image], bytes],
    drawn: Callable[[pyvips.Image], pyvips.Image | None] = lambda part: part,
) -> bool:
    """Whether the file of a graphic may have no more than so many bytes, by those of some of it.

    Args:
        image: in memory, one frame.
        write: gives the file of a part.
        drawn: gives the part as it is to be written; None where that says nothing of the whole.
    """
    strips = aligned_strips(image, PART_PIXELS)
    if strips.height == image.height:
        return True
    part = drawn(strips.copy_memory())
    if part is None:
        return True
    all_rows, half = len(write(part)), len(write(upper_halves(part)))
    # What does not become more with more rows: a palette, codes, the seams.
    once = min(all_rows, max(0, 2 * half - all_rows))
    taken = once + (all_rows - once) * float(image.height) / float(strips.height)
    return taken <= UNSURE * most


def lossless_share(image: Picture, pixels: int) -> float:
    """Bytes of a sample of about so many pixels without loss over those with it, both at WebP's
    least effort."""
    exact, lossy = least_efforts(image, pixels)
    return exact / lossy


def least_efforts(image: Picture, pixels: int) -> tuple[int, int]:
    """Bytes of a sample of about so many pixels without loss and with it, both at WebP's least
    effort; of a picture that is wider or higher than a WebP of as much as that holds."""
    most = Format.WEBP.max_side
    is_8_bit = isinstance(image, Image.Image) or image.format == "uchar"
    mode = _MODES.get(bands(image)) if is_8_bit else None
    if mode is not None:
        data, rows = sample(image, pixels)
        part = Image.frombytes(mode, (image.width, rows), data)
        if max(part.size) > most:
            part = part.crop((0, 0, min(part.width, most), min(rows, most)))
        exact = _bytes_by_pillow(part, lossless=True, quality=75)
        return exact, _bytes_by_pillow(part, lossless=False, quality=80)
    whole = strips(image, pixels)
    whole = whole.crop(0, 0, min(whole.width, most), min(whole.height, most))
    lossless = len(whole.webpsave_buffer(lossless=True, effort=0, keep="none"))
    return lossless, len(whole.webpsave_buffer(Q=80, effort=0, keep="none"))


def _bytes_by_pillow(part: Image.Image, *, lossless: bool, quality: int) -> int:
    """As many as libvips would write, in less time."""
    file = io.BytesIO()
    part.save(file, "WEBP", lossless=lossless, quality=quality, method=0)
    return len(file.getvalue())


def _left(image: Picture) -> float:
    """The share of a sample's bytes that zlib leaves."""
    data, _ = sample(image, max(SAMPLE_PIXELS, image.width * image.height // SAMPLE_SHARE))
    return len(zlib.compress(data, 1)) / len(data)

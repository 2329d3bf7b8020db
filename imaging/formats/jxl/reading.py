"""A JPEG XL read: its picture, and a result as it is checked."""

from __future__ import annotations

import io
import sys
from contextlib import suppress

import pyvips

from imaging.data import Data
from imaging.errors import ENDS_EARLY
from imaging.formats.jxl import decoded, size
from imaging.limits import Limits
from imaging.read.profile import with_profile
from imaging.read.whole import damaged
from imaging.source import Source

_SPACES = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}
_DEEP_SPACES = {1: "grey16", 2: "grey16", 3: "rgb16", 4: "rgb16"}

SEEN_BYTES, SEEN_SHARE = 4096, 64
"""A file of at most so many bytes, and one more for so many pixels, may be of a single colour."""

NOISE = 2
"""How far the values of a result of one colour are apart, of 255; 1 was measured."""

_ANY = Limits(sys.maxsize, sys.maxsize, sys.maxsize)
"""Of a file whose size is known already."""


def read(data: Data, kind: str, limits: Limits, all_frames: bool) -> Source:
    """The picture, decoded.

    Raises:
        PictureError: if it is broken, larger than it may be, or ends before anything is there.
    """
    found = decoded.header(data, limits, all_frames=all_frames)
    strip, black, count = decoded.pixels(data, found, len(found.delays) if all_frames else 1)
    image = _image(strip, black, found, count)
    exif = bytes(found.boxes.get(b"Exif", b""))
    # The block begins after the number of bytes that are between (18181-2, 9.5).
    start = 4 + int.from_bytes(exif[:4], "big")
    return Source(
        kind,
        image,
        exif=exif[start:] or None,
        xmp=bytes(found.boxes.get(b"xml ", b"")) or None,
        size=(found.width, found.height),
        frames=count,
        delays=found.delays[:count] if count > 1 else (),
        loop=found.loop,
        is_cut=found.is_cut,
    )


def _image(strip: bytearray, black: bytearray, found: decoded.Header, count: int) -> pyvips.Image:
    format = "ushort" if found.is_deep else "uchar"
    width, height = found.width, found.height * count
    image = pyvips.Image.new_from_memory(strip, width, height, found.bands, format)
    spaces = _DEEP_SPACES if found.is_deep else _SPACES
    image = image.copy(interpretation=spaces[found.bands])
    if black:
        key = pyvips.Image.new_from_memory(black, width, height, 1, format)
        inks = image[:3].bandjoin(key).invert()
        image = inks.bandjoin(image[3]) if found.bands > 3 else inks
        image = image.copy_memory().copy(interpretation="cmyk")
    if found.profile:
        image = with_profile(image, found.profile)
    return image


def opened(data: Data, *, access: str, fail_on: str = "none") -> pyvips.Image:
    """A file as results are checked: its size and frames, and its pixels where they may all be the
    same. Elsewhere they are black: to decode takes as long as a quick encoder.

    Raises:
        PictureError: if it is broken, or, as damaged, if the file ends too early.
    """
    found = decoded.header(data, _ANY)
    if found.is_cut:
        raise damaged(ENDS_EARLY)
    count = len(found.delays)
    if len(data) <= SEEN_BYTES + found.width * found.height // SEEN_SHARE:
        strip, black, _ = decoded.pixels(data, found, 1)
        image = _image(_levelled(strip, found.bands), black, found, 1)
    else:
        image = pyvips.Image.black(found.width, found.height, bands=found.bands)
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "n-pages", count)
    return image


def _levelled(values: bytearray, bands: int) -> bytearray:
    """The pixels, all the same where they differ by no more than the encoder makes one colour."""
    if all(max(values[n::bands]) - min(values[n::bands]) <= NOISE for n in range(bands)):
        return values[:bands] * (len(values) // bands)
    return values


def check(data: Data, limits: Limits) -> None:
    with suppress(IndexError):  # it ends too early, which libjxl says
        limits.check_size(*size(io.BytesIO(data)))


def check_whole(data: Data, all_frames: bool) -> None:
    """Nothing: `read` has decoded all that is shown, says if it was cut off, and refuses what is
    broken."""

"""JPEG: written by mozjpeg, which is what libvips's jpegsave drives here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

import mozjpeg_lossless_optimization as mozjpeg
import pyvips
from PIL import Image

from imaging.codec import (
    NO_METADATA,
    Encoding,
    Large,
    Plain,
    Purpose,
    Reader,
    Sought,
    Writer,
    loader,
)
from imaging.data import Data
from imaging.formats.jpg import by_pillow
from imaging.formats.jpg.looks import LARGE_LOOKS
from imaging.formats.jpg.strip import bare, strip
from imaging.formats.jpg.tables import FULL_CHROMA, SEVERAL_PIXELS, is_small_enough, own_quality
from imaging.formats.jpg.whole import check_whole
from imaging.limits import Limits
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY, NO_QUALITY
from imaging.read.segments import METADATA, segments
from imaging.write.palette import to_pillow
from imaging.write.scale import along
from imaging.write.strips import to_vips

KLEIN = 5
"""mozjpeg's number for the table of Klein, Silverstein and Carney, "Relevance of human vision to
JPEG-DCT compression" (1992). Of all it has, this one gave the fewest bytes at equal SSIMULACRA2
with 4:2:0; docs/engine.md has the figures."""

KLEIN_SCALE = (
    *((1, 1), (5, 4), (10, 8), (20, 18), (30, 25.2), (40, 34.6), (50, 44.6), (60, 54.3)),
    *((65, 60.4), (70, 67), (75, 72.6), (80, 79), (85, 84.7), (89, 88.9)),
)
"""The quality at which photographs by that table look, on average, as by libjpeg-turbo's own (Annex
K), by SSIMULACRA2; docs/engine.md says how far single ones are from it."""

BETWEEN_SCALE = ((FULL_CHROMA - 1, 89), (FULL_CHROMA, 96))
"""The qualities of either table, with chroma of half the size, that fill the step between the two
qualities where a JPEG's chroma becomes whole: for those that are sought."""

TRELLIS_SCALE = ((90, 91.1), (92, 92.7), (94, 94.6), (96, 96.4), (98, 98.2), (100, 100))
"""As `KLEIN_SCALE`, for trellis quantisation with the table of Annex K."""

EVEN_SCALE = ((1, 1), (20, 16), (50, 47), (75, 75))
"""The quality by even means that takes about the bytes of one by the tables' own means. Above 75
files of large pictures look the same either way, or a little worse with even means."""

EVEN_PIXELS = 1_500_000
"""Pixels of the largest picture that has the tables' own means: of smaller ones less is smooth."""

_LARGEST = 256 * 1024**2
"""Bytes of the largest JPEG that is taken out of a JPEG XL."""


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    """The file: of all ways of an effort the smallest. An effort tries what the one below it does,
    so that more effort is never more bytes; a large picture is written once at `Effort.BALANCED`.
    Photographs look, on average, as by libjpeg-turbo at this quality."""
    ways = _ways_of(image.width * image.height, wanted)
    if len(ways) > 1:
        image = image.copy_memory()  # it may be a stream, which can be read once
    return _smallest(image, ways, wanted.keep)


def _plain(pixels: int, wanted: Encoding) -> Plain | None:
    ways = _ways_of(pixels, wanted)
    return partial(_smallest_plain, ways=ways) if all(map(by_pillow.can_write, ways)) else None


def _smallest_plain(
    picture: Image.Image, ways: Iterable[dict[str, Any]], *, even_means: bool = False
) -> bytes:
    return min((by_pillow.write(picture, way, even_means=even_means) for way in ways), key=len)


def seek(image: pyvips.Image, wanted: Sought) -> bytes:
    """As `encode`, by one table alone."""
    return _with_metadata(seek_plain(to_pillow(image), wanted), image, wanted.keep)


def encode_limited(image: pyvips.Image, wanted: Encoding) -> bytes:
    """As `encode`, but where a lower quality of a large picture has to do, with even means: it
    looks better than with as many bytes by the tables' own. Chroma may be whole."""
    quality, whole = float(wanted.quality), wanted.whole_chroma
    is_even = image.width * image.height > EVEN_PIXELS and quality < EVEN_SCALE[-1][0]
    if not is_even and not whole:
        return encode(image, wanted)
    if is_even:
        quality = along(EVEN_SCALE, quality)
    sought = Sought(quality, wanted.effort, wanted.keep, whole, Purpose.RESULT, of_large=is_even)
    return seek(image, sought)


def _with_metadata(file: bytes, image: pyvips.Image, keep: int) -> bytes:
    if keep == NO_METADATA:
        return file
    # Black of the same size takes little time.
    black = image.crop(0, 0, 1, 1).embed(0, 0, image.width, image.height)
    return by_pillow.with_metadata(file, black.jpegsave_buffer(keep=keep))


def seek_plain(picture: Image.Image, wanted: Sought) -> bytes:
    """As `seek`, of pixels that Pillow has, without metadata. The means of a large picture's blocks
    get even quantisers: much of it is smooth, and by the tables' own looks up to 4 points worse at
    a number than at the one below it, and has up to 11 % more bytes at the look of a lower one."""
    quality, effort = wanted.quality, wanted.effort
    several = effort is not Effort.FAST and picture.width * picture.height <= SEVERAL_PIXELS
    if wanted.whole_chroma:
        quality = round(quality)  # there is no step to fill
    ways = list(_ways(quality, effort, several=several))
    ways = [way for way in ways if _look(way) == _look(ways[0])]
    if wanted.purpose is not Purpose.RESULT:
        ways = [ways[0] | {"optimize_coding": False}]
    if wanted.whole_chroma:
        ways = [way | {"subsample_mode": "off"} for way in ways]
    plain = [way for way in ways if by_pillow.can_write(way)]
    even_means = wanted.of_large and quality < FULL_CHROMA
    try:
        file = _smallest_plain(picture, plain, even_means=even_means)
    except OSError:  # noise
        return _smallest(to_vips(picture), ways, NO_METADATA)
    if len(plain) == len(ways):
        return file
    # The best scans are sought by what does so for a file that came in.
    optimised = mozjpeg.optimize(file, mozjpeg.COPY_MARKERS.NONE)
    return min(file, by_pillow.without_jfif(optimised), key=len)


def _look(way: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(way.get(name) for name in ("Q", "quant_table", "trellis_quant"))


def _smallest(image: pyvips.Image, ways: Iterable[dict[str, Any]], keep: int) -> bytes:
    return min((cast(bytes, image.jpegsave_buffer(keep=keep, **way)) for way in ways), key=len)


def _ways_of(pixels: int, wanted: Encoding) -> list[dict[str, Any]]:
    """Those of `encode`, of which the smallest file is the result."""
    effort = wanted.effort
    few = effort is Effort.BALANCED and pixels <= SEVERAL_PIXELS
    several = effort is Effort.SMALL or few
    return list(_ways(wanted.quality or DEFAULT_QUALITY, effort, several=several))


def _ways(quality: float, effort: Effort, *, several: bool) -> Iterator[dict[str, Any]]:
    """Settings of libvips's jpegsave, each of which looks as it should."""
    plain: dict[str, Any] = {"Q": round(quality)}
    if FULL_CHROMA - 1 < quality < FULL_CHROMA:
        plain = {"Q": along(BETWEEN_SCALE, quality), "subsample_mode": "on"}
    if effort is Effort.FAST:
        yield plain
        return
    table: dict[str, Any] = plain | {"optimize_coding": True}
    if quality < FULL_CHROMA:
        scale = KLEIN_SCALE if quality <= FULL_CHROMA - 1 else BETWEEN_SCALE
        table |= {
            "Q": along(scale, quality),
            "quant_table": KLEIN,
            "subsample_mode": "on",
        }
    yield table
    if several:
        yield plain | {"optimize_coding": True}
        yield table | {"interlace": True}
    if effort is Effort.SMALL:
        scans = {"interlace": True, "optimize_scans": True}
        yield table | scans
        if quality >= FULL_CHROMA:
            trellis = {"Q": along(TRELLIS_SCALE, quality), "trellis_quant": True}
            yield table | scans | trellis


def _check(data: Data, limits: Limits) -> None:
    metadata = (segment for segment in segments(data) if segment.kind in METADATA)
    limits.check_metadata(sum(segment.end - segment.content for segment in metadata))


def _shrink(factor: float) -> dict[str, float]:
    """In its transform, by 2, 4 or 8."""
    return {"shrink": 8 if factor >= 8 else 4 if factor >= 4 else 2} if factor >= 2 else {}


def _recoded(data: bytes, media_type: str, wanted: Encoding) -> bytes | None:
    """The JPEG that a JPEG XL was made of, byte for byte, where no other quality is asked for."""
    if media_type != "image/jxl" or wanted.quality not in (NO_QUALITY, DEFAULT_QUALITY):
        return None
    from imaging.formats.jxl.jpeg_inside import jpeg

    return jpeg(data, _LARGEST)


def _flat(effort: Effort) -> float:
    """By the tables of Annex K six bits and more for each empty block, by its own two."""
    return 1 / 32 if effort is Effort.FAST else 1 / 80


READER = Reader(
    load=loader("jpegload"),
    pillow="JPEG",
    check_for_pillow=by_pillow.check,
    is_lenient=True,
    check=_check,
    check_whole=check_whole,
    shrink=_shrink,
    plain=by_pillow.read,
    quality=own_quality,
)
WRITER = Writer(
    encode,
    strip,
    bare,
    plain=_plain,
    seek=seek,
    seeks_exactly=True,
    large=Large(seek_plain, by_pillow.opened, _with_metadata, LARGE_LOOKS),
    read=by_pillow.opened,
    is_small_enough=is_small_enough,
    strip_is_cheap=True,
    is_grey=True,
    encode_limited=encode_limited,
    fine_chroma=(57, 19),
    searched=((4e7, Effort.SMALL), (float("inf"), Effort.BALANCED)),
    recoded=_recoded,
    flat=_flat,
)

"""WebP, still and animated, by libwebp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyvips
from PIL import Image

from imaging.codec import NO_METADATA, Encoding, Plain, Purpose, Reader, Sought, Writer, loader
from imaging.formats.webp import by_pillow, chunks
from imaging.formats.webp.graphic import (
    BOTH_PIXELS,
    exact,
    of_graphic,
    palettes,
    with_all_colours,
    with_palette,
)
from imaging.formats.webp.still import save, save_whole
from imaging.formats.webp.ways import (
    DEFAULT_LOOK,
    GUESSED,
    exact_way,
    large_way,
    lossless_way,
    lossy_ways,
    one_way,
    part_way,
    sought_way,
)
from imaging.options import Effort
from imaging.write.banding import SIZE
from imaging.write.graphics import ALL_EFFORTS_PIXELS, TINY_PIXELS, Kind, efforts_tried, kind_of
from imaging.write.palette import Colours
from imaging.write.strips import Picture

TINY_WHOLE, TINY_FEW = (Effort.FAST, Effort.BALANCED), (Effort.BALANCED,)
"""The efforts that are tried, at any but `Effort.SMALL`, with all colours and with a palette on a
picture of at most `TINY_PIXELS`. All of them would take 0.2 % off the bytes of tiny graphics."""

WHOLE_GAIN = 1.25
"""Bytes of a file without loss of a tiny picture at `Effort.FAST` over those at the next, at the
most of 494: 1.15. Where they are more than so many times those with loss, the next is not tried."""

PALETTE_COST = 3
"""Bytes that each colour of a picture takes, without loss, at the least of those that fewer colours
made smaller: 3.2 of 119 tiny ones. A palette itself takes about as much."""

PALETTE_GAIN = 2.5
"""Bytes without loss over those with it, at the most, of those for which a palette was the best:
2.4."""

SHARP_GAIN = 1.7
"""Bytes of a lossy file over those of the same one with smart subsampling, at the most: 1.5."""
TINY_SHARP_GAIN = 1.3
"""Bytes of the lossy file of a tiny picture over those of the smallest one, at the most of 286 of
which that with smart subsampling was smaller than any: 1.08."""


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    quality, effort, keep = wanted.quality, wanted.effort, wanted.keep
    animated = image.get_page_height() < image.height
    large = large_way(image.width * image.get_page_height(), quality)
    if large:
        way = exact_way(image, effort) if wanted.lossless else large
        ways: Iterable[bytes] = [save(image, way, keep)]
    elif wanted.lossless:
        image = image.copy_memory()
        efforts = efforts_tried(image, effort)
        ways = (save(image, exact_way(image, each), keep) for each in efforts)
    elif animated:
        ways = _animations(image.copy_memory(), quality, effort, keep)
    else:
        colours = Colours(image.copy_memory(), quality, keep)
        of_few = image.width * image.height <= ALL_EFFORTS_PIXELS
        ways = (
            _small_stills(colours, effort)
            if of_few
            else _stills(colours, _ways_of(colours.image, quality, effort))
        )
    data = min(ways, key=len)
    return chunks.with_alpha(data) if animated and image.hasalpha() else data


def _plain(pixels: int, wanted: Encoding) -> Plain | None:
    if wanted.lossless:
        return None
    if large := large_way(pixels, wanted.quality):
        return partial(by_pillow.write, settings=large)
    return partial(_of_plain, quality=wanted.quality, effort=wanted.effort)


def _of_plain(picture: Image.Image, quality: int, effort: Effort) -> bytes:
    """As `encode`, of a still."""
    if picture.width * picture.height <= ALL_EFFORTS_PIXELS:
        return min(_small_stills(Colours(picture, quality, NO_METADATA), effort), key=len)
    ways = _ways_of(picture, quality, effort)
    if ways.kind is Kind.PHOTOGRAPH and all(map(by_pillow.can_write, ways.lossy)):
        return min((by_pillow.write(picture, way) for way in ways.lossy), key=len)
    return min(_stills(Colours(picture, quality, NO_METADATA), ways), key=len)


def seek(image: pyvips.Image, wanted: Sought) -> bytes:
    """As `encode`, by the lossy encoder in one way."""
    large = large_way(image.width * image.height, wanted.quality)
    plain = large if wanted.purpose is not Purpose.GUESS else None
    return save(image, plain or sought_way(wanted), wanted.keep)


def of_part(part: pyvips.Image, wanted: Encoding, whole: pyvips.Image) -> bytes:
    """A part of a photograph in the lossy way that most often is the smallest of the whole."""
    return save(part, part_way(whole, wanted.quality, wanted.effort), NO_METADATA)


@dataclass(frozen=True, slots=True)
class _Ways:
    """In which ways a still is written."""

    kind: Kind
    efforts: Sequence[Effort]
    lossy: Sequence[dict[str, Any]]


def _ways_of(image: Picture, quality: int, effort: Effort) -> _Ways:
    kind = kind_of(image, tried=ALL_EFFORTS_PIXELS)
    efforts = efforts_tried(image, effort)
    lossy = [] if kind is Kind.GRAPHIC else lossy_ways(image, quality, efforts)
    return _Ways(kind, efforts, lossy)


def _stills(colours: Colours, ways: _Ways) -> Iterator[bytes]:
    """The files of which the smallest is the result."""
    for way in ways.lossy:
        yield save(colours.image, way, colours.keep)
    if ways.kind is not Kind.PHOTOGRAPH:
        yield from palettes(colours, ways.efforts)
        yield from exact(colours, ways.efforts)


def _small_stills(colours: Colours, effort: Effort) -> list[bytes]:
    """As `_stills`, of a picture so small that all efforts are tried. What cannot win, by the bytes
    of what was tried before it, is left out: each way takes longer than all that is asked here."""
    image = colours.picture
    drawn = kind_of(image, tried=ALL_EFFORTS_PIXELS) is not Kind.PHOTOGRAPH
    efforts = efforts_tried(image, effort)
    lossy = [one_way(colours.quality, each) for each in efforts]
    plain = save_whole(colours, lossy[0])
    files = [plain]
    tiny = image.width * image.height <= TINY_PIXELS and effort is not Effort.SMALL
    if drawn:
        whole, few = (TINY_WHOLE, TINY_FEW) if tiny else (efforts, efforts)
        least = PALETTE_COST * (colours.count or SIZE)

        def pays(exact: float) -> bool:
            return least <= exact <= PALETTE_GAIN * len(plain)

        files += [with_all_colours(colours, whole[0])]
        exact = len(files[1])
        lost = tiny and exact > WHOLE_GAIN * len(plain)
        if not lost or pays(exact) != pays(exact / WHOLE_GAIN):
            files += [with_all_colours(colours, each) for each in whole[1:]]
            exact = min(map(len, files[1:]))
        if pays(exact) and colours.drawn_suffices:
            files += [with_palette(colours, each) for each in few]
    if len(plain) <= (TINY_SHARP_GAIN if tiny else SHARP_GAIN) * min(map(len, files)):
        files += [save_whole(colours, way) for way in lossy[1:]]
    return files


def _animations(image: pyvips.Image, quality: int, effort: Effort, keep: int) -> Iterator[bytes]:
    """As `_stills`, of an animation."""
    kind = kind_of(image, tried=BOTH_PIXELS)
    for each in efforts_tried(image, effort):
        lossy = one_way(quality, each)
        if kind is Kind.PHOTOGRAPH:
            yield save(image, lossy, keep)
            continue
        # Each frame by the encoder that gives fewer bytes, for what is drawn at one time and filmed
        # at another.
        yield save(image, {**lossy, "mixed": True}, keep)
        yield save(image, lossless_way(each), keep)
        if kind is Kind.EITHER:
            yield save(image, lossy, keep)


def _shrink(factor: float) -> dict[str, float]:
    return {"scale": 1 / factor} if factor > 1 else {}


READER = Reader(load=loader("webpload"), pillow="WEBP", pages=True, shrink=_shrink)
WRITER = Writer(
    encode,
    chunks.strip,
    bare=chunks.strip,
    plain=_plain,
    seek=seek,
    of_graphic=of_graphic,
    guessed=GUESSED,
    guessed_of_large=1.0,
    seen_in_part=True,
    read=by_pillow.read,
    of_part=of_part,
    default_quality=DEFAULT_LOOK,
    searched=((5e6, Effort.SMALL), (float("inf"), Effort.BALANCED)),
)

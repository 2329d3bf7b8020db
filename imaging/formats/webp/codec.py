"""WebP, still and animated, by libwebp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pyvips
from PIL import Image

from imaging.codec import NO_METADATA, Encoding, Plain, Purpose, Reader, Sought, Writer, loader
from imaging.formats.webp import by_pillow, chunks
from imaging.options import Effort
from imaging.quality import NO_QUALITY
from imaging.write import chroma
from imaging.write.graphics import ALL_EFFORTS_PIXELS, TINY_PIXELS, Kind, efforts_tried, kind_of
from imaging.write.palette import SIZE, Colours, to_pillow
from imaging.write.scale import along
from imaging.write.strips import Picture, to_vips

DEFAULT = 80
"""The quality where none is asked for, on libwebp's own scale; what the older server used."""

EFFORT = {Effort.FAST: 4, Effort.BALANCED: 5, Effort.SMALL: 6}

QUICK_EFFORT = 2
"""For the bytes of a photograph next to other formats, and a guess at its look: of four with fine
colours that was off by 0.3 (standard deviation), and with effort 0 by 0.7. Plain subsampling in
place of the smart one, which takes most of the time then, was off by up to 15."""

GUESSED = 0.98
"""How far from 100 a result is over what a guess tells: of 67 pictures of 0.26 megapixels it was
off by 0.9 then, at 23 from 100 (standard deviation)."""

LARGE_QUICK_EFFORT = 3
"""As `QUICK_EFFORT`, of the strips of a large picture: of 13 wallpapers the look was off by 0.2
(standard deviation), at 78 ms a megapixel, and with 2, at 35 ms, by 1.2."""

FINE_QUALITY = 90
"""From here on smart subsampling is always used: what little it gains is of some account."""

SHARP_PIXELS = 12_000_000
"""Pixels of the largest picture (or frame) that more than the plain encoder is used for: smart
subsampling takes 16 bytes a pixel, which for 50 megapixels is twice what all else needs."""

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

BOTH_PIXELS = 1_000_000
"""Pixels of the largest graphic that is written both with its own colours and with a palette; a
larger one gets the palette if that is enough, as in PNG."""

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

FAST_SCALE = (
    *((1, 1), (10, 8), (20, 12), (30, 27.3), (40, 39.8), (50, 51.1), (60, 61.3), (65, 68.5)),
    *((70, 73.9), (75, 77.6), (80, 81.7), (85, 85.4), (89, 88.7), (90, 93.4), (95, 98), (100, 100)),
)
"""The quality at which photographs by libwebp at effort 4 look, on average, as a JPEG does at the
one asked for, by SSIMULACRA2; docs/engine.md says how far single ones are from it. From 90 on a
JPEG keeps its chroma whole, which WebP cannot."""

PLAIN_SCALE = (
    *((1, 1), (10, 8), (20, 12), (30, 28.1), (40, 40.8), (50, 52.8), (60, 63.1), (65, 70)),
    *((70, 74.7), (75, 78.6), (80, 82.4), (85, 86), (89, 89), (90, 93), (95, 98), (100, 100)),
)
"""As `FAST_SCALE`, at effort 6, of photographs without fine colours."""

SHARP_SCALE = (
    *((1, 1), (10, 7), (20, 12), (30, 25.8), (40, 36.6), (50, 45.8), (60, 54.6), (65, 61)),
    *((70, 67.4), (75, 73.4), (80, 77.6), (85, 81.8), (89, 85), (90, 93), (95, 98), (100, 100)),
)
"""As `FAST_SCALE`, with smart subsampling, of photographs with fine colours."""

DEFAULT_LOOK = 78
"""The quality of a JPEG that looks as `DEFAULT` does."""

SHARP_DEFAULT = 78
"""The quality at which libwebp with smart subsampling looks as it does at `DEFAULT` without."""


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    quality, effort, keep = wanted.quality, wanted.effort, wanted.keep
    animated = image.get_page_height() < image.height
    if image.width * image.get_page_height() > SHARP_PIXELS:
        way = _exact_way(image, effort) if wanted.lossless else _one_way(quality, Effort.FAST)
        ways: Iterable[bytes] = [_save(image, way, keep)]
    elif wanted.lossless:
        image = image.copy_memory()
        efforts = efforts_tried(image, effort)
        ways = (_save(image, _exact_way(image, each), keep) for each in efforts)
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
    if pixels > SHARP_PIXELS:
        return partial(by_pillow.write, settings=_one_way(wanted.quality, Effort.FAST))
    return partial(_of_plain, quality=wanted.quality, effort=wanted.effort)


def _of_plain(picture: Image.Image, quality: int, effort: Effort) -> bytes:
    """As `encode`, of a still."""
    if picture.width * picture.height <= ALL_EFFORTS_PIXELS:
        return min(_small_stills(Colours(to_vips(picture), quality, NO_METADATA), effort), key=len)
    ways = _ways_of(picture, quality, effort)
    if ways.kind is Kind.PHOTOGRAPH and all(map(by_pillow.can_write, ways.lossy)):
        return min((by_pillow.write(picture, way) for way in ways.lossy), key=len)
    return min(_stills(Colours(to_vips(picture), quality, NO_METADATA), ways), key=len)


def seek(image: pyvips.Image, wanted: Sought) -> bytes:
    """As `encode`, by the lossy encoder in one way alone. Chroma is halved at every quality; smart
    subsampling comes nearest to a whole one."""
    quality, effort, whole_chroma = wanted.quality, wanted.effort, wanted.whole_chroma
    scale = SHARP_SCALE if whole_chroma else PLAIN_SCALE
    way = {"Q": along(scale, quality), "effort": EFFORT[effort], "smart_subsample": whole_chroma}
    if wanted.purpose is Purpose.GUESS:
        way["effort"] = LARGE_QUICK_EFFORT if wanted.of_large else QUICK_EFFORT
    elif image.width * image.height > SHARP_PIXELS:
        way = _plain_way(quality, EFFORT[Effort.FAST])
    elif effort is not Effort.FAST and not whole_chroma:
        way["effort"] = EFFORT[Effort.SMALL]
    lossy = _save(image, way, wanted.keep)
    if wanted.purpose is not Purpose.RESULT or image.width * image.height > SHARP_PIXELS:
        return lossy
    kind = kind_of(image, tried=ALL_EFFORTS_PIXELS)
    # The palette is one that is good enough where no quality is asked for: at a low one a worse
    # palette would have fewer bytes, and no relation to the look of the lossy file.
    colours = Colours(image, NO_QUALITY, wanted.keep)
    return min((lossy, *_drawn_ways(colours, kind, efforts_tried(image, effort))), key=len)


def quick(image: pyvips.Image, quality: int) -> bytes:
    """The file by the lossy encoder, in a third of the time of `FAST`."""
    return _save(image, _plain_way(quality, QUICK_EFFORT), NO_METADATA)


@dataclass(frozen=True, slots=True)
class _Ways:
    """In which ways a still is written."""

    kind: Kind
    efforts: Sequence[Effort]
    lossy: Sequence[dict[str, Any]]


def _ways_of(image: Picture, quality: int, effort: Effort) -> _Ways:
    kind = kind_of(image, tried=ALL_EFFORTS_PIXELS)
    efforts = efforts_tried(image, effort)
    lossy = [] if kind is Kind.GRAPHIC else _lossy_ways(image, quality, efforts)
    return _Ways(kind, efforts, lossy)


def _stills(colours: Colours, ways: _Ways) -> Iterator[bytes]:
    """The files of which the smallest is the result."""
    for way in ways.lossy:
        yield _save(colours.image, way, colours.keep)
    yield from _drawn_ways(colours, ways.kind, ways.efforts)


def _drawn_ways(colours: Colours, kind: Kind, efforts: Sequence[Effort]) -> Iterator[bytes]:
    """The files without loss and with a palette; none of a photograph."""
    pixels = colours.image.width * colours.image.height
    if kind is Kind.PHOTOGRAPH:
        return
    for each in efforts:
        if colours.suffices:
            yield _with_palette(colours, each)
        if not colours.suffices or colours.count is not None or pixels <= BOTH_PIXELS:
            yield _with_all_colours(colours, each)


def _lossy_ways(image: Picture, quality: int, efforts: Sequence[Effort]) -> list[dict[str, Any]]:
    """Smart subsampling, which takes more than half of the time, where the picture has fine
    colours; else all the effort that there is, which takes less."""
    if efforts == (Effort.FAST,) or quality >= FINE_QUALITY or chroma.is_fine(image):
        return [_one_way(quality, each) for each in efforts]
    numbers = {EFFORT[each if each is Effort.FAST else Effort.SMALL] for each in efforts}
    return [_plain_way(quality, number) for number in sorted(numbers)]


def _small_stills(colours: Colours, effort: Effort) -> list[bytes]:
    """As `_stills`, of a picture so small that all efforts are tried. What cannot win, by the bytes
    of what was tried before it, is left out: each way takes longer than all that is asked here."""
    image = colours.image
    drawn = kind_of(image, tried=ALL_EFFORTS_PIXELS) is not Kind.PHOTOGRAPH
    efforts = efforts_tried(image, effort)
    lossy = [_one_way(colours.quality, each) for each in efforts]
    plain = _save_whole(colours, lossy[0])
    files = [plain]
    tiny = image.width * image.height <= TINY_PIXELS and effort is not Effort.SMALL
    if drawn:
        whole, few = (TINY_WHOLE, TINY_FEW) if tiny else (efforts, efforts)
        least = PALETTE_COST * (colours.count or SIZE)

        def pays(exact: float) -> bool:
            return least <= exact <= PALETTE_GAIN * len(plain)

        files += [_with_all_colours(colours, whole[0])]
        exact = len(files[1])
        lost = tiny and exact > WHOLE_GAIN * len(plain)
        if not lost or pays(exact) != pays(exact / WHOLE_GAIN):
            files += [_with_all_colours(colours, each) for each in whole[1:]]
            exact = min(map(len, files[1:]))
        if pays(exact) and colours.drawn_suffices:
            files += [_with_palette(colours, each) for each in few]
    if len(plain) <= (TINY_SHARP_GAIN if tiny else SHARP_GAIN) * min(map(len, files)):
        files += [_save_whole(colours, way) for way in lossy[1:]]
    return files


def _with_all_colours(colours: Colours, effort: Effort) -> bytes:
    packed = (colours.count or SIZE) <= PACKED_COLOURS
    search = (PACKED_SEARCH if packed else LOSSLESS_SEARCH)[effort]
    return _save_whole(colours, {"lossless": True, **search})


def _with_palette(colours: Colours, effort: Effort) -> bytes:
    """At `Effort.FAST` that of PNG, and above it held against that of `Effort.FAST`."""
    image = colours.shown(effort) if effort is Effort.FAST else colours.drawn(effort)
    return _save(image, {"lossless": True, **LOSSLESS_SEARCH[effort]}, colours.keep)


def _animations(image: pyvips.Image, quality: int, effort: Effort, keep: int) -> Iterator[bytes]:
    """As `_stills`, of an animation."""
    kind = kind_of(image, tried=BOTH_PIXELS)
    for each in efforts_tried(image, effort):
        lossy = _one_way(quality, each)
        if kind is Kind.PHOTOGRAPH:
            yield _save(image, lossy, keep)
            continue
        # Each frame by the encoder that gives fewer bytes, for what is drawn at one time and filmed
        # at another.
        yield _save(image, {**lossy, "mixed": True}, keep)
        yield _save(image, {"lossless": True, **LOSSLESS_SEARCH[each]}, keep)
        if kind is Kind.EITHER:
            yield _save(image, lossy, keep)


def _save_whole(colours: Colours, settings: Mapping[str, Any]) -> bytes:
    """The still with all of its colours."""
    if colours.is_small and not colours.keep and by_pillow.can_write(settings):
        return by_pillow.write(colours.small, settings)
    return _save(colours.image, settings, colours.keep)


def _save(image: pyvips.Image, settings: Mapping[str, Any], keep: int) -> bytes:
    if not keep and by_pillow.can_write(settings) and by_pillow.is_still(image):
        with suppress(OSError, ValueError):  # libvips says why, if it cannot either
            return by_pillow.write(to_pillow(image), settings)
    return cast(bytes, image.webpsave_buffer(keep=keep, **settings))


def _exact_way(image: pyvips.Image, effort: Effort) -> dict[str, Any]:
    """Every pixel as it is."""
    pixels = image.width * image.height
    search: Mapping[str, int] = LOSSLESS_SEARCH[effort]
    if pixels > SEARCHED_PIXELS[effort]:
        search = next(search for most, search in LARGE_SEARCH if pixels <= most)
    return {"lossless": True, "exact": True, **search}


def _one_way(quality: int, effort: Effort) -> dict[str, Any]:
    if effort is Effort.FAST:
        return _plain_way(quality, EFFORT[effort])
    number = along(SHARP_SCALE, quality) if quality else SHARP_DEFAULT
    return {"Q": number, "effort": EFFORT[effort], "smart_subsample": True}


def _plain_way(quality: float, effort: int) -> dict[str, Any]:
    scale = FAST_SCALE if effort == EFFORT[Effort.FAST] else PLAIN_SCALE
    number = along(scale, quality) if quality else DEFAULT
    return {"Q": number, "effort": effort, "smart_subsample": False}


def _shrink(factor: float) -> dict[str, float]:
    return {"scale": 1 / factor} if factor > 1 else {}


READER = Reader(load=loader("webpload"), pillow="WEBP", pages=True, shrink=_shrink)
WRITER = Writer(
    encode,
    chunks.strip,
    bare=chunks.strip,
    plain=_plain,
    seek=seek,
    guessed=GUESSED,
    guessed_of_large=1.0,
    pixels=by_pillow.pixels,
    quick=quick,
    default_quality=DEFAULT_LOOK,
    searched=((5e6, Effort.SMALL), (float("inf"), Effort.BALANCED)),
)

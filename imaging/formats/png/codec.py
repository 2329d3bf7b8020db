"""PNG: with a palette where that looks the same, by libvips's own quantiser; then oxipng."""

from __future__ import annotations

import pyvips

from imaging.codec import Encoding, Reader, Writer, loader
from imaging.colour.icc import has_grey_profile
from imaging.data import Data
from imaging.formats.png import animation, apng, by_pillow, chunks, colours
from imaging.formats.png.optimise import optimise, optimise_palette, strip
from imaging.limits import Limits
from imaging.options import Effort
from imaging.read.whole import check_decodes
from imaging.source import Source
from imaging.write.graphics import efforts_tried
from imaging.write.palette import DEFAULT, PLAIN_BELOW, Colours

COMPRESSION = {Effort.FAST: 9, Effort.BALANCED: 1, Effort.SMALL: 1}
"""zlib's level; what oxipng compresses anew is only passed on."""


CURVE = (
    *((1, 0.25), (9, 0.42), (10, 0.46), (20, 0.54), (40, 0.63), (60, 0.75), (75, 0.9)),
    *((85, 1.0), (100, 1.1)),
)
"""Bytes of palettes at each quality over those at 85, on photographs."""


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    """The file. Its quality is pngquant's largest."""
    if image.get_page_height() < image.height:
        return animation.encode(image, wanted)
    colours = Colours(image.copy_memory(), wanted.quality, wanted.keep)
    efforts = efforts_tried(colours.image, wanted.effort)
    return min((_encode(colours, each, wanted.lossless) for each in efforts), key=len)


def _encode(colours: Colours, effort: Effort, lossless: bool) -> bytes:
    if lossless or not colours.suffices:
        return _true_colour(colours, effort)
    quantised = colours.quantised(effort, COMPRESSION[effort])
    if quantised is None:
        return _true_colour(colours, effort)
    palette = optimise_palette(quantised, effort, colours.image.width * colours.image.height)
    if colours.count is None:
        return palette
    return min(palette, _true_colour(colours, effort), key=len)


def encode_limited(image: pyvips.Image, wanted: Encoding) -> bytes:
    """As `encode`, with a palette at any quality: fewer colours the lower it is."""
    if image.get_page_height() < image.height:
        return animation.encode(image, wanted, limited=True)
    effort, colours = wanted.effort, Colours(image, wanted.quality, wanted.keep)
    if has_grey_profile(image):
        return _true_colour(colours, effort)
    palette = optimise_palette(
        colours.reduced(effort, COMPRESSION[effort], plain=wanted.quality < PLAIN_BELOW),
        effort,
        image.width * image.height,
    )
    if colours.count is None:
        return palette
    return min(palette, _true_colour(colours, effort), key=len)


def _true_colour(colours: Colours, effort: Effort) -> bytes:
    data = colours.image.pngsave_buffer(compression=1, filter="none", keep=colours.keep)
    return optimise(data, effort)


def _decode(data: Data, kind: str, limits: Limits, all_frames: bool) -> Source | None:
    return apng.decode(data, kind, limits) if all_frames else None


def _check_whole(data: Data, all_frames: bool) -> None:
    check_decodes(loader("pngload"), data)
    if all_frames:
        apng.check_whole(data)


def _frames(data: bytes, most: int) -> int:
    animation = apng.parse(data, Limits(2**62, most)) if most > 1 else None
    return len(animation.frames) if animation else 1


READER = Reader(
    load=loader("pngload"),
    pillow="PNG",
    is_lenient=True,
    tiny=by_pillow.read,
    check=chunks.check,
    said=colours.read,
    decode=_decode,
    check_whole=_check_whole,
)
WRITER = Writer(
    encode,
    strip,
    chunks.bare,
    is_grey=True,
    frames=_frames,
    with_xmp=chunks.with_xmp,
    encode_limited=encode_limited,
    spoils_colours=True,
    finest=100,
    default_quality=DEFAULT,
    lowest_quality=1,
    curve=CURVE,
    searched=((1.5e6, Effort.SMALL), (3.5e6, Effort.BALANCED)),
)

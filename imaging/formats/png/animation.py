"""Animated PNG: one palette for all frames where that looks the same; of each what changes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import pyvips
from PIL import Image, ImageChops

from imaging.codec import Encoding
from imaging.colour.icc import has_grey_profile
from imaging.formats.png import SIGNATURE
from imaging.formats.png.chunks import COLOUR_CHUNKS, chunk, chunks
from imaging.formats.png.optimise import optimise
from imaging.options import Effort
from imaging.source import as_still
from imaging.write.banding import without_banding
from imaging.write.palette import (
    DEFAULT,
    EXACT_COLOURS,
    QUANTISER_EFFORTS,
    QUANTISER_SCALE,
    WORST_BELOW,
    allowed_banding,
    count_colours,
    palette_is_enough,
    to_pillow,
)
from imaging.write.scale import along, within

_COLOUR_TYPES = {"L": 0, "RGB": 2, "P": 3, "LA": 4, "RGBA": 6}
"""By Pillow's names (PNG, third edition, 11.2.1)."""

_MAX_16_BIT = 2**16 - 1

_Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Frame:
    box: _Box
    """Left, top, right and bottom of what changes."""
    delay: int
    """Milliseconds."""
    pixels: bytes
    """As an IDAT holds them."""


def encode(image: pyvips.Image, wanted: Encoding, *, limited: bool = False) -> bytes:
    """The file.

    Args:
        limited: whether it has a palette at any quality, fewer colours the lower it is.
    """
    height, delays, loop = image.get_page_height(), image.get("delay"), image.get("loop")
    image = as_still(image.copy_memory())
    head = image.crop(0, 0, image.width, height).pngsave_buffer(compression=0, keep=wanted.keep)
    meta = [(kind, body) for kind, body, _ in chunks(head) if kind in (*COLOUR_CHUNKS, b"eXIf")]
    strip, bits = to_pillow(image), 8
    palette = None
    if not has_grey_profile(image):
        palette = _palette(image, wanted, limited=limited)
    if palette is not None:
        picture = Image.open(io.BytesIO(palette))
        picture.load()
        if picture.mode == "P":
            strip, bits = picture, palette[len(SIGNATURE) + 8 + 8]
            meta += [(k, body) for k, body, _ in chunks(palette) if k in (b"PLTE", b"tRNS")]
    frames = list(_frames(strip, height, bits, delays))
    header = struct.pack(">IIBBBBB", strip.width, height, bits, _COLOUR_TYPES[strip.mode], 0, 0, 0)
    data = b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", header),
            *(chunk(kind, bytes(body)) for kind, body in meta),
            chunk(b"acTL", struct.pack(">II", len(frames), loop)),
            *_written(frames),
            chunk(b"IEND", b""),
        )
    )
    return optimise(data, wanted.effort)


def _palette(image: pyvips.Image, wanted: Encoding, *, limited: bool) -> bytes | None:
    """All frames with one palette, or None if that is seen, and it need not be.

    Not dithered: noise of its own in each frame flickers, and takes bytes where nothing moves.
    """
    quality, effort = wanted.quality or DEFAULT, wanted.effort
    if limited:
        return _quantised(image, along(QUANTISER_SCALE, quality), effort)
    colours = count_colours(image)
    if colours is not None:
        data = _quantised(image, 100, effort)
        written = Image.open(io.BytesIO(data)).convert("RGBA")
        original = to_pillow(image).convert("RGBA")
        if ImageChops.difference(written, original).getbbox(alpha_only=False) is None:
            return data
    if wanted.lossless or (colours is not None and colours <= EXACT_COLOURS):
        return None
    if not palette_is_enough(image, quality - WORST_BELOW):
        return None
    number = along(QUANTISER_SCALE, quality)
    return without_banding(
        image,
        number,
        lambda each: _quantised(image, each, effort),
        at_once=colours is not None,
        allowed=allowed_banding(quality),
        usual=along(QUANTISER_SCALE, DEFAULT),
    )


def _quantised(image: pyvips.Image, quality: int, effort: Effort) -> bytes:
    search = within(QUANTISER_EFFORTS[effort], image.width * image.height)
    data = image.pngsave_buffer(
        palette=True, Q=quality, effort=search, dither=0, compression=1, keep="none"
    )
    return cast(bytes, data)


def _frames(strip: Image.Image, height: int, bits: int, delays: list[int]) -> Iterator[_Frame]:
    """What changes from frame to frame; one that is as the one before lengthens that."""
    last: _Frame | None = None
    before: Image.Image | None = None
    for number, delay in enumerate(delays):
        shown = strip.crop((0, number * height, strip.width, (number + 1) * height))
        box = (0, 0, strip.width, height)
        if before is not None and last is not None:
            changed = ImageChops.difference(shown, before).getbbox(alpha_only=False)
            if changed is None and last.delay + delay <= _MAX_16_BIT:
                last = replace(last, delay=last.delay + delay)
                continue
            box = changed or (0, 0, 1, 1)
        if last is not None:
            yield last
        last, before = _Frame(box, delay, _packed(shown.crop(box), bits)), shown
    if last is not None:
        yield last


def _packed(part: Image.Image, bits: int) -> bytes:
    """Its rows, unfiltered: oxipng filters and compresses them anew."""
    raw = part.tobytes("raw", part.mode if bits == 8 else f"{part.mode};{bits}")
    row = len(raw) // part.height
    packer = zlib.compressobj(1)
    packed = [
        packer.compress(b"\0" + raw[at : at + row]) for at in range(0, row * part.height, row)
    ]
    return b"".join((*packed, packer.flush()))


def _written(frames: list[_Frame]) -> Iterator[bytes]:
    sequence = 0
    for number, frame in enumerate(frames):
        left, top, right, bottom = frame.box
        size = (right - left, bottom - top, left, top)
        # Left as it is for the next one, and put in the place of what is there.
        control = struct.pack(">IIIIIHHBB", sequence, *size, *_fraction(frame.delay), 0, 0)
        yield chunk(b"fcTL", control)
        sequence += 1
        if number == 0:
            yield chunk(b"IDAT", frame.pixels)
        else:
            yield chunk(b"fdAT", struct.pack(">I", sequence) + frame.pixels)
            sequence += 1


def _fraction(delay: int) -> tuple[int, int]:
    """Milliseconds as seconds in a fraction of two numbers of 16 bit."""
    for parts in (1000, 100, 10):
        if delay * parts // 1000 <= _MAX_16_BIT:
            return round(delay * parts / 1000), parts
    return min(_MAX_16_BIT, round(delay / 1000)), 1

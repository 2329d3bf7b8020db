"""A whole conversion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyvips

from imaging import apng
from imaging.colour.kept import keeps_profile
from imaging.data import Data
from imaging.encoders import animated_png, avif, gif, jpeg, png, webp
from imaging.errors import TOO_MANY_PIXELS, PictureError, ReaderFailed
from imaging.formats import Format, same_format
from imaging.lossless import strip
from imaging.lossless.jpeg_tables import is_small_enough
from imaging.lossless.plain import drop_metadata
from imaging.measures import Measures, Size
from imaging.metadata import NOTHING, WANTED, attach, select_exif
from imaging.normalise import flatten, normalise
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY
from imaging.read.decode import ANIMATED, decode, decode_otherwise, orientation, reason
from imaging.read.source import QUARTER_TURNS, Source
from imaging.resize import resize
from imaging.target import Target
from imaging.verify import Unreadable, check_colours, check_header

FRAMES = {Format.WEBP: ANIMATED, Format.GIF: ANIMATED, Format.PNG: apng.KINDS}
"""The kinds of file whose frames each format gets. A PNG of another kind is its first frame: a
picture that every program opens."""

CLEARLY_SMALLER = 0.9
"""A result of more than this share of the original is held against the original's own pixels; of a
JPEG every result is, as that takes no time but for `Effort.SMALL`."""


def convert(
    data: Data, target: Target, tell: Callable[[Measures], None] = lambda measures: None
) -> bytes:
    """The picture in `data` as `target` describes it.

    In its own format and size it never becomes larger: then its own pixels are the result, as they
    are.

    Args:
        tell: called with the sizes as soon as each is known, also of a picture that fails later.

    Raises:
        PictureError: if it cannot be read or written, or if what was written is wrong.
    """
    try:
        return _convert(data, target, tell)
    except Unreadable:
        if target.careful:
            raise
        return _convert(data, replace(target, effort=Effort.FAST, careful=True), tell)


def _convert(data: Data, target: Target, tell: Callable[[Measures], None]) -> bytes:
    """As `convert` does, once: by libvips, or where that fails by the other reader."""
    frames = FRAMES.get(target.format, ())
    try:
        source = decode(data, target.limits, frames=frames, options=target.options)
        return _converted(data, source, target, tell)
    except ReaderFailed as error:
        told = str(error)
    except pyvips.Error as error:  # most of a picture is decoded only as it is written
        told = f"the picture cannot be converted: {reason(error)}"
    try:
        source = decode_otherwise(data, target.limits, frames=frames)
        return _converted(data, source, target, tell)
    except Unreadable:
        raise
    except (PictureError, pyvips.Error) as error:
        if isinstance(error, PictureError) and error.code == TOO_MANY_PIXELS:
            raise
        # What the reader of first choice says is the reason.
        raise PictureError(told) from None


def _converted(
    data: Data, source: Source, target: Target, tell: Callable[[Measures], None]
) -> bytes:
    """The opened picture as `target` describes it.

    Raises:
        PictureError: if it cannot be written, or if what was written is wrong.
        pyvips.Error: if it cannot be decoded or written.
    """
    measures = Measures(Size(*source.size))
    tell(measures)
    prepared = _prepare(source, target)
    size = Size(prepared.width, prepared.height // source.frames)
    tell(replace(measures, result=size))
    if why := target.format.too_large(size):
        raise PictureError(why)
    result = _unencoded(data, source, target) or _encoded(data, source, target, prepared)
    sizes = {size}
    if orientation(source.image) in QUARTER_TURNS:  # its own pixels are stored turned
        sizes.add(Size(size.height, size.width))
    check_header(result, target.format, sizes, source.frames)
    check_colours(result, data, target, size)
    return result


def _prepare(source: Source, target: Target) -> pyvips.Image:
    """The pixels as they are to be written, with the metadata that is to be kept."""
    options = target.options
    keep_profile = keeps_profile(source.image, target.format, options)
    image = normalise(source.image, keep_profile=keep_profile, turn=not source.animated)
    resized = resize(replace(source, image=image), options, target.limits)
    image = resized.image
    if target.format is Format.JPG or options.background is not None:
        image = flatten(image, options.background)
    image = attach(image, select_exif(source.exif, options.keep), profile=keep_profile)
    for name in ("n-pages", "page-height", "delay", "loop"):
        if image.get_typeof(name):
            image.remove(name)
    if source.animated:
        image.set_type(pyvips.GValue.gint_type, "page-height", image.height // source.frames)
        image.set_type(pyvips.GValue.array_int_type, "delay", list(source.delays))
        image.set_type(pyvips.GValue.gint_type, "loop", source.loop)
    return image


def _unencoded(data: Data, source: Source, target: Target) -> bytes | None:
    """The original's own pixels, of a JPEG whose tables say that the encoder would only lose."""
    spared = (
        target.format is Format.JPG
        and not target.careful
        and _is_replaceable(source, target)
        and orientation(source.image) == 1
        and is_small_enough(data, target.quality or DEFAULT_QUALITY, target.effort)
    )
    return _own(data, source, target, strip) if spared else None


def _encoded(data: Data, source: Source, target: Target, image: pyvips.Image) -> bytes:
    """The pixels in the format of `target`; the original's own where they are fewer bytes."""
    result = _encode(image, target)
    if _is_replaceable(source, target):
        # mozjpeg's optimiser ends the process over some broken pictures that libvips decodes.
        compared = target.format is Format.JPG or len(result) > CLEARLY_SMALLER * len(data)
        if compared and not target.careful:
            result = min(result, _own(data, source, target, strip) or result, key=len)
        if len(result) > len(data):
            result = min(result, _own(data, source, target, drop_metadata) or result, key=len)
    return result


def _encode(image: pyvips.Image, target: Target) -> bytes:
    quality, effort, lossless = target.quality, target.effort, target.options.lossless
    # With anything to be kept libvips writes a block of EXIF even where there is none.
    keep = WANTED if target.options.keep else NOTHING
    match target.format:
        case Format.JPG:
            return jpeg.encode(image, quality or DEFAULT_QUALITY, effort, keep=keep)
        case Format.WEBP:
            return webp.encode(image, quality, effort, lossless=lossless, keep=keep)
        case Format.AVIF:
            return avif.encode(image, quality, effort, lossless=lossless, keep=keep)
        case Format.PNG if image.get_page_height() < image.height:
            return animated_png.encode(image, quality, effort, lossless=lossless, keep=keep)
        case Format.PNG:
            return png.encode(image, quality, effort, lossless=lossless, keep=keep)
        case Format.GIF:
            return gif.encode(image, effort)


def _is_replaceable(source: Source, target: Target) -> bool:
    """Whether the original's own pixels would be what was asked for."""
    options = target.options
    return (
        same_format(source.media_type) is target.format
        and not options.resizes
        and options.background is None
    )


def _own(
    data: Data,
    source: Source,
    target: Target,
    strip: Callable[[Format, bytes, bytes | None, Effort], bytes],
) -> bytes | None:
    """The original's own pixels without its metadata, None if it cannot be followed.

    The original itself, where nothing is to be dropped and nothing can be saved.
    """
    turn = orientation(source.image)
    exif = select_exif(source.exif, target.options.keep, turn if turn > 1 else None)
    try:
        return strip(target.format, bytes(data), exif, target.effort)
    except PictureError:
        return None

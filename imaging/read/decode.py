"""From the bytes of a file to pixels, through loaders that are named one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

import pyvips
from pyvips import Operation

from imaging import apng, bitmap, icons, tiff
from imaging.colour.declared import declared, said
from imaging.colour.said import Said
from imaging.data import Data
from imaging.errors import PictureError, ReaderFailed
from imaging.formats.kinds import not_supported
from imaging.formats.recognise import HEAD_SIZE, picture_type
from imaging.limits import Limits
from imaging.lossless.gif import with_ends
from imaging.options import DEFAULTS, Gravity, Options
from imaging.read import pillow
from imaging.read.headers import check_header
from imaging.read.source import QUARTER_TURNS, Source
from imaging.resize import shrink_on_load

LOADERS: dict[str, Callable[..., pyvips.Image]] = {
    "image/jpeg": partial(Operation.call, "jpegload_buffer"),
    "image/png": partial(Operation.call, "pngload_buffer"),
    "image/apng": partial(Operation.call, "pngload_buffer"),
    "image/webp": partial(Operation.call, "webpload_buffer"),
    "image/gif": partial(Operation.call, "gifload_buffer"),
    "image/tiff": tiff.load,
    "image/avif": partial(Operation.call, "heifload_buffer"),
}
"""The loader for each kind of file. libvips knows more (SVG, PDF, other programs), and what is not
named here or in `pillow.LOADERS` is never called."""

ANIMATED = ("image/gif", "image/webp", *apng.KINDS)
"""The kinds that may have several frames, and whose frames are read."""


def decode(
    data: Data,
    limits: Limits,
    *,
    frames: Collection[str] = (),
    options: Options = DEFAULTS,
) -> Source:
    """The picture in `data`, with the profile of its colours where they are no sRGB. The pixels
    themselves are decoded when needed.

    Args:
        data: must outlive the picture.
        limits: how large it may be, by its header.
        frames: the kinds of `ANIMATED` of which all frames are wanted; else the first is taken.
        options: what it will be resized to, as some decoders can make it smaller in passing.

    Raises:
        PictureError: if it is of no known kind, its header cannot be read, or it is too large;
            ReaderFailed if `decode_otherwise` may be able to read it.
    """
    kind = picture_type(bytes(data[:HEAD_SIZE]))
    if kind not in pillow.LOADERS and kind not in LOADERS:
        raise PictureError(not_supported(kind))
    inner, data = _inner(data, kind)
    return replace(_decode(data, inner, limits, frames, options), media_type=kind)


def decode_otherwise(data: Data, limits: Limits, *, frames: Collection[str] = ()) -> Source:
    """The picture in `data`, which libvips cannot read, by Pillow. Arguments as of `decode`.

    Raises:
        PictureError: if Pillow cannot read it either, would show the first frame alone where all
            are wanted, or it is too large.
    """
    kind = str(picture_type(bytes(data[:HEAD_SIZE])))
    inner, data = _inner(data, kind)
    if inner not in pillow.FALL_BACK:
        raise PictureError("there is no other reader for this kind of file")
    check_header(data, inner, limits)
    source = pillow.decode(data, inner, limits, frames=kind in frames)
    exif = tiff.exif_of(data) if kind == "image/tiff" else source.exif
    image = declared(source.image, said(data, inner))
    return replace(source, media_type=kind, image=image, exif=exif)


def _inner(data: Data, kind: str) -> tuple[str, Data]:
    """Media type and bytes of the one picture that is shown of a file of this kind."""
    return icons.best(data) if kind == "image/x-icon" else (kind, data)


def _decode(
    data: Data, kind: str, limits: Limits, frames: Collection[str], options: Options
) -> Source:
    check_header(data, kind, limits)
    what = said(data, kind)
    source = _decoded(data, kind, limits, what, frames=frames, options=options)
    return replace(source, image=declared(source.image, what))


def _decoded(
    data: Data, kind: str, limits: Limits, what: Said, *, frames: Collection[str], options: Options
) -> Source:
    """The picture with its values as they are stored."""
    if kind == "image/bmp" and (header := bitmap.header(data)):
        return bitmap.decode(data, header, limits)
    if kind in pillow.LOADERS:
        return pillow.decode(data, kind, limits, deep=what.is_hdr)
    if kind in apng.KINDS and kind in frames and (animation := apng.decode(data, kind, limits)):
        return animation
    if kind == "image/gif":
        data = with_ends(data)
    loader = LOADERS[kind]
    all_frames = {"n": -1} if kind in frames and kind not in apng.KINDS else {}
    image = _load(loader, data, access="sequential", **all_frames)
    count = _count(image) if all_frames else 1
    width, height = image.width, image.height // count
    limits.check_size(width, height, count)
    limits.check_frames(_count(image))
    turn = orientation(image)
    if turn in QUARTER_TURNS:
        width, height = height, width
    shrunk = _shrink(kind, shrink_on_load(width, height, options)) if count == 1 else {}
    # A stream gives rows in their order alone, which these do not keep to.
    random = (
        turn > 1
        or (count > 1 and options.resizes)
        or options.gravity is Gravity.ATTENTION
        or what.is_hdr
    )
    if shrunk or random:
        access = "random" if random else "sequential"
        image = _load(loader, data, access=access, **all_frames, **shrunk)
    return Source(
        kind,
        image,
        exif=tiff.exif_of(data) if kind == "image/tiff" else _blob(image, "exif-data"),
        size=(width, height),
        frames=count,
        delays=_delays(image, count) if count > 1 else (),
        loop=image.get("loop") if image.get_typeof("loop") else 0,
    )


def reason(error: pyvips.Error, otherwise: str = "libvips does not say why") -> str:
    """What libvips says of an error, in one line, or `otherwise` if that is nothing."""
    lines = [line.strip() for line in str(error.detail or error.message).splitlines()]
    # Without a text of libvips's own pyvips says which function it was, which nobody has to know.
    told = (line for line in lines if line and not line.startswith("unable to call "))
    return "; ".join(dict.fromkeys(told)) or otherwise


def _shrink(kind: str, shrink: float) -> dict[str, float]:
    """How the decoder is told to make the picture smaller: a JPEG in its transform, by 2, 4 or 8; a
    WebP by any factor."""
    if kind == "image/jpeg" and shrink >= 2:
        return {"shrink": 8 if shrink >= 8 else 4 if shrink >= 4 else 2}
    if kind == "image/webp" and shrink > 1:
        return {"scale": 1 / shrink}
    return {}


def _load(loader: Callable[..., pyvips.Image], data: Data, **options: object) -> pyvips.Image:
    try:
        return loader(data, **options)
    except pyvips.Error as error:
        why = reason(error, "the file is broken, or of a variant that is not supported")
        raise ReaderFailed(f"the picture cannot be read: {why}") from None


def orientation(image: pyvips.Image) -> int:
    """How the picture is to be turned or mirrored before it is shown, as EXIF numbers it."""
    return int(image.get("orientation")) if image.get_typeof("orientation") else 1


def _count(image: pyvips.Image) -> int:
    return max(1, int(image.get("n-pages"))) if image.get_typeof("n-pages") else 1


def _delays(image: pyvips.Image, count: int) -> list[int]:
    delays = list(image.get("delay")) if image.get_typeof("delay") else []
    return (delays + [0] * count)[:count]


def _blob(image: pyvips.Image, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None

"""From the bytes of a file to pixels, through loaders that are named one by one."""

from __future__ import annotations

import struct
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

import pyvips

from imaging.codec import Load
from imaging.codecs import READERS
from imaging.colour.declared import declared
from imaging.colour.said import NOTHING, Said
from imaging.data import Data
from imaging.errors import ENDS_EARLY, PictureError, ReaderFailed, UnknownVariant
from imaging.formats.recognise import HEAD_SIZE, not_supported, picture_type
from imaging.limits import Limits
from imaging.options import DEFAULTS, Options
from imaging.read import pillow
from imaging.read.whole import check_decodes, damaged
from imaging.source import QUARTER_TURNS, Source, blob, orientation
from imaging.steps.resize import reads_in_any_order, shrink_on_load


def decode(
    data: Data,
    limits: Limits,
    *,
    frames: Collection[str] = (),
    options: Options = DEFAULTS,
) -> Source:
    """The picture in `data`, with the profile of its colours where they are not sRGB. The pixels
    themselves are decoded when needed.

    Args:
        data: must outlive the picture.
        limits: how large it may be, by its header.
        frames: the kinds of file of which all frames are wanted; else the first is taken.
        options: what it will be resized to, as some decoders can make it smaller in passing.

    Raises:
        PictureError: if it is of no known kind, its header cannot be read, or it is too large;
            ReaderFailed if `decode_otherwise` may be able to read it.
    """
    kind = picture_type(bytes(data[:HEAD_SIZE]))
    if kind is None or kind not in READERS:
        raise PictureError(not_supported(kind))
    inner, data = READERS[kind].inner(data, kind)
    what = _checked(data, inner, limits)
    source = _decoded(data, inner, limits, what, all_frames=inner in frames, options=options)
    return replace(source, media_type=kind, image=declared(source.image, what))


def decode_otherwise(data: Data, limits: Limits, *, frames: Collection[str] = ()) -> Source:
    """The picture in `data`, which libvips cannot read, by Pillow. Arguments as of `decode`.

    Raises:
        PictureError: if Pillow cannot read it either, would show the first frame alone where all
            are wanted, or it is too large.
    """
    kind = str(picture_type(bytes(data[:HEAD_SIZE])))
    inner, data = READERS[kind].inner(data, kind)
    reader = READERS[inner]
    if reader.load is None or reader.pillow is None:
        raise PictureError("there is no other reader for this kind of file")
    what = _checked(data, inner, limits)
    reader.check_for_pillow(data)
    source = pillow.decode(data, inner, reader.pillow, limits, frames=kind in frames)
    exif = reader.exif(data) if reader.exif else source.exif
    return replace(source, media_type=kind, image=declared(source.image, what), exif=exif)


def check_whole(data: Data, limits: Limits) -> None:
    """See whether all pixels of the first picture in `data` can be decoded, where its loader shows
    a broken file as far as it goes, which may be nowhere.

    Raises:
        PictureError: if not.
    """
    kind = picture_type(bytes(data[:HEAD_SIZE]))
    inner, data = READERS[str(kind)].inner(data, str(kind))
    reader = READERS[inner]
    if reader.load is None or not reader.is_lenient:
        return
    _checked(data, inner, limits)
    if (source := reader.decode(data, inner, limits, False)) and source.is_cut:
        raise PictureError(f"the picture cannot be read: {ENDS_EARLY}")
    try:
        reader.load(reader.mended(data), access="sequential", fail_on="error").avg()
    except pyvips.Error as error:
        why = reason(error, "its pixels are broken")
        raise PictureError(f"the picture cannot be read: {why}") from None


def check_undamaged(data: Data, source: Source, *, frames: Collection[str]) -> None:
    """See whether a picture that `decode` has opened is whole, with everything that is shown of it.

    A kind that Pillow alone reads is not looked at: that decodes all of it at once, and refuses one
    that was cut off.

    Args:
        source: the same, opened.
        frames: the kinds of file of which all frames are shown.

    Raises:
        PictureError: if not.
    """
    if source.is_cut:
        raise damaged(ENDS_EARLY)
    kind = str(picture_type(bytes(data[:HEAD_SIZE])))
    inner, data = READERS[kind].inner(data, kind)
    reader, all_frames = READERS[inner], inner in frames
    if reader.check_whole is not None:
        reader.check_whole(data, all_frames)
    elif reader.load is not None:
        with suppress(UnknownVariant):  # Pillow's turn
            every = all_frames and reader.pages
            check_decodes(reader.load, reader.mended(data), all_frames=every)


def _checked(data: Data, kind: str, limits: Limits) -> Said:
    """What the file says of its colours, once its header promises no more than it may."""
    reader = READERS[kind]
    with suppress(struct.error):  # it ends too early
        reader.check(data, limits)
    try:
        return reader.said(data)
    except (struct.error, IndexError, ValueError):
        return NOTHING


def _decoded(
    data: Data, kind: str, limits: Limits, what: Said, *, all_frames: bool, options: Options
) -> Source:
    """The picture with its values as they are stored."""
    reader = READERS[kind]
    if source := reader.decode(data, kind, limits, all_frames):
        return source
    if reader.load is None:
        assert reader.pillow is not None, f"{kind} has no reader"
        return pillow.decode(data, kind, reader.pillow, limits, deep=what.is_hdr)
    mended = reader.mended(data)
    pages = {"n": -1} if all_frames and reader.pages else {}
    image = _load(reader.load, mended, access="sequential", **pages)
    count = _count(image) if pages else 1
    width, height = image.width, image.height // count
    limits.check_size(width, height, count)
    limits.check_frames(_count(image))
    turn = orientation(image)
    if turn in QUARTER_TURNS:
        width, height = height, width
    shrunk = reader.shrink(shrink_on_load(width, height, options)) if count == 1 else {}
    # A stream gives rows in their order alone, which these do not keep to.
    random = (
        turn > 1 or (count > 1 and options.resizes) or reads_in_any_order(options) or what.is_hdr
    )
    if shrunk or random:
        access = "random" if random else "sequential"
        image = _load(reader.load, mended, access=access, **pages, **shrunk)
    return Source(
        kind,
        image,
        exif=reader.exif(data) if reader.exif else blob(image, "exif-data"),
        xmp=blob(image, "xmp-data"),
        iptc=blob(image, "iptc-data"),
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


def _load(loader: Load, data: Data, **options: object) -> pyvips.Image:
    try:
        return loader(data, **options)
    except pyvips.Error as error:
        why = reason(error, "the file is broken, or of a variant that is not supported")
        raise ReaderFailed(f"the picture cannot be read: {why}") from None


def _count(image: pyvips.Image) -> int:
    return max(1, int(image.get("n-pages"))) if image.get_typeof("n-pages") else 1


def _delays(image: pyvips.Image, count: int) -> list[int]:
    delays = list(image.get("delay")) if image.get_typeof("delay") else []
    return (delays + [0] * count)[:count]

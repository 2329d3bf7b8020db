"""A whole conversion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pyvips

from imaging import several
from imaging.auto import search
from imaging.codec import Strip
from imaging.codecs import WRITERS
from imaging.data import Data
from imaging.decode import check_undamaged, decode, decode_otherwise, reason
from imaging.drawn import Drawn, draw, stepped
from imaging.errors import PROCESSING_FAILED, PictureError, ReaderFailed, UnknownVariant
from imaging.formats import Format, frames_of, same_format
from imaging.formats.jpg.tables import own_quality
from imaging.limited import limited
from imaging.measures import Chosen, Measures, Size
from imaging.options import Damaged, Effort
from imaging.source import QUARTER_TURNS, Source, orientation
from imaging.steps import OF_FORMAT
from imaging.steps.metadata import packet, select_exif, written
from imaging.target import Target
from imaging.verify import Unreadable, check_colours, check_header

CLEARLY_SMALLER = 0.9
"""A result of more than this share of the original is held against the original's own pixels; every
result is, where that takes no time."""


ALWAYS_COMPARED = {Effort.FAST: 0, Effort.BALANCED: 4096, Effort.SMALL: 65_536}
"""Bytes of the largest original whose own pixels every result is held against. A lower effort may
have taken them, as its result was no clearly smaller one."""

_OF_FRAMES = ("n-pages", "page-height", "delay", "loop")


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
    is_open = bool(target.options.formats)
    frames = several.frames(target) if is_open else frames_of(target.format)
    make = _smallest_of if is_open else _of_format
    strict = target.options.damaged is Damaged.REFUSE
    try:
        source = decode(data, target.limits, frames=frames, options=target.options)
        if strict:
            check_undamaged(data, frames=frames)
        return make(data, source, target, tell)
    except ReaderFailed as error:
        if strict and not isinstance(error, UnknownVariant):
            raise  # the other reader may pass over what is wrong
        told = str(error)
    except pyvips.Error as error:  # most of a picture is decoded only as it is written
        told = f"the picture cannot be converted: {reason(error)}"
        if strict:
            raise PictureError(told) from None
    try:
        source = decode_otherwise(data, target.limits, frames=frames)
        return make(data, source, target, tell)
    except Unreadable:
        raise
    except (PictureError, pyvips.Error) as error:
        if isinstance(error, PictureError) and error.code != PROCESSING_FAILED:
            raise
        # What the reader of first choice says is the reason.
        raise PictureError(told) from None


def _of_format(
    data: Data, source: Source, target: Target, tell: Callable[[Measures], None]
) -> bytes:
    """The opened picture as `target` describes it.

    Raises:
        as `_converted`.
    """
    tell(Measures(Size(*source.size), frames=source.frames))
    return _converted(data, source, target, tell, draw(source, target))


def _smallest_of(
    data: Data, source: Source, target: Target, tell: Callable[[Measures], None]
) -> bytes:
    """The opened picture as `target` describes it, in that of its formats which gives the smallest
    file: the one that a sample tells, or where that cannot be written the next.

    Raises:
        as `_converted`.
    """
    tell(Measures(Size(*source.size), frames=source.frames))
    targets = several.targets(source, target)
    drawn = draw(source, targets[0])
    picture = replace(drawn.source, image=drawn.source.image.copy_memory())
    drawn = replace(drawn, source=picture)
    targets = several.possible(picture, targets)
    most = _ready(data, source, [drawn.without_idle(each) for each in targets])
    if not target.careful:
        targets = several.ranked(
            picture, targets, lambda data: decode(data, target.limits).image, most
        )
    found: several.Found | None = None
    failure: Exception | None = None
    for each in targets:
        if found and most.get(each.format, len(found.data)) >= len(found.data):
            continue
        told: list[Measures] = []
        try:
            result = _converted(data, source, each, told.append, drawn)
        except (PictureError, pyvips.Error) as error:
            failure = failure or error
            continue
        if found is None or len(result) < len(found.data):
            found = several.Found(result, replace(told[-1], format=each.format))
    if found is None:
        assert failure is not None, "there is a target at least"
        raise failure
    tell(found.measures)
    return found.data


def _ready(data: Data, source: Source, targets: Sequence[Target]) -> dict[Format, int]:
    """The bytes of the files that are there without an encoder: the original's own pixels, and what
    it can be recoded to. The result of such a format has no more."""
    files = {
        each.format: _own(data, source, each, WRITERS[each.format].bare)
        if _is_replaceable(source, each)
        else _recoded(data, source, each)
        for each in targets
    }
    return {format: len(file) for format, file in files.items() if file}


def _converted(
    data: Data,
    source: Source,
    asked: Target,
    tell: Callable[[Measures], None],
    drawn: Drawn,
) -> bytes:
    """The opened picture as `asked` describes it.

    Args:
        drawn: the same, drawn.

    Raises:
        PictureError: if it cannot be written, or if what was written is wrong.
        pyvips.Error: if it cannot be decoded or written.
    """
    target = drawn.without_idle(asked)
    prepared, placeholder = _prepare(stepped(drawn.source, target, OF_FORMAT))
    most = target.options.max_bytes
    if most is not None:
        prepared = prepared.copy_memory()  # it may be written several times
    size = Size(prepared.width, prepared.height // source.frames)
    measures = Measures(
        Size(*source.size), frames=source.frames, result=size, placeholder=placeholder
    )
    tell(measures)
    if why := target.format.too_large(size):
        raise PictureError(why)
    recoded = _recoded(data, source, target)
    result, found = recoded or _unencoded(data, source, target), None
    if result is None:
        found = _found(data, source, target, prepared)
        encoded = found.data if found else _encode(prepared, target)
        result = _smallest(data, source, target, encoded)
        if found and result is encoded:
            tell(replace(measures, chosen=found.chosen))
    result = _described(result, source, target)
    if most is not None and len(result) > most:
        # A `fit` that has changed nothing still says whether the size may become another one.
        highest = replace(asked, quality=found.chosen.quality) if found else asked
        fitting = limited(
            prepared, highest, most, len(result), lambda file: _described(file, source, target)
        )
        result, size = fitting.data, fitting.size
        quality = fitting.quality
        tell(replace(measures, result=size, chosen=Chosen(quality) if quality else None))
    sizes = {size}
    # Its own pixels are stored turned.
    if recoded or orientation(source.image) in QUARTER_TURNS:
        sizes.add(Size(size.height, size.width))
    opened = check_header(result, target.format, sizes, source.frames)
    check_colours(result, opened, data, asked, size)
    return result


def _described(result: bytes, source: Source, target: Target) -> bytes:
    """The file with its XMP packet, where the format has one and there is something to tell."""
    with_xmp = WRITERS[target.format].with_xmp
    described = packet(source, target) if with_xmp else None
    return with_xmp(result, described) if with_xmp and described else result


def _prepare(source: Source) -> tuple[pyvips.Image, str | None]:
    """The pixels as they are to be written, with the metadata that is to be kept, and what a page
    shows until they are there, if it is asked for.

    Args:
        source: after all steps.
    """
    image = source.image
    dropped = [name for name in _OF_FRAMES if image.get_typeof(name)]
    if not dropped and not source.animated:
        return image, source.placeholder
    image = image.copy()
    for name in dropped:
        image.remove(name)
    if source.animated:
        image.set_type(pyvips.GValue.gint_type, "page-height", image.height // source.frames)
        image.set_type(pyvips.GValue.array_int_type, "delay", list(source.delays))
        image.set_type(pyvips.GValue.gint_type, "loop", source.loop)
    return image, source.placeholder


def _recoded(data: Data, source: Source, target: Target) -> bytes | None:
    """The original in another coding. Where some of its metadata is to be kept, that is all of it
    that stays; else it is a part of the file."""
    if target.careful or target.options.changes_pixels:
        return None
    original = bytes(data)
    if target.options.keep:
        own = same_format(source.media_type)
        stripped = own and _own(data, source, target, WRITERS[own].strip)
        if not stripped:
            return None
        original = stripped
    return WRITERS[target.format].recoded(
        original,
        source.media_type,
        target.quality,
        target.effort,
        lossless=target.options.lossless,
    )


def _unencoded(data: Data, source: Source, target: Target) -> bytes | None:
    """The original's own pixels, where the file itself says that the encoder would only lose."""
    writer = WRITERS[target.format]
    spared = (
        not target.careful
        and _is_replaceable(source, target)
        and orientation(source.image) == 1
        and target.options.q is None
        and writer.is_small_enough(data, target.quality, target.effort)
    )
    return _own(data, source, target, writer.strip) if spared else None


def _found(data: Data, source: Source, target: Target, image: pyvips.Image) -> search.Found | None:
    """The file that looks right, None where the quality is not to be found."""
    options, bounds = target.options, target.format.output.auto
    frame = image.get_page_height()
    if options.q is None or bounds is None or source.animated:
        return None
    if min(image.width, frame) < search.LEAST_SIDE:
        return None
    own = None if options.resizes else own_quality(data)
    return search.Search(
        image.copy_memory(),
        WRITERS[target.format],
        lambda data: decode(data, target.limits).image,
        look=search.LOOKS[options.q],
        bounds=(bounds[0], min(bounds[1], max(bounds[0], own or bounds[1]))),
        effort=target.effort,
        keep=written(image, options),
    ).run()


def _smallest(data: Data, source: Source, target: Target, result: bytes) -> bytes:
    """The result, or the original's own pixels where they are fewer bytes."""
    if _is_replaceable(source, target):
        writer = WRITERS[target.format]
        # mozjpeg's optimiser ends the process over some broken pictures that libvips decodes.
        compared = (
            writer.strip_is_cheap
            or len(data) <= ALWAYS_COMPARED[target.effort]
            or len(result) > CLEARLY_SMALLER * len(data)
        )
        if compared and not target.careful:
            result = min(result, _own(data, source, target, writer.strip) or result, key=len)
        if len(result) > len(data):
            result = min(result, _own(data, source, target, writer.bare) or result, key=len)
    return result


def _encode(image: pyvips.Image, target: Target) -> bytes:
    return WRITERS[target.format].encode(
        image,
        target.quality,
        target.effort,
        lossless=target.options.lossless,
        keep=written(image, target.options),
    )


def _is_replaceable(source: Source, target: Target) -> bool:
    """Whether the original's own pixels would be what was asked for."""
    same = same_format(source.media_type) is target.format
    return same and not target.options.changes_pixels


def _own(
    data: Data,
    source: Source,
    target: Target,
    strip: Strip,
) -> bytes | None:
    """The original's own pixels without its metadata, None if it cannot be followed.

    The original itself, where nothing is to be dropped and nothing can be saved.
    """
    turn = orientation(source.image)
    exif = select_exif(source, target, turn if turn > 1 else None)
    try:
        return strip(bytes(data), exif, target.effort)
    except PictureError:
        return None

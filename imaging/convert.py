"""A whole conversion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyvips

from imaging.auto import search
from imaging.auto.large import LargeSearch
from imaging.auto.sample import is_large
from imaging.codec import Encoding
from imaging.codecs import READERS, WRITERS
from imaging.data import Data
from imaging.decode import check_undamaged, decode, decode_otherwise, reason
from imaging.errors import PROCESSING_FAILED, PictureError, ReaderFailed, UnknownVariant
from imaging.formats import Format, frames_of
from imaging.measures import Chosen, Measures, Size
from imaging.options import Damaged, Effort
from imaging.results import own, several, tiny, untouched
from imaging.results.drawn import Drawn, draw, stepped
from imaging.results.limited import limited
from imaging.results.verify import Unreadable, check_colours, check_header
from imaging.source import QUARTER_TURNS, Source, as_animation, as_still, orientation
from imaging.steps import OF_FORMAT
from imaging.steps.metadata import packet, written
from imaging.target import Target
from imaging.write.palette import to_pillow


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
    if done := tiny.converted(data, target):
        result, size = done
        tell(Measures(size, result=size))
        return result
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
            check_undamaged(data, source, frames=frames)
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
    most = own.ready(data, source, [drawn.without_idle(each) for each in targets])
    if not target.careful:
        targets, files = several.ranked(
            picture, targets, lambda data: decode(data, target.limits).image, most
        )
        drawn = replace(drawn, written=files)
        for format, file in files.items():
            most[format] = min(len(file), most.get(format, len(file)))
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
    recoded = own.recoded(data, source, target)
    result = recoded or own.unencoded(data, source, target)
    found = _found(data, source, target, drawn, prepared, recoded=recoded)
    if result is None:
        encoded = found.data if found else drawn.written.get(target.format)
        encoded = encoded or untouched.encoded(data, source, target, drawn)
        encoded = encoded or _encode(prepared, target)
        result = own.smallest(data, source, target, encoded)
    elif found:
        result = min(found.data, result, key=len)
    if found and result is found.data:
        recoded = None
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
    image = as_still(source.image)
    if source.animated:
        height = image.height // source.frames
        image = as_animation(image, height, source.delays, source.loop)
    return image, source.placeholder


def _found(
    data: Data,
    source: Source,
    target: Target,
    drawn: Drawn,
    image: pyvips.Image,
    *,
    recoded: bytes | None,
) -> search.Found | None:
    """The file that looks right, None where the quality is not to be found.

    Args:
        drawn: the source as its format gets it.
        image: the same as it is to be written.
        recoded: the original in the coding of the result.
    """
    options, bounds = target.options, target.format.output.auto
    frame = image.get_page_height()
    if options.q is None or bounds is None or source.animated:
        return None
    if min(image.width, frame) < search.LEAST_SIDE:
        return None
    kind = target.format.media_type if recoded else source.media_type
    said = None if options.resizes else READERS[kind].quality(recoded or data)
    bounds = bounds[0], min(bounds[1], max(bounds[0], said or bounds[1]))
    of_jpeg = kind == Format.JPG.media_type and not options.resizes
    look, keep = search.LOOKS[options.q], written(image, options)
    writer = WRITERS[target.format]
    if writer.large and is_large(image.width, image.height):
        with untouched.picture(data, source, target, drawn) as plain:
            is_plain = plain is not None and plain.mode in ("L", "RGB")
            image = image.copy_memory() if keep else image  # it may be a stream
            picture = plain if plain is not None and is_plain else to_pillow(image)
            found = LargeSearch(
                picture, writer.large, look, bounds, target.effort, of_jpeg=of_jpeg
            ).run()
        return replace(found, data=writer.large.with_metadata(found.data, image, keep))
    return search.Search(
        image.copy_memory(),
        writer,
        lambda data: decode(data, target.limits).image,
        look=look,
        bounds=bounds,
        effort=target.effort,
        keep=keep,
        of_jpeg=of_jpeg,
    ).run()


def _encode(image: pyvips.Image, target: Target) -> bytes:
    keep = written(image, target.options)
    wanted = Encoding(target.quality, target.effort, target.options.lossless, keep)
    return WRITERS[target.format].encode(image, wanted)

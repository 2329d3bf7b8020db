"""Whatever comes in and is asked for: a file that opens, of the promised size, and no larger."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format, same_format
from imaging.formats.recognise import picture_type
from imaging.limits import Limits
from imaging.options import Effort, Fit, Keep, Options
from imaging.target import Target
from tests.imaging.samples import frame_count
from tests.imaging.strategies import BOUNDED, CASES, MODES, animations, pictures, targets
from tests.pictures import opened

FEWER = settings(BOUNDED, max_examples=CASES // 3)

Picture = tuple[str, tuple[int, int], bytes]

MOVING = {
    Format.WEBP: ("PNG", "WEBP", "GIF"),
    Format.GIF: ("PNG", "WEBP", "GIF"),
    Format.JXL: ("PNG", "WEBP", "GIF"),
    Format.PNG: ("PNG",),
}
"""The kinds of animation that each format keeps."""

EXACT = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "BMP": ("1", "L", "P", "RGB")}
"""What every decoder reads alike, to the last bit."""


def _promised(size: tuple[int, int], options: Options) -> tuple[int, int]:
    if not options.resizes:
        return size
    if options.fit is not Fit.INSIDE:
        return options.width or 0, options.height or 0
    wanted = ((size[0], options.width), (size[1], options.height))
    factor = min(1.0, *(to / side for side, to in wanted if to), 1.0)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _assert_promised(shown: tuple[int, int], size: tuple[int, int], options: Options) -> None:
    promised = _promised(size, options)
    if options.fit is Fit.THUMB and shown != promised:  # not enlarged
        factor = min(there / wanted for there, wanted in zip(size, promised, strict=True))
        assert factor < 1
        promised = (max(1, round(factor * promised[0])), max(1, round(factor * promised[1])))
    assert shown == promised


def _shown_size(result: bytes) -> tuple[int, int]:
    image = opened(result)
    turned = image.getexif().get(0x0112, 1) >= 5
    return image.size[::-1] if turned else image.size


@BOUNDED
@given(picture=pictures(tuple(MODES)), target=targets())
def test_the_result_opens_and_has_the_promised_size(picture: Picture, target: Target) -> None:
    _, size, data = picture
    result = convert(data, target)
    assert same_format(str(picture_type(result))) is target.format
    _assert_promised(_shown_size(result), size, target.options)


@BOUNDED
@given(
    picture=pictures(("PNG", "JPEG", "WEBP", "GIF", "AVIF")),
    quality=st.sampled_from([0, 1, 50, 80, 100]),
    effort=st.sampled_from(list(Effort)),
    keep=st.sampled_from([(), tuple(Keep)]),
)
def test_in_its_own_format_it_never_gets_larger(
    picture: Picture,
    quality: int,
    effort: Effort,
    keep: tuple[Keep, ...],
) -> None:
    kind, size, data = picture
    format = same_format(str(picture_type(data)))
    assert format is not None
    result = convert(data, Target(format, quality, Limits(), effort, Options(keep=keep)))
    assert len(result) <= len(data), kind
    assert _shown_size(result) == size


@FEWER
@given(picture=animations(), target=targets())
def test_an_animation_has_its_frames_in_the_promised_size(picture: Picture, target: Target) -> None:
    kind, size, data = picture
    result = convert(data, target)
    _assert_promised(opened(result).size, size, target.options)
    shown, before = frame_count(opened(result)), frame_count(opened(data))
    moves = kind in MOVING.get(target.format, ())
    assert 1 <= shown <= (before if moves else 1)
    if same_format(str(picture_type(data))) is target.format and _is_plain(target.options):
        assert len(result) <= len(data)


@FEWER
@given(picture=animations(as_pillow=True), effort=st.sampled_from(list(Effort)))
def test_a_lossless_animation_is_every_pixel_at_every_moment(
    picture: Picture, effort: Effort
) -> None:
    kind, _, data = picture
    wanted = _moments(data)
    for format in (Format.WEBP, Format.PNG) if kind == "PNG" else (Format.WEBP,):
        result = convert(data, Target(format, 0, Limits(), effort, Options(lossless=True)))
        moments = _moments(result)
        # Frames that are all the same become one without a time.
        assert len(moments) in (1, len(wanted))
        for number, moment in enumerate(wanted):
            assert (moments[number % len(moments)] == moment).all()


@FEWER
@given(
    picture=st.one_of(pictures(("PNG", "JPEG", "WEBP", "GIF", "AVIF")), animations()),
    share=st.floats(0, 1),
    effort=st.sampled_from(list(Effort)),
    lossless=st.booleans(),
)
def test_what_was_cut_off_is_read_or_refused_and_does_not_grow(
    picture: Picture, share: float, effort: Effort, lossless: bool
) -> None:
    _, size, data = picture
    data = data[: 16 + int(share * (len(data) - 16))]
    format = same_format(str(picture_type(data)))
    if format is None:
        return
    wish = Options(lossless=lossless and format.can_be_lossless)
    with suppress(PictureError):
        result = convert(data, Target(format, 80, Limits(), effort, wish))
        assert len(result) <= len(data)
        # Pillow does not decode what was cut off.
        assert Image.open(io.BytesIO(result)).size in (size, size[::-1])


@FEWER
@given(
    picture=pictures(tuple(EXACT), EXACT),
    format=st.sampled_from([format for format in Format if format.can_be_lossless]),
    effort=st.sampled_from(list(Effort)),
)
def test_lossless_is_every_pixel(picture: Picture, format: Format, effort: Effort) -> None:
    _, _, data = picture
    result = convert(data, Target(format, 0, Limits(), effort, Options(lossless=True)))
    assert (_upright(result) == _upright(data)).all()


def _is_plain(options: Options) -> bool:
    return not options.resizes and options.background is None


def _upright(data: bytes) -> NDArray[np.int32]:
    image = ImageOps.exif_transpose(opened(data))
    assert image is not None
    return np.asarray(image.convert("RGBA"), dtype=np.int32)


def _moments(data: bytes) -> list[NDArray[np.int32]]:
    """What is seen in each hundredth of a second, clear where nothing is."""
    image, found = opened(data), list[NDArray[np.int32]]()
    for number in range(frame_count(image)):
        image.seek(number)
        values = np.asarray(image.convert("RGBA"), dtype=np.int32)
        seen = np.where(values[..., 3:] > 0, values, 0)
        found += [seen] * max(1, round(image.info.get("duration", 0) / 10))
    return found

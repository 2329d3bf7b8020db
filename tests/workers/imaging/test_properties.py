"""Whatever comes in and is asked for: a file that opens, of the promised size, and no larger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.core.conversion import Format, same_format
from app.core.options import Effort, Fit, Gravity, Keep, Options
from app.core.sniff import picture_type
from tests.pictures import opened
from tests.workers.imaging.samples import encoded, oriented
from workers.imaging.convert import convert
from workers.imaging.limits import Limits
from workers.imaging.protocol import Target

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("L", "RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"),
    "AVIF": ("L", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA"),
}
"""What Pillow writes in each format."""

WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")

SIDES = st.one_of(
    st.integers(1, 9), st.sampled_from([13, 16, 17, 31, 64, 97, 127]), st.sampled_from([211, 499])
)
STRIPS = st.sampled_from([1021, 2003])

TILE = np.random.default_rng(1).integers(0, 256, (64, 64, 4), dtype=np.uint8)

BOUNDED = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    """From 1 × 1 to long strips."""
    width, height = draw(SIDES), draw(SIDES)
    if min(width, height) <= 2 and draw(st.booleans()):
        strip = draw(STRIPS)
        return (strip, height) if height <= width else (width, strip)
    return width, height


def _pixels(size: tuple[int, int], texture: str) -> Image.Image:
    width, height = size
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256, 255 - x % 256], axis=2)
    noise = TILE[y % 64, x % 64]
    flat = np.broadcast_to(np.array([200, 30, 90, 255]), (height, width, 4))
    drawing = np.where(((x // 5 + y // 3) % 2)[..., None], flat, [0, 0, 0, 0])
    values = {"smooth": smooth, "noise": noise, "flat": flat, "drawing": drawing}[texture]
    return Image.fromarray(values.astype(np.uint8), "RGBA")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert("RGB").convert(mode) if mode == "CMYK" else image.convert(mode)


@st.composite
def pictures(draw: st.DrawFn, kinds: tuple[str, ...]) -> tuple[str, tuple[int, int], bytes]:
    """A format, the size as it is shown, and the file."""
    kind = draw(st.sampled_from(kinds))
    size = draw(sizes())
    texture = draw(st.sampled_from(["smooth", "noise", "flat", "drawing"]))
    image = _in_mode(_pixels(size, texture), draw(st.sampled_from(MODES[kind])))
    options: dict[str, Any] = {}
    if kind in WITH_EXIF and draw(st.booleans()):
        orientation = draw(st.integers(1, 8))
        options["exif"] = oriented(orientation).tobytes()
        # What is stored is turned, so that what is shown would be the other way round.
        size = size if orientation < 5 else size[::-1]
    if kind in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = draw(st.sampled_from([10, 60, 95]))
    return kind, size, encoded(image, kind, **options)


@st.composite
def options(draw: st.DrawFn, *, resizes: bool) -> Options:
    """Any that go together."""
    values: dict[str, Any] = {
        "background": draw(st.sampled_from([None, None, "ffffff", "0050c8"])),
        "keep": tuple(keep for keep in Keep if draw(st.booleans())),
    }
    if resizes:
        side = st.integers(1, 150)
        fit = draw(st.sampled_from(list(Fit)))
        values |= {"fit": fit, "width": draw(side), "height": draw(side)}
        if fit is Fit.INSIDE and draw(st.booleans()):
            values["width" if draw(st.booleans()) else "height"] = None
        if fit is Fit.COVER:
            values["gravity"] = draw(st.sampled_from(list(Gravity)))
    return Options(**values)


def _promised(size: tuple[int, int], options: Options) -> tuple[int, int]:
    if not options.resizes:
        return size
    if options.fit is not Fit.INSIDE:
        return options.width or 0, options.height or 0
    wanted = ((size[0], options.width), (size[1], options.height))
    factor = min(1.0, *(to / side for side, to in wanted if to), 1.0)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _shown_size(result: bytes) -> tuple[int, int]:
    image = opened(result)
    turned = image.getexif().get(0x0112, 1) >= 5
    return image.size[::-1] if turned else image.size


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Any format, quality, effort and options that go together."""
    format = draw(st.sampled_from(list(Format)))
    wish = draw(st.one_of(options(resizes=False), options(resizes=True)))
    lossless = format.can_be_lossless and draw(st.booleans())
    return Target(
        format,
        draw(st.sampled_from([0, 1, 50, 80, 100])),
        Limits(),
        draw(st.sampled_from([Effort.FAST, Effort.FAST, Effort.BALANCED])),
        replace(wish, lossless=lossless),
    )


@BOUNDED
@given(picture=pictures(tuple(MODES)), target=targets())
def test_the_result_opens_and_has_the_promised_size(
    picture: tuple[str, tuple[int, int], bytes], target: Target
) -> None:
    _, size, data = picture
    result = convert(data, target)
    assert same_format(str(picture_type(result))) is target.format
    assert _shown_size(result) == _promised(size, target.options)


@BOUNDED
@given(
    picture=pictures(("PNG", "JPEG", "WEBP", "GIF", "AVIF")),
    quality=st.sampled_from([0, 1, 50, 80, 100]),
    effort=st.sampled_from(list(Effort)),
    keep=st.sampled_from([(), tuple(Keep)]),
)
def test_in_its_own_format_it_never_gets_larger(
    picture: tuple[str, tuple[int, int], bytes],
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

"""Small pictures of every kind and what may be asked of them, as hypothesis draws them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort, Fit, Gravity, Keep, Options, Placeholder
from imaging.target import Target
from tests.imaging.apngs import Part, apng
from tests.imaging.samples import oriented
from tests.pictures import encoded

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

TEXTURES = st.sampled_from(["smooth", "noise", "flat", "drawing"])

CASES = int(os.environ.get("HYPOTHESIS_CASES", "60"))
"""How many pictures a property is tried with; others each time where the variable says how many."""

BOUNDED = settings(
    derandomize="HYPOTHESIS_CASES" not in os.environ,
    deadline=None,
    database=None,
    max_examples=CASES,
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
def pictures(
    draw: st.DrawFn, kinds: tuple[str, ...], modes: Mapping[str, tuple[str, ...]] = MODES
) -> tuple[str, tuple[int, int], bytes]:
    """A format, the size as it is shown, and the file."""
    kind = draw(st.sampled_from(kinds))
    size = draw(sizes())
    image = _in_mode(_pixels(size, draw(TEXTURES)), draw(st.sampled_from(modes[kind])))
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
def animations(draw: st.DrawFn, *, as_pillow: bool = False) -> tuple[str, tuple[int, int], bytes]:
    """A format, the size, and the file of up to four frames; those of a PNG are parts of it.

    Args:
        as_pillow: without what Pillow shows otherwise than the specification of PNG says: it lays
            alpha over alpha in its own way, and counts a default picture as a frame.
    """
    kind = draw(st.sampled_from(["PNG", "PNG", "WEBP", "GIF"]))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    count = draw(st.integers(2, 4))
    textures = draw(st.lists(TEXTURES, min_size=count, max_size=count))
    delays = draw(st.lists(st.sampled_from([20, 50, 200]), min_size=count, max_size=count))
    if kind == "PNG":
        parts = [Part(_pixels(size, textures[0]), number=delays[0], of=1000)]
        for texture, delay in zip(textures[1:], delays[1:], strict=True):
            width, height = draw(st.integers(1, size[0])), draw(st.integers(1, size[1]))
            left = draw(st.integers(0, size[0] - width))
            top = draw(st.integers(0, size[1] - height))
            how = {
                "dispose": draw(st.integers(0, 2)),
                "blend": 0 if as_pillow else draw(st.integers(0, 1)),
            }
            part = _pixels((width, height), texture)
            parts.append(Part(part, left, top, number=delay, of=1000, **how))
        default = _pixels(size, "smooth") if not as_pillow and draw(st.booleans()) else None
        return kind, size, apng(parts, default=default, plays=draw(st.integers(0, 3)))
    first, *others = (_pixels(size, texture) for texture in textures)
    return kind, size, encoded(first, kind, save_all=True, append_images=others, duration=delays)


@st.composite
def options(draw: st.DrawFn, *, resizes: bool) -> Options:
    """Any that go together."""
    values: dict[str, Any] = {
        "background": draw(st.sampled_from([None, None, "ffffff", "0050c8"])),
        "keep": tuple(keep for keep in Keep if draw(st.booleans())),
        "sharpen": draw(st.sampled_from([None, None, 0.5, 3])),
        "placeholder": draw(st.sampled_from([None, None, *Placeholder])),
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

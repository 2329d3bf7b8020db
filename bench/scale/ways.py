"""The ways in which the engine takes a number of quality, each with the table that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pyvips

from imaging.formats import Format
from imaging.formats.avif import codec as avif
from imaging.formats.avif import scales
from imaging.formats.jpg import codec as jpg
from imaging.formats.jpg.tables import FULL_CHROMA
from imaging.formats.jxl import codec as jxl
from imaging.formats.jxl.encoded import Frame, Settings, encoded
from imaging.formats.webp import ways as webp
from imaging.options import Effort
from imaging.write.scale import Scale

Number = float
"""What an encoder calls its quality; of libjxl a distance, which falls as the look gets better."""


HALVED = (30, 40, 50, 60, 65, 70, 75, 80, 85, 89)
"""The qualities at which a plain JPEG has chroma of half the size."""

WHOLE = 90
"""The one from which on its chroma is whole."""


@dataclass(frozen=True, slots=True)
class Way:
    """How an encoder is called, for the numbers of one table."""

    name: str
    format: Format
    encode: Callable[[pyvips.Image, Number], bytes]
    scale: Scale
    """The table as it stands."""
    numbers: Sequence[Number]
    """The encoder's numbers that are measured, from the worst look to the best."""
    for_fine: bool | None = None
    """Whether it is for pictures of fine colours, or for all others; None for both."""
    points: Sequence[int] = HALVED
    """The qualities that its part of the table has."""
    digits: int = 1
    """Of the table's second numbers."""
    is_whole: bool = True
    """Whether the encoder takes whole numbers alone."""


def plain(image: pyvips.Image, quality: int) -> bytes:
    """The JPEG that all others are held against, by the plain encoder with the tables of Annex K:
    chroma of half the size below 90, and whole from there on."""
    subsampling = "on" if quality < FULL_CHROMA else "off"
    return cast(bytes, image.jpegsave_buffer(Q=quality, subsample_mode=subsampling, keep="none"))


def _klein(image: pyvips.Image, number: Number) -> bytes:
    settings: dict[str, Any] = {"quant_table": jpg.KLEIN, "subsample_mode": "on"}
    return cast(bytes, image.jpegsave_buffer(Q=int(number), keep="none", **settings))


def _webp(effort: Effort, *, sharp: bool) -> Callable[[pyvips.Image, Number], bytes]:
    settings: dict[str, Any] = {"effort": webp.EFFORT[effort], "smart_subsample": sharp}
    return lambda image, number: cast(
        bytes, image.webpsave_buffer(Q=int(number), keep="none", **settings)
    )


def _avif(effort: int, subsampling: str) -> Callable[[pyvips.Image, Number], bytes]:
    settings: dict[str, Any] = {"compression": "av1", "bitdepth": 8, "tune": avif.TUNE}
    settings["subsample_mode"] = subsampling
    return lambda image, number: cast(
        bytes, image.heifsave_buffer(Q=int(number), effort=effort, keep="none", **settings)
    )


def _jxl(image: pyvips.Image, number: Number) -> bytes:
    frame = Frame(bytes(image.write_to_memory()), (0, 0, image.width, image.height))
    settings = Settings(jxl.EFFORT, number)
    return encoded((image.width, image.height), image.bands, [frame], settings)


_WEBP_NUMBERS = (24, 36, 48, 60, 70, 75, 80, 87, 93)
"""Its look rises less from 70 to 75 than before and after."""

WAYS = (
    Way(
        "jpg, the table of Klein",
        Format.JPG,
        _klein,
        jpg.KLEIN_SCALE,
        (16, 25, 35, 45, 55, 66, 77, 87, 93),
    ),
    Way(
        "webp, fast",
        Format.WEBP,
        _webp(Effort.FAST, sharp=False),
        webp.FAST_SCALE,
        _WEBP_NUMBERS,
        points=(*HALVED, WHOLE),
    ),
    Way(
        "webp",
        Format.WEBP,
        _webp(Effort.SMALL, sharp=False),
        webp.PLAIN_SCALE,
        _WEBP_NUMBERS,
        for_fine=False,
    ),
    Way(
        "webp, smart subsampling",
        Format.WEBP,
        _webp(Effort.BALANCED, sharp=True),
        webp.SHARP_SCALE,
        _WEBP_NUMBERS,
        points=(*HALVED, WHOLE),
        for_fine=True,
    ),
    Way(
        "avif, fast",
        Format.AVIF,
        _avif(scales.FAST_EFFORT, "on"),
        scales.FAST_SCALE,
        (33, 40, 46, 51, 57, 65, 73, 81),
    ),
    Way(
        "avif, fast, whole chroma",
        Format.AVIF,
        _avif(scales.FAST_EFFORT, "off"),
        scales.FAST_SCALE,
        (79, 85, 91),
        points=(WHOLE,),
    ),
    Way(
        "avif",
        Format.AVIF,
        _avif(scales.BALANCED_EFFORT, "on"),
        scales.BALANCED_SCALE,
        (32, 39, 45, 50, 56, 64, 72, 80),
    ),
    Way(
        "avif, whole chroma",
        Format.AVIF,
        _avif(scales.BALANCED_EFFORT, "off"),
        scales.BALANCED_SCALE,
        (79, 85, 91),
        points=(WHOLE,),
    ),
    Way(
        "jxl",
        Format.JXL,
        _jxl,
        jxl.SCALE,
        (8.0, 5.8, 4.4, 3.4, 2.6, 1.9, 1.3, 0.8, 0.4),
        points=(*HALVED, WHOLE),
        digits=2,
        is_whole=False,
    ),
)

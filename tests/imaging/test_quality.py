"""What a number of quality means: more bytes for more of it, and the look of a JPEG at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import pytest
from PIL import Image

from bench.pictures import PHOTOGRAPHS, shipped
from imaging import look
from imaging.convert import convert
from imaging.formats import Format
from imaging.formats.avif import codec as avif
from imaging.formats.avif import scales
from imaging.formats.jpg import codec as jpg
from imaging.formats.jxl import codec as jxl
from imaging.formats.webp import ways as webp
from imaging.options import Effort
from imaging.write.scale import between
from tests.imaging.samples import target
from tests.pictures import encoded, opened

LOSSY = (Format.JPG, Format.WEBP, Format.AVIF, Format.PNG, Format.JXL)
BALANCED = [(quality, Effort.BALANCED) for quality in (60, 80, 92)]

TOLERANCE = 2.0
"""SSIMULACRA2, on average, that may be between a format and a plain JPEG. On many photographs it is
0.5 (`script/bench scale`); one is 1 to 4 points off, so that the mean of seven may be 1.5."""

SIDE = 256
"""Pixels of the pieces that are measured, for time."""


@cache
def _pieces() -> tuple[Image.Image, ...]:
    """The middle of each photograph, in its own resolution."""
    pieces = []
    for path in shipped(PHOTOGRAPHS):
        image = opened(path.read_bytes()).convert("RGB")
        image.info.clear()  # one has a profile, and Pillow would write it on in some formats
        width, height = min(SIDE, image.width), min(SIDE, image.height)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        pieces.append(image.crop((left, top, left + width, top + height)))
    return tuple(pieces)


@cache
def _judges() -> tuple[Callable[[bytes], float], ...]:
    """Of each piece, what gives the SSIMULACRA2 of a file of it. `test_look` holds that against the
    reference package."""
    return tuple(_judge(piece) for piece in _pieces())


def _judge(piece: Image.Image) -> Callable[[bytes], float]:
    reference = look.reference(piece)
    return lambda result: reference.score(opened(result).convert("RGB"))


def _mean_score(encode: Callable[[Image.Image], bytes]) -> float:
    """SSIMULACRA2 of what is made of each piece, on average."""
    scores = [judge(encode(piece)) for piece, judge in zip(_pieces(), _judges(), strict=True)]
    return sum(scores) / len(scores)


@cache
def _plain(quality: int) -> float:
    """The mean look of libjpeg-turbo's JPEGs: chroma whole from 90 on, as libvips has it too."""
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    return _mean_score(
        lambda image: encoded(image, "JPEG", quality=quality, subsampling=subsampling)
    )


def _ours(format: Format, quality: int, effort: Effort) -> float:
    wanted = target(format, quality, effort)
    return _mean_score(lambda image: convert(encoded(image, "TIFF"), wanted))


# At the slower effort another scale begins at 90, and below that it is the same.
@pytest.mark.parametrize(("quality", "effort"), [*BALANCED, (92, Effort.SMALL)])
def test_a_jpeg_looks_as_a_plain_one_does(quality: int, effort: Effort) -> None:
    assert _ours(Format.JPG, quality, effort) == pytest.approx(_plain(quality), abs=TOLERANCE)


@pytest.mark.parametrize(("quality", "effort"), [*BALANCED, (80, Effort.SMALL)])
def test_an_avif_looks_as_a_plain_jpeg_does(quality: int, effort: Effort) -> None:
    assert _ours(Format.AVIF, quality, effort) == pytest.approx(_plain(quality), abs=TOLERANCE)


@pytest.mark.parametrize(("quality", "effort"), [*BALANCED, (80, Effort.FAST)])
def test_a_jpeg_xl_looks_as_a_plain_jpeg_does(quality: int, effort: Effort) -> None:
    assert _ours(Format.JXL, quality, effort) == pytest.approx(_plain(quality), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("quality", "effort"),
    [*((quality, Effort.BALANCED) for quality in (60, 80, 89)), (80, Effort.SMALL)],
)
def test_a_webp_looks_as_a_plain_jpeg_does(quality: int, effort: Effort) -> None:
    """Up to 89: from there on a JPEG keeps its chroma whole, which a WebP cannot."""
    assert _ours(Format.WEBP, quality, effort) == pytest.approx(_plain(quality), abs=TOLERANCE)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", LOSSY)
def test_more_quality_is_more_bytes(format: Format, effort: Effort) -> None:
    # Of a smaller one more colours may be fewer bytes as a PNG.
    side = 200 if format is Format.PNG else 96
    data = encoded(_pieces()[1].crop((0, 0, side, side)), "TIFF")
    qualities = (5, 25, 45, 60, 75, 85, 95)
    sizes = [len(convert(data, target(format, quality, effort))) for quality in qualities]
    assert sizes == sorted(sizes), dict(zip(qualities, sizes, strict=True))
    assert sizes[0] < sizes[-1] / 2


@pytest.mark.parametrize("format", [Format.WEBP, Format.AVIF, Format.PNG, Format.JXL])
def test_no_quality_asked_for_is_a_good_one(format: Format) -> None:
    result = convert(encoded(_pieces()[1], "TIFF"), target(format, 0, Effort.BALANCED))
    assert _judges()[1](result) > 65


@pytest.mark.parametrize(
    "scale",
    [
        *(jpg.KLEIN_SCALE, jpg.TRELLIS_SCALE, webp.FAST_SCALE, webp.PLAIN_SCALE),
        *(webp.SHARP_SCALE, scales.FAST_SCALE, scales.BALANCED_SCALE, scales.SMALL_SCALE),
        [(quality, -distance) for quality, distance in jxl.SCALE],
    ],
)
def test_a_higher_number_is_never_a_worse_one_to_an_encoder(
    scale: Sequence[tuple[float, float]],
) -> None:
    for (quality, number), (higher, better) in pairwise(scale):
        assert quality < higher
        assert number < better
    assert (scale[0][0], scale[-1][0]) in ((1, 100), (1, 89), (90, 100))


def test_the_default_of_each_format_looks_as_its_number_says() -> None:
    """From which `max_bytes` goes down where no quality is asked for."""
    pairs = (
        (webp.FAST_SCALE, webp.DEFAULT_LOOK, webp.DEFAULT),
        (scales.BALANCED_SCALE, avif.DEFAULT_LOOK, avif.DEFAULT),
        (scales.SMALL_SCALE, avif.DEFAULT_LOOK, avif.DEFAULT),
        (scales.FAST_SCALE, avif.DEFAULT_LOOK, avif.FAST_DEFAULT),
    )
    for scale, wanted, number in pairs:
        assert between(scale, wanted) == pytest.approx(number, abs=0.75)
    assert between(jxl.SCALE, jxl.DEFAULT_LOOK) == pytest.approx(jxl.DEFAULT, abs=0.05)

"""What is larger than its format, and only the decoder sees it, fails with the same sentence."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.options import Effort
from tests.imaging.samples import target
from tests.pictures import encoded, opened

WIDE = {Format.WEBP: 16_384, Format.AVIF: 16_385, Format.JPG: 65_501}


@pytest.mark.parametrize("format", WIDE)
def test_the_sentence_says_both_numbers(format: Format) -> None:
    side = WIDE[format]
    data = encoded(Image.new("L", (3, side), 90), "TIFF")
    reason = f"{format} holds {side - 1} pixels a side, and the picture would have 3 × {side}"
    with pytest.raises(PictureError, match=reason):
        convert(data, target(format))


@pytest.mark.parametrize("format", WIDE)
def test_the_largest_side_of_each_format_is_written(format: Format) -> None:
    side = WIDE[format] - 1
    data = encoded(Image.new("L", (side, 3), 90), "TIFF")
    assert opened(convert(data, target(format))).size == (side, 3)


def test_a_resize_brings_it_into_the_format() -> None:
    data = encoded(Image.new("L", (20000, 8), 90), "PNG")
    result = convert(data, target(Format.WEBP, width=10000, height=10000))
    assert opened(result).size == (10000, 4)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(20_000, 10), (3, 17_000)])
@pytest.mark.parametrize("formats", [(), (Format.PNG, Format.JPG)])
def test_a_graphic_that_is_longer_than_a_webp_is_written_in_a_format_that_holds_it(
    formats: tuple[Format, ...], size: tuple[int, int], mode: str
) -> None:
    image = Image.new(mode, size)
    ImageDraw.Draw(image).line((0, 0, *size), fill="white", width=2)
    # Which of its encoders suits a drawing is asked of a WebP, whatever the format.
    format = formats[0] if formats else list(Format)[-1]
    wanted = target(format, 80, Effort.BALANCED, formats=formats)
    assert opened(convert(encoded(image, "PNG"), wanted)).size == size

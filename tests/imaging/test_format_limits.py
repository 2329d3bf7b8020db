"""What is larger than its format, and only the decoder sees it, fails with the same sentence."""

from __future__ import annotations

import pytest
from PIL import Image

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
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

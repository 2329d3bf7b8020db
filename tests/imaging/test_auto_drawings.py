"""`q=auto` of a large drawing, of which samples tell little."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFilter

from imaging import look
from imaging.auto.search import LOOKS
from imaging.convert import convert
from imaging.decode import decode
from imaging.formats import Format
from imaging.limits import Limits
from imaging.measures import Measures
from imaging.options import Auto, Effort, Options
from imaging.target import Target
from imaging.write.strips import to_vips
from tests.pictures import encoded

MOST_BELOW = 4.0
"""Points that no result is to be below the look that is wanted."""


def drawing() -> Image.Image:
    """A smooth ground with circles and lines, most of them between the strips of a sample."""
    size = 1600, 1000
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image = Image.blend(image, Image.new("RGB", size, (90, 100, 120)), 0.8)
    pen = ImageDraw.Draw(image)
    for number, top in enumerate((110, 170, 250, 420, 500, 670, 750)):
        for left in range(20, size[0] - 60, 44 if number else 400):
            shade = 60 + left * top % 120
            pen.ellipse((left, top, left + 36, top + 60), (shade, shade + 20, shade + 50))
            for step in range(0, 60, 6):
                pen.line((left, top + step, left + 36, top + 60 - step), (230, 230, 240))
    return image.filter(ImageFilter.GaussianBlur(0.6))


@pytest.mark.parametrize("method", sorted({look.Method.PILLOW, look.method()}))
@pytest.mark.parametrize("format", [format for format in Format if format.takes_auto])
def test_what_is_drawn_between_strips_is_not_spoilt(
    format: Format, method: look.Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "method", lambda: method)
    image, told = drawing(), list[Measures]()
    target = Target(format, 0, Limits(), Effort.BALANCED, Options(q=Auto.AUTO))
    result = convert(encoded(image, "PNG", compress_level=1), target, told.append)
    chosen = told[-1].chosen
    assert chosen is not None
    seen = look.reference(to_vips(image)).score(decode(result, Limits()).image.copy_memory())
    assert seen > LOOKS[Auto.AUTO] - MOST_BELOW
    assert seen == pytest.approx(chosen.look, abs=MOST_BELOW)

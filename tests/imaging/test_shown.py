"""The look of a picture that is shown larger than it is."""

from __future__ import annotations

import pytest
from PIL import Image

from imaging.codecs import READERS
from imaging.formats import Format
from imaging.results.shown import Shown
from imaging.write.strips import to_vips
from tests.pictures import encoded, in_colour


@pytest.mark.parametrize("share", [0.4, 2 / 3, 0.9])
def test_fewer_pixels_are_looked_at_in_their_places(share: float) -> None:
    picture = in_colour("coffee").crop((0, 0, 301, 300))
    fewer = picture.resize((round(301 * share), round(300 * share)), Image.Resampling.BICUBIC)
    enlarged = fewer.resize(picture.size, Image.Resampling.BICUBIC)
    shown = Shown(to_vips(picture), READERS[Format.PNG.media_type])
    assert shown.look(encoded(fewer, "PNG")) == pytest.approx(
        shown.look(encoded(enlarged, "PNG")), abs=2
    )

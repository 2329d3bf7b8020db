"""What the decoder tells of the sizes of a picture."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from imaging.errors import PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.measures import Measures, Size
from imaging.options import Effort, Options
from imaging.target import Target
from tests.pictures import as_format, opened, photograph
from workers.decoder.sandbox import Sandbox


def _told(data: bytes, target: Target) -> tuple[bytes | None, list[Measures]]:
    """The result, None if there is none, and what was told."""
    told: list[Measures] = []
    sandbox = Sandbox(30)
    try:
        return bytes(sandbox.convert(data, target, told.append)), told
    except PictureError:
        return None, told
    finally:
        sandbox.close()


def _target(format: Format = Format.WEBP, limits: Limits | None = None, **options: Any) -> Target:
    return Target(format, 0, limits or Limits(), Effort.FAST, Options(**options))


def _saved(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def test_both_sizes_are_those_that_are_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    turned = _saved(opened(photograph("rocket")).resize((60, 40)), "JPEG", exif=exif)
    result, told = _told(turned, _target(width=10))
    assert told == [Measures(Size(40, 60), Size(10, 15))]
    assert result is not None
    assert opened(result).size == (10, 15)


@pytest.mark.parametrize(("format", "frames"), [(Format.WEBP, 3), (Format.JPG, 1)])
def test_of_an_animation_it_is_the_size_of_a_frame(format: Format, frames: int) -> None:
    pictures = [Image.new("P", (30, 20), colour) for colour in (1, 2, 3)]
    palette = [
        value for colour in range(256) for value in (colour, 255 - colour, 40 * colour % 256)
    ]
    for picture in pictures:
        picture.putpalette(palette)
    data = _saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:])
    result, told = _told(data, _target(format))
    assert told == [Measures(Size(30, 20), Size(30, 20), frames)]
    assert result is not None
    assert getattr(opened(result), "n_frames", 1) == frames


def test_of_a_picture_whose_pixels_are_missing_the_size_is_told() -> None:
    cut = as_format("rocket", "AVIF")[:6000]
    result, told = _told(cut, _target(Format.PNG))
    assert result is None
    assert [measures.original for measures in told] == [Size(640, 427)]


def test_of_a_picture_that_cannot_be_opened_nothing_is_told() -> None:
    assert _told(photograph("astronaut")[:20], _target()) == (None, [Measures()])


@pytest.mark.parametrize("data", [None, [], {"original": [0, 5]}, {"original": "ab"}, {"x": 1}])
def test_what_makes_no_sense_counts_as_not_known(data: object) -> None:
    assert Measures.from_dict(data) == Measures()
    known = Measures(Size(3, 4))
    assert Measures.from_dict(known.to_dict()) == known

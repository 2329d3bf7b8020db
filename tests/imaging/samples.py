"""Small pictures whose every part is known, and the files they come in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort, Options
from imaging.target import Target
from tests.pictures import in_colour

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 30), (30, 30, 220), (90, 90, 90)
CORNERS = (RED, GREEN, BLUE, GREY)
"""Top left, top right, bottom left, bottom right."""

ORIENTATION = 0x0112

_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera that was held this way stores an upright picture: the inverse of what a viewer
does."""


def target(
    format: Format, quality: int = 90, effort: Effort = Effort.FAST, **options: Any
) -> Target:
    """What a picture is to become; fast, where a test is not about the effort."""
    return Target(format, quality, Limits(), effort, Options.from_dict(options))


def corners(width: int = 120, height: int = 80) -> Image.Image:
    """A picture of four colours, `CORNERS`."""
    image = Image.new("RGB", (width, height))
    x, y = width // 2, height // 2
    for place, colour in zip(((0, 0), (x, 0), (0, y), (x, y)), CORNERS, strict=True):
        image.paste(colour, (*place, place[0] + x, place[1] + y))
    return image


def photo(width: int = 160, height: int = 120) -> Image.Image:
    """A piece of a photograph, in its own resolution."""
    left, top = 220, 60
    return in_colour("coffee").crop((left, top, left + width, top + height))


def stored(image: Image.Image, orientation: int) -> Image.Image:
    """An upright picture as a camera stores it with this EXIF orientation."""
    return image.transpose(_STORED[orientation]) if orientation in _STORED else image


def oriented(orientation: int) -> Image.Exif:
    """An EXIF block with this orientation alone."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def pixels(image: Image.Image, mode: str = "RGB") -> NDArray[np.int32]:
    """The picture's values, in an array that can be calculated with."""
    return np.asarray(image.convert(mode), dtype=np.int32)


def distance(one: Image.Image, other: Image.Image, mode: str = "RGB") -> float:
    """The mean difference of a value, 0 to 255."""
    assert one.size == other.size
    return float(np.abs(pixels(one, mode) - pixels(other, mode)).mean())


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    """The values of a pixel of a picture with several bands."""
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return found


def frame_count(image: Image.Image) -> int:
    """How many frames a file has."""
    return int(getattr(image, "n_frames", 1))


def opacities(image: Image.Image) -> tuple[float, float]:
    """The lowest and the highest opacity, 0 to 255."""
    low, high = image.convert("RGBA").getchannel("A").getextrema()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    return low, high


def is_close(
    image: Image.Image, at: tuple[int, int], colour: tuple[int, ...], by: int = 12
) -> bool:
    """Whether a pixel has about this colour: red, green, blue and perhaps alpha."""
    found = pixel(image.convert("RGBA" if len(colour) == 4 else "RGB"), at)
    return all(abs(a - b) <= by for a, b in zip(found, colour, strict=True))


def assert_corners(image: Image.Image, by: int = 14) -> None:
    """The picture shows `corners`, upright, in any size."""
    width, height = image.size
    places = [(x * width // 8, y * height // 8) for y in (2, 6) for x in (2, 6)]
    shown = [image.convert("RGB").getpixel(place) for place in places]
    for colour, place in zip(CORNERS, places, strict=True):
        assert is_close(image, place, colour, by), f"{shown} instead of {CORNERS}"

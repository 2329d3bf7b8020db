"""A thumbnail: an object that stands free on a plain background is kept whole, of any other picture
the part where the eye goes first."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import cast

import pyvips

from imaging.measures import Size
from imaging.steps.window import best_window

LOOKED_AT = 256
"""Pixels of the longer side of the copy on which background and object are looked for."""
NEAR = 10
"""How far a colour may be from the background's, of 255, to be part of it: libvips's default for
`find_trim`, above what JPEG at quality 50 does to a flat area."""
TRIMMED = 3
"""Pixels of a side that `find_trim` needs: the window of its median."""
PLAIN = 0.95
"""The share of the border's pixels that are near one colour if the background is plain. A person or
a building that the border cuts off takes more of it."""
CLEAR = 0.5
"""As `PLAIN`, of pixels that cannot be seen: what is cut out is often cut close."""
MARGIN = 0.05
"""Room on each side of the object, of its own size, where the picture has it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in its pixels; it may reach beyond the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.height

    def with_(self, other: Box) -> Box:
        """The smallest part in which both are."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        right, bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands free in a picture."""

    object: Box
    background: tuple[float, ...]
    """A value for each of the picture's bands."""


def cut(frames: list[pyvips.Image], wanted: Size) -> list[pyvips.Image]:
    """Every frame alike, in this size and never enlarged: a picture without a plain background that
    is smaller gives the largest part of this shape."""
    standing = _standing(frames)
    if standing is not None:
        return [_framed(frame, standing, wanted) for frame in frames]
    image = frames[0]
    factor = min(1, image.width / wanted.width, image.height / wanted.height)
    width, height = max(1, round(wanted.width * factor)), max(1, round(wanted.height * factor))
    window = best_window(image, width / height, finds_eye=True)
    parts = [frame.crop(*window) for frame in frames]
    return [_resized(part, width, height) for part in parts]


def _standing(frames: list[pyvips.Image]) -> Standing | None:
    """The object on its background, in all frames; None if one of them has no such thing."""
    found: Standing | None = None
    for frame in frames:
        standing = _standing_in(frame)
        if standing is None:
            return None
        if found is None:
            found = standing
        elif _distance(standing.background, found.background) <= NEAR:
            found = Standing(found.object.with_(standing.object), found.background)
        else:
            return None
    return found


def _standing_in(image: pyvips.Image) -> Standing | None:
    small = image.thumbnail_image(LOOKED_AT, height=LOOKED_AT, size="down").copy_memory()
    if min(small.width, small.height) < TRIMMED:
        return None
    border = _border(small)
    background = tuple(statistics.median(values) for values in zip(*border, strict=True))
    if small.hasalpha() and background[-1] <= NEAR:
        background = (0.0,) * small.bands
        share, seen, colour = CLEAR, small[small.bands - 1], [0.0]
        near = sum(pixel[-1] <= NEAR for pixel in border)
    else:
        share, colour = PLAIN, list(background[: small.bands - small.hasalpha()])
        seen = small.flatten(background=colour) if small.hasalpha() else small
        near = sum(_distance(pixel, background) <= NEAR for pixel in border)
    if near < share * len(border):
        return None
    left, top, width, height = seen.find_trim(threshold=NEAR, background=colour)
    if not width or not height:
        return None
    # A pixel of the copy on each side is what the scaling may have taken off.
    left, top = max(0, left - 1), max(0, top - 1)
    right, bottom = min(small.width, left + width + 2), min(small.height, top + height + 2)
    across, down = image.width / small.width, image.height / small.height
    box = Box(left * across, top * down, (right - left) * across, (bottom - top) * down)
    return Standing(box, background)


def _border(image: pyvips.Image) -> list[tuple[int, ...]]:
    """The outermost pixels."""
    width, height, bands = image.width, image.height, image.bands
    edges = [image.crop(0, 0, width, 1), image.crop(0, height - 1, width, 1)]
    edges += [image.crop(0, 0, 1, height), image.crop(width - 1, 0, 1, height)]
    rows = [cast(bytes, edge.write_to_memory()) for edge in edges]
    return [tuple(row[at : at + bands]) for row in rows for at in range(0, len(row), bands)]


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _framed(image: pyvips.Image, standing: Standing, wanted: Size) -> pyvips.Image:
    """The object in the middle of what is asked for, as far as the picture goes that far; beyond it
    there is background."""
    window = _window(Size(image.width, image.height), standing.object, wanted)
    left, right = max(0, round(window.left)), min(image.width, round(window.right))
    top, bottom = max(0, round(window.top)), min(image.height, round(window.bottom))
    part = image.crop(left, top, right - left, bottom - top)
    factor = wanted.width / window.width
    width = min(wanted.width, max(1, round(part.width * factor)))
    height = min(wanted.height, max(1, round(part.height * factor)))
    x = min(wanted.width - width, max(0, round((left - window.left) * factor)))
    y = min(wanted.height - height, max(0, round((top - window.top) * factor)))
    part = _resized(part, width, height)
    if (width, height) == (wanted.width, wanted.height):
        return part
    return part.embed(
        x,
        y,
        wanted.width,
        wanted.height,
        extend="background",
        background=list(standing.background),
    )


def _window(size: Size, object: Box, wanted: Size) -> Box:
    """What becomes the thumbnail: as much of the picture as has this shape, or more than the
    picture where the object does not fit in that, and never so little that it is enlarged."""

    def around(width: float, height: float) -> float:
        return max(width / wanted.width, height / wanted.height)

    room = 1 + 2 * MARGIN
    whole = around(size.width, size.height)
    covered = min(size.width / wanted.width, size.height / wanted.height)
    factor = max(1, covered, min(whole, around(object.width * room, object.height * room)))
    width, height = wanted.width * factor, wanted.height * factor
    left = _beside(object.left + object.width / 2, width, size.width)
    return Box(left, _beside(object.top + object.height / 2, height, size.height), width, height)


def _beside(middle: float, wanted: float, there: int) -> float:
    """Where a stretch begins that has its middle here, and lies within what is there if it can."""
    begin = middle - wanted / 2
    return begin if wanted > there else min(max(0, begin), there - wanted)


def _resized(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    if (image.width, image.height) == (width, height):
        return image
    return image.thumbnail_image(width, height=height, size="force")

"""A picture that has been opened: its pixels, decoded when they are needed, and its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyvips

from imaging.data import Data

QUARTER_TURNS = range(5, 9)
"""The EXIF orientations that exchange width and height."""

_OF_FRAMES = ("n-pages", "page-height", "delay", "loop")
"""libvips's names of what it says of frames."""


def orientation(image: pyvips.Image) -> int:
    """How the picture is to be turned or mirrored before it is shown, as EXIF numbers it."""
    return int(image.get("orientation")) if image.get_typeof("orientation") else 1


@dataclass(frozen=True, slots=True)
class Source:
    """A picture, or a strip of frames of one size below each other, as libvips has animations."""

    media_type: str
    image: pyvips.Image
    exif: Data | None = None
    """The EXIF block, without the name that JPEG puts before it; of a TIFF the file."""
    xmp: Data | None = None
    """The XMP packet."""
    iptc: Data | None = None
    """IPTC's block, or the list of Photoshop's resources that it is in."""
    size: tuple[int, int] = (0, 0)
    """Width and height in pixels of one frame as it is shown, also where `image` was made smaller
    as it was decoded."""
    frames: int = 1
    delays: Sequence[int] = ()
    """Milliseconds each frame is shown."""
    loop: int = 0
    """How often the animation is shown; 0 is without end."""
    placeholder: str | None = None
    """What a page shows until the result is there, where that is asked for."""
    is_cut: bool = False
    """Whether the file ends too early, where only a decoder that shows the rest says so: most
    others refuse the file."""

    @property
    def animated(self) -> bool:
        """Whether there is more than one frame."""
        return self.frames > 1

    def each_frame(self) -> list[pyvips.Image]:
        if not self.animated:
            return [self.image]
        width, height = self.image.width, self.image.height // self.frames
        return [self.image.crop(0, n * height, width, height) for n in range(self.frames)]

    def with_frames(self, frames: list[pyvips.Image]) -> Source:
        """The picture with these frames, all of one size, in place of its own."""
        image = pyvips.Image.arrayjoin(frames, across=1) if self.animated else frames[0]
        return replace(self, image=image, size=(frames[0].width, frames[0].height))


def as_still(image: pyvips.Image) -> pyvips.Image:
    """The pixels, without a word of frames."""
    told = [name for name in _OF_FRAMES if image.get_typeof(name)]
    if not told:
        return image
    image = image.copy()
    for name in told:
        image.remove(name)
    return image


def as_animation(
    image: pyvips.Image, height: int, delays: Sequence[int], loop: int
) -> pyvips.Image:
    """A strip of frames, each of this height in pixels, as encoders get it."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", height)
    image.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    image.set_type(pyvips.GValue.gint_type, "loop", loop)
    return image


def pixels(image: pyvips.Image) -> Data:
    """All pixels, row by row, as libvips stores them.

    They are computed in the calling thread and in one piece, which is for a picture in memory or a
    tiny one: libvips hands the pieces of others to threads, which takes longer than a tiny one.
    """
    data: Data = pyvips.Region.new(image).fetch(0, 0, image.width, image.height)
    return data


def blob(image: pyvips.Image, name: str) -> bytes | None:
    """Metadata that libvips holds as it came, None if there is none of this name."""
    return bytes(image.get(name)) if image.get_typeof(name) else None

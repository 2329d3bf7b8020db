"""The frames of an animated PNG, which libvips does not read: each is a PNG put together anew.

PNG, third edition, 4.9 and 11.3.6, says what the chunks mean and how frames lie on each other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyvips

from imaging.codec import loader
from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats.png import SIGNATURE
from imaging.formats.png.chunks import COLOUR_CHUNKS, FRAME_CHUNKS, chunk, chunks
from imaging.limits import Limits
from imaging.read.profile import PROFILE, with_profile
from imaging.read.whole import check_decodes, damaged
from imaging.source import Source, blob

MAX_DELAY = 2**24 - 1
"""Milliseconds, and the most that a WebP holds (RFC 9649, 2.7.1.1)."""
MAX_LOOPS = 2**16 - 1
"""The most that a WebP or a GIF holds."""

_SOURCE = 0
"""The blend that takes the place of what is there; the other lays over it."""
_BACKGROUND, _PREVIOUS = 1, 2
"""What is done with a frame's place before the next one: made clear, or as it was before."""

_CONTROL = struct.Struct(">IIIIHHBB")


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the canvas that changes."""

    width: int
    height: int
    left: int
    top: int
    delay: int
    """Milliseconds."""
    dispose: int
    blend: int
    data: list[bytes] = field(default_factory=list)
    """Its pixels, as IDAT chunks hold them."""


@dataclass(frozen=True, slots=True)
class Animation:
    """The frames, none of them decoded."""

    header: bytes
    """What IHDR holds."""
    shared: bytes
    """The chunks that each frame needs: palette and colours."""
    frames: list[Frame]
    loop: int
    """How often it is shown; 0 is without end."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas."""
        width, height = struct.unpack_from(">II", self.header)
        return width, height

    @property
    def is_grey(self) -> bool:
        """Whether there are no colours, by the type of the pixels (PNG, third edition, 11.2.1)."""
        return self.header[9] in (0, 4)


def decode(data: Data, kind: str, limits: Limits) -> Source | None:
    """The frames of the animation one below the other, or None if the file is a single picture.

    Raises:
        PictureError: if they are larger than they may be, or cannot be decoded.
    """
    animation = parse(data, limits)
    if animation is None:
        return None
    shown = list(_shown(animation))
    strip = pyvips.Image.arrayjoin(shown, across=1) if len(shown) > 1 else shown[0]
    colours, alpha = strip[:3], strip[3]
    if animation.is_grey:  # as a profile for grey has it
        colours = strip[0].copy(interpretation="b-w")
    strip = colours if alpha.min() == 255 else colours.bandjoin(alpha)
    first = pyvips.Image.pngload_buffer(bytes(data))
    if first.get_typeof(PROFILE):
        strip = with_profile(strip, bytes(first.get(PROFILE)))
    return Source(
        kind,
        strip,
        exif=blob(first, "exif-data"),
        xmp=blob(first, "xmp-data"),
        size=animation.size,
        frames=len(shown),
        delays=[frame.delay for frame in animation.frames] if len(shown) > 1 else (),
        loop=animation.loop,
    )


def check_whole(data: Data) -> None:
    """See whether all frames are there, and can be decoded; nothing is looked at in a file that is
    a single picture.

    Raises:
        PictureError: if not.
    """
    animation = parse(data, Limits(2**62, 2**31))
    if animation is None:
        return
    promised, ends = 0, False
    for kind, body, whole in chunks(data):
        if kind in FRAME_CHUNKS and not whole:
            raise damaged("the file ends within a frame")
        if kind == b"acTL" and not promised and len(body) >= 4:
            (promised,) = struct.unpack_from(">I", body)
        ends = ends or kind == b"IEND"
    # Some programs promise another number than there is; where nothing is cut off, all is there.
    if not ends and len(animation.frames) < promised:
        raise damaged(f"the file ends before the last of its {promised} frames")
    for frame in animation.frames:
        check_decodes(loader("pngload"), _png(frame, animation))


def parse(data: Data, limits: Limits) -> Animation | None:
    """What the chunks say, or None if they describe a single picture.

    The last frame of a file that was cut off is dropped.

    Raises:
        PictureError: if there are more frames than there may be, or one is not on the canvas.
    """
    header, shared, plays, frames = b"", [], None, list[Frame]()
    for kind, body, whole in chunks(data):
        match kind:
            case b"IHDR":
                header = body
            case b"acTL" if plays is None and len(body) >= 8:
                count, plays = struct.unpack_from(">II", body)
                limits.check_frames(count)
            case b"fcTL" if plays is not None and whole:
                frames.append(_frame(body, header))
                limits.check_frames(len(frames))
                width, height = struct.unpack_from(">II", header)
                limits.check_size(width, height, len(frames))
            case b"IDAT":
                if plays is None:
                    return None
                if frames:  # else it is for those who do not show animations
                    _add(frames, body, whole)
            case b"fdAT" if frames:
                _add(frames, body[4:], whole)
            case _ if kind in (b"PLTE", b"tRNS", *COLOUR_CHUNKS):
                shared.append(chunk(kind, body))
    frames = [frame for frame in frames if frame.data]
    if plays is None or not frames:
        return None
    return Animation(header, b"".join(shared), frames, min(plays, MAX_LOOPS))


def _frame(body: bytes, header: bytes) -> Frame:
    try:
        numbers = _CONTROL.unpack_from(body, 4)
        canvas = struct.unpack_from(">II", header)
    except struct.error:
        raise PictureError("the picture cannot be read: a frame without a size") from None
    width, height, left, top, number, of, dispose, blend = numbers
    if not width or not height or left + width > canvas[0] or top + height > canvas[1]:
        raise PictureError(
            f"the picture cannot be read: a frame of {width} × {height} at {left}, {top} is not "
            f"within its {canvas[0]} × {canvas[1]}"
        )
    delay = min(MAX_DELAY, round(number * 1000 / (of or 100)))
    return Frame(width, height, left, top, delay, dispose, blend)


def _add(frames: list[Frame], body: bytes, whole: bool) -> None:
    """Add pixels to the last frame; without its end it is only shown if it is all there is."""
    if whole or len(frames) == 1:
        frames[-1].data.append(body)
    else:
        frames[-1].data.clear()


def _shown(animation: Animation) -> Iterator[pyvips.Image]:
    """Each frame as it is seen, in memory: RGB and alpha, 8 bit."""
    width, height = animation.size
    canvas = pyvips.Image.black(width, height, bands=4).copy(interpretation="srgb")
    for number, frame in enumerate(animation.frames):
        before, part = canvas, _decoded(frame, animation)
        if frame.blend == _SOURCE:
            canvas = canvas.insert(part, frame.left, frame.top)
        else:
            canvas = canvas.composite2(
                part, "over", x=frame.left, y=frame.top, compositing_space="srgb"
            )
        canvas = canvas.cast("uchar").copy_memory()
        yield canvas
        if frame.dispose == _BACKGROUND or (frame.dispose == _PREVIOUS and number == 0):
            clear = pyvips.Image.black(frame.width, frame.height, bands=4)
            canvas = canvas.insert(
                clear.copy(interpretation="srgb"), frame.left, frame.top
            ).copy_memory()
        elif frame.dispose == _PREVIOUS:
            canvas = before


def _decoded(frame: Frame, animation: Animation) -> pyvips.Image:
    image = pyvips.Image.pngload_buffer(_png(frame, animation)).colourspace("srgb").cast("uchar")
    return image if image.hasalpha() else image.addalpha()


def _png(frame: Frame, animation: Animation) -> bytes:
    """The frame as a picture of its own."""
    header = struct.pack(">II", frame.width, frame.height) + animation.header[8:]
    return b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", header),
            animation.shared,
            *(chunk(b"IDAT", data) for data in frame.data),
            chunk(b"IEND", b""),
        )
    )

"""Width and height of a picture by its header, for a server that decodes nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import IO

from imaging.formats.dimensions import boxed, fixed, jpeg, tiff
from imaging.measures import Size

_READERS: dict[str, Callable[[IO[bytes]], tuple[int, int]]] = {
    "image/png": fixed.png,
    "image/apng": fixed.png,
    "image/gif": fixed.gif,
    "image/bmp": fixed.bmp,
    "image/webp": fixed.webp,
    "image/jpeg": jpeg.read,
    "image/tiff": tiff.read,
    "image/avif": boxed.heif,
    "image/heic": boxed.heif,
    "image/jp2": boxed.jpeg_2000,
    "image/jpx": boxed.jpeg_2000,
    "image/j2c": fixed.codestream,
}
"""Every kind that is read but the icons, whose sides are 256 pixels. Each reader gets the file at
its beginning, looks at so much of it and no more, and returns 0 × 0 where it cannot tell."""


def picture_size(file: IO[bytes], media_type: str, max_pixels: int) -> Size | None:
    """Width and height as they are stored, in pixels, or None if the header does not say.

    Shown they may be exchanged: the orientation is not read, as a format's limit is the same for
    both sides.

    Also None of a picture of more than `max_pixels`: no format helps there. What is not known here,
    or of kinds whose header is not read here, is seen by the worker.
    """
    read = _READERS.get(media_type)
    if read is None:
        return None
    file.seek(0)
    try:
        width, height = read(file)
    except (struct.error, IndexError):  # it ends too early
        return None
    if width <= 0 or height <= 0 or width * height > max_pixels:
        return None
    return Size(width, height)

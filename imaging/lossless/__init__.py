"""One module for each format that is read and written: the same pixels, without metadata."""

from __future__ import annotations

from imaging.formats import Format
from imaging.lossless import avif, gif, jpeg, png, webp
from imaging.options import Effort


def strip(format: Format, data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file with its own pixels and what they need to look right, and nothing else.

    Args:
        exif: a block that is put in, or left in, where the format has it.

    Raises:
        PictureError: if the file cannot be followed.
    """
    match format:
        case Format.JPG:
            return jpeg.strip(data, exif, effort)
        case Format.PNG:
            return png.strip(data, exif, effort)
        case Format.WEBP:
            return webp.strip(data, exif)
        case Format.AVIF:
            return avif.strip(data, exif)
        case Format.GIF:
            return gif.strip(data)

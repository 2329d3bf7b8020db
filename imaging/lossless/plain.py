"""A file with nothing but its metadata dropped: no codec touches it.

This is the last resort where the codecs' own tools fail, or give more bytes than came in: a file
that was cut off, arithmetic coding. What cannot be followed any further is kept to the end of the
file if it is pixels, and dropped if not. A file that was cut off stays so; a JPEG gets an end.
"""

from __future__ import annotations

import struct

from imaging.errors import PictureError
from imaging.formats import Format
from imaging.lossless import avif, gif, jpeg, webp
from imaging.lossless.png import SHOWN, SIGNATURE, with_exif
from imaging.options import Effort


def drop_metadata(format: Format, data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file with its own pixels, as they are stored, and what they need to look right.

    Args:
        exif: a block that is put in, where the format has it.
        effort: of no account; as `lossless.strip` takes it.

    Raises:
        PictureError: if it is no such file.
    """
    match format:
        case Format.JPG:
            return jpeg.drop_metadata(data, exif)
        case Format.PNG:
            return png(data, exif)
        case Format.WEBP:
            return webp.strip(data, exif)
        case Format.AVIF:
            return avif.strip(data, exif)
        case Format.GIF:
            return gif.strip(data, whole=False)


def png(data: bytes, exif: bytes | None) -> bytes:
    """The PNG with the chunks of its pixels, its frames and its colours, and this EXIF block."""
    if not data.startswith(SIGNATURE):
        raise PictureError("the picture cannot be read: no PNG")
    kept, at = [SIGNATURE], len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind in SHOWN:
            kept.append(data[at : at + 12 + size])
        if kind == b"IEND":
            break
        at += 12 + size
    return with_exif(b"".join(kept), exif)

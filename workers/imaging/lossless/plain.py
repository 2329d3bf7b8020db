"""A file with nothing but its metadata dropped: no codec touches it.

This is the last resort where the codecs' own tools fail, or give more bytes than came in: a file
that was cut off, arithmetic coding. What cannot be followed any further is kept to the end of the
file if it is pixels, and dropped if it is not; a file that was cut off stays so.
"""

from __future__ import annotations

import re
import struct

from app.core.conversion import Format
from app.core.options import Effort
from workers.imaging.errors import PictureError
from workers.imaging.lossless import avif, gif, webp
from workers.imaging.lossless.png import SHOWN, SIGNATURE, with_exif
from workers.imaging.segments import APP0, APP1, APP2, APP14, METADATA, SOI, segments

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In a scan: what is neither a byte of 255 nor a restart (ITU-T T.81, B.1.1.2 and B.1.1.5)."""

_SOS, _EOI = 0xDA, 0xD9
_ICC, _EXIF = b"ICC_PROFILE\0", b"Exif\0\0"


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
            return jpeg(data, exif)
        case Format.PNG:
            return png(data, exif)
        case Format.WEBP:
            return webp.strip(data, exif)
        case Format.AVIF:
            return avif.strip(data, exif)
        case Format.GIF:
            return gif.strip(data, whole=False)


def jpeg(data: bytes, exif: bytes | None) -> bytes:
    """The JPEG up to its end, with its profile, JFIF's and Adobe's segments and this EXIF block."""
    kept, end = [SOI], len(SOI)
    place = 1  # JFIF wants to be the first
    for segment in segments(data):
        end = segment.end
        profile = segment.kind == APP2 and data.startswith(_ICC, segment.content, segment.end)
        if profile or segment.kind in (APP0, APP14) or segment.kind not in METADATA:
            if segment.kind == APP0 and len(kept) == 1:
                place = 2
            kept.append(data[segment.start : segment.end])
    if exif is not None:
        head = struct.pack(">BBH", 0xFF, APP1, len(_EXIF + exif) + 2)
        kept.insert(place, head + _EXIF + exif)
    return b"".join((*kept, *_scans(data, end)))


def _scans(data: bytes, at: int) -> list[bytes]:
    """The scans and the tables between them, up to the end of the picture or of the file."""
    kept: list[bytes] = []
    while marker := _MARKER.search(data, at):
        kept.append(data[at : marker.start()])
        at, kind = marker.start(), data[marker.start() + 1]
        if kind == _EOI:
            return [*kept, data[at : at + 2]]
        (size,) = struct.unpack_from(">H", data, at + 2) if at + 4 <= len(data) else (0,)
        end = at + 2 + max(size, 2)
        if kind not in METADATA:
            kept.append(data[at:end])
        at = end
    return [*kept, data[at:]]


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

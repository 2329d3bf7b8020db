"""A JPEG's own coefficients in fewer bytes, by mozjpeg."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import mozjpeg_lossless_optimization as mozjpeg

from workers.imaging.errors import PictureError

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_SOS, _COM = 0xDA, 0xFE
_ICC = b"ICC_PROFILE\0"
_EXIF = b"Exif\0\0"


def strip(data: bytes, exif: bytes | None) -> bytes:
    """The file without metadata but its colour profile and, if given, this EXIF block.

    Raises:
        PictureError: if mozjpeg cannot read it.
    """
    plain = _without_metadata(data)
    try:
        # It knows profiles and EXIF only as markers to copy, so they are put in after it.
        optimised: bytes = mozjpeg.optimize(plain, mozjpeg.COPY_MARKERS.NONE)
    except ValueError as error:
        raise PictureError(f"the picture cannot be read: {error}") from None
    # A file that was cut off stays so in `plain`; mozjpeg writes what there is of it to an end.
    smaller = min(plain, optimised, key=len) if _is_whole(plain) else optimised
    kept = [segment for kind, segment in _segments(data) if _is_profile(kind, segment)]
    if exif is not None:
        kept.insert(0, struct.pack(">BBH", 0xFF, _APP1, len(_EXIF + exif) + 2) + _EXIF + exif)
    at = len(_SOI)
    first = next(_segments(smaller), None)
    if first is not None and first[0] == _APP0:  # JFIF wants to be the first
        at += len(first[1])
    return smaller[:at] + b"".join(kept) + smaller[at:]


def _without_metadata(data: bytes) -> bytes:
    """The file without the segments of applications, but JFIF's and Adobe's, and comments."""
    kept, end = [_SOI], len(_SOI)
    for kind, segment in _segments(data):
        end += len(segment)
        if kind in (_APP0, _APP14) or not (_APP0 <= kind <= _APP15 or kind == _COM):
            kept.append(segment)
    return b"".join((*kept, data[end:]))


def _is_whole(data: bytes) -> bool:
    """Whether the picture's end is there; in a scan nothing else looks like it."""
    scan = len(_SOI) + sum(len(segment) for _, segment in _segments(data))
    return data.find(_EOI, scan) >= 0


def _is_profile(kind: int, segment: bytes) -> bool:
    return kind == _APP2 and segment[4:].startswith(_ICC)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker segments before the scan, each with its marker (ITU-T T.81, annex B)."""
    at = len(_SOI)
    while at + 4 <= len(data):
        marker, kind, size = struct.unpack_from(">BBH", data, at)
        if marker != 0xFF or size < 2:
            return
        if kind in (_SOS, 0xFF):  # the scan; bytes of filling, which no encoder writes
            return
        yield kind, data[at : at + 2 + size]
        at += 2 + size

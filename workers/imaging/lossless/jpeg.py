"""A JPEG's own coefficients in fewer bytes, by mozjpeg."""

from __future__ import annotations

import struct

import mozjpeg_lossless_optimization as mozjpeg

from workers.imaging.errors import PictureError
from workers.imaging.segments import APP0, APP1, APP2, APP14, METADATA, SOI, Segment, segments

_EOI = b"\xff\xd9"
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
    kept = [data[s.start : s.end] for s in segments(data) if _is_profile(data, s)]
    if exif is not None:
        kept.insert(0, struct.pack(">BBH", 0xFF, APP1, len(_EXIF + exif) + 2) + _EXIF + exif)
    first = next(segments(smaller), None)
    # JFIF wants to be the first.
    at = first.end if first is not None and first.kind == APP0 else len(SOI)
    return smaller[:at] + b"".join(kept) + smaller[at:]


def _without_metadata(data: bytes) -> bytes:
    """The file without the segments of applications, but JFIF's and Adobe's, and comments."""
    kept, end = [SOI], len(SOI)
    for segment in segments(data):
        end = segment.end
        if segment.kind in (APP0, APP14) or segment.kind not in METADATA:
            kept.append(data[segment.start : segment.end])
    return b"".join((*kept, data[end:]))


def _is_whole(data: bytes) -> bool:
    """Whether the picture's end is there; in a scan nothing else looks like it."""
    scan = max((segment.end for segment in segments(data)), default=len(SOI))
    return data.find(_EOI, scan) >= 0


def _is_profile(data: bytes, segment: Segment) -> bool:
    return segment.kind == APP2 and data.startswith(_ICC, segment.content, segment.end)

"""A JPEG without its metadata. Its scans stay as they are or, where time does not matter, are put
in fewer bytes by mozjpeg."""

from __future__ import annotations

import struct

import mozjpeg_lossless_optimization as mozjpeg

from imaging.errors import PictureError
from imaging.options import Effort
from imaging.read.segments import (
    APP0,
    APP1,
    APP2,
    APP14,
    EOI,
    EXIF_HEAD,
    METADATA,
    SOI,
    SOS,
    Segment,
    marker,
    segments,
)

_END = bytes((0xFF, EOI))
_JFIF, _ADOBE, _ICC = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"

_JFIF_SIZE = 14
"""Bytes of a JFIF segment's content without the picture that may follow (ITU-T T.871, 10.1)."""


def strip(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file without metadata but its colour profile and, if given, this EXIF block.

    Decoded, and coded anew, only for `Effort.SMALL` (25 ms a megapixel), or if it was cut off.

    Raises:
        PictureError: if mozjpeg cannot read it.
    """
    plain, whole = _splice(data)
    if effort is not Effort.SMALL and whole:
        return _with(plain, data, exif)
    try:
        # It knows profiles and EXIF only as markers to copy, so they are put in after it. A file
        # that was cut off it writes, with what there is of it, to an end.
        optimised: bytes = mozjpeg.optimize(plain if whole else data, mozjpeg.COPY_MARKERS.NONE)
    except ValueError as error:
        raise PictureError(f"the picture cannot be read: {error}") from None
    return _with(min(plain, optimised, key=len) if whole else optimised, data, exif)


def bare(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """As `strip`, with the scans as they are, also where the file was cut off.

    Raises:
        PictureError: if it has no scan.
    """
    plain, whole = _splice(data)
    if not plain:
        raise PictureError("the picture cannot be read: the JPEG ends before its first scan")
    return _with(plain if whole else _ended(plain), data, exif)


def _ended(plain: bytes) -> bytes:
    """What there is of a file that was cut off, with an end, without which some decoders refuse it.

    The end takes the place of the last bytes, so that the file gets no larger.
    """
    return plain[: -len(_END)].rstrip(b"\xff") + _END


def _with(stripped: bytes, data: bytes, exif: bytes | None) -> bytes:
    """The file that was made of `data`, with the profile that is there and this EXIF block."""
    kept = [data[s.start : s.end] for s in segments(data) if _is_profile(data, s)]
    if exif is not None:
        block = EXIF_HEAD + exif
        kept.insert(0, struct.pack(">BBH", 0xFF, APP1, len(block) + 2) + block)
    if not kept:
        return stripped
    first = next(segments(stripped), None)
    # JFIF wants to be the first.
    at = first.end if first is not None and first.kind == APP0 else len(SOI)
    return stripped[:at] + b"".join(kept) + stripped[at:]


def _splice(data: bytes) -> tuple[bytes, bool]:
    """The file's scans and what they need to be decoded, and nothing else; nothing is decoded.

    Second whether its end is there and all of it is segments: what follows anything else is left
    out.
    """
    kept: list[bytes | memoryview] = [SOI]
    at = len(SOI)
    scans_end = 0
    while True:
        for segment in segments(data, at):
            at = segment.end
            kept.append(_needed(data, segment))
        following = marker(data, at)
        if following is not None and following.kind == EOI:
            return b"".join((*kept, _END)), True
        if following is None or following.kind != SOS:
            # Behind the last scan there is nothing that is shown.
            return b"".join(kept[:scans_end]), False
        kept.append(memoryview(data)[following.start : following.end])
        at = following.end
        (size,) = struct.unpack_from(">H", data, following.start + 2)
        if following.start + 2 + size < at:  # its header is not all there is of it
            scans_end = len(kept)


def _needed(data: bytes, segment: Segment) -> bytes:
    """What a decoder needs of a segment; applications' own and comments are dropped."""
    if segment.kind not in METADATA:
        return data[segment.start : segment.end]
    content = data[segment.content : segment.end]
    if segment.kind == APP14 and content.startswith(_ADOBE):
        return data[segment.start : segment.end]
    if segment.kind == APP0 and content.startswith(_JFIF) and len(content) >= _JFIF_SIZE:
        head = struct.pack(">BBH", 0xFF, APP0, _JFIF_SIZE + 2)
        return head + content[: _JFIF_SIZE - 2] + b"\0\0"
    return b""


def _is_profile(data: bytes, segment: Segment) -> bool:
    return segment.kind == APP2 and data.startswith(_ICC, segment.content, segment.end)

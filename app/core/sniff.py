"""What kind of file this is, by its first bytes."""

from __future__ import annotations

import filetype

HEAD_SIZE = 8192
"""Bytes that `filetype` looks at, at most."""

_HEIF_TYPES = ("image/heic", "image/avif")
_FTYP = slice(4, 8)


def picture_type(head: bytes) -> str | None:
    """The media type of a file that begins with `head`, or None if it is no picture.

    It may be one that cannot be read here.
    """
    kind = filetype.image_match(head)
    if kind is None or kind.mime in _HEIF_TYPES:
        # filetype looks at the major brand alone, which says "some HEIF" in files of both kinds.
        return _heif_type(head) or (kind.mime if kind else None)
    return str(kind.mime)


def _heif_type(head: bytes) -> str | None:
    """The type by the brands of an ISO media file (ISO/IEC 23008-12, annex B; AV1 in HEIF)."""
    if head[_FTYP] != b"ftyp":
        return None
    size = int.from_bytes(head[:4], "big")
    names = head[8:12] + head[16 : min(size, len(head))]
    brands = {names[n : n + 4] for n in range(0, len(names) - 3, 4)}
    if brands & {b"avif", b"avis"}:
        return "image/avif"
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
        return "image/heic"
    return None

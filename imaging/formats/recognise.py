"""What kind of file this is, by its first bytes."""

from __future__ import annotations

import filetype

from imaging.errors import NotAnImage
from imaging.formats.kinds import READABLE, not_supported

HEAD_SIZE = 8192
"""Bytes that `filetype` looks at, at most."""

_SIGNATURES = (
    (b"II\x2b\x00\x08\x00\x00\x00", "image/tiff"),  # BigTIFF: the size of an offset, and a zero
    (b"MM\x00\x2b\x00\x08\x00\x00", "image/tiff"),
    (b"\xff\x4f\xff\x51", "image/j2c"),  # SOC and SIZ (ITU-T T.800, A.4.1, A.5.1)
    (b"\xff\x0a", "image/jxl"),  # ISO/IEC 18181-1: a codestream
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"IIU\x00", "image/x-panasonic-rw2"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"#?RADIANCE", "image/vnd.radiance"),
    (b"#?RGBE", "image/vnd.radiance"),
)
"""What `filetype` does not know, or takes for another kind."""

_JPEG_2000 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
"""The box that begins every file of the JPEG 2000 family (ITU-T T.800, I.5.1)."""
_JPEG_2000_TYPES = {
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jpx",
    b"jph ": "image/jpx",
    b"jpm ": "image/jpm",
}
"""By the brand: Part 1, Part 2, high throughput (Part 15), compound documents (Part 6)."""

_HEIF_TYPES = ("image/heic", "image/avif")
_FTYP = slice(4, 8)


def readable_type(head: bytes) -> str:
    """The media type of a file that begins with `head`, one of `READABLE`.

    Raises:
        NotAnImage: if it is not a picture, or of a kind that cannot be read.
    """
    kind = picture_type(head)
    if kind is None or kind not in READABLE:
        raise NotAnImage(not_supported(kind))
    return kind


def picture_type(head: bytes) -> str | None:
    """The media type of a file that begins with `head`, or None if it is not a picture.

    It may be one that cannot be read here.
    """
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head.startswith(_JPEG_2000):
        return _jpeg_2000_type(head)
    if _is_svg(head):
        return "image/svg+xml"
    kind = filetype.image_match(head)
    if kind is None or kind.mime in _HEIF_TYPES:
        # filetype looks at the major brand alone, which says "some HEIF" in files of both kinds.
        return _heif_type(head) or (kind.mime if kind else None)
    return str(kind.mime)


def _brands(head: bytes, start: int) -> list[bytes]:
    """The brands of the file type box that begins here, the major one first (ISO/IEC 14496-12,
    4.3)."""
    size = int.from_bytes(head[start : start + 4], "big")
    names = head[start + 8 : start + 12] + head[start + 16 : min(start + size, len(head))]
    return [names[n : n + 4] for n in range(0, len(names) - 3, 4)]


def _jpeg_2000_type(head: bytes) -> str:
    known = (_JPEG_2000_TYPES[name] for name in _brands(head, 12) if name in _JPEG_2000_TYPES)
    # The decoder looks at the boxes, so that a brand nobody knows is its own matter.
    return next(known, "image/jp2")


def _heif_type(head: bytes) -> str | None:
    """The type by the brands of an ISO media file (ISO/IEC 23008-12, annex B; AV1 in HEIF)."""
    if head[_FTYP] != b"ftyp":
        return None
    brands = set(_brands(head, 0))
    if brands & {b"avif", b"avis"}:
        return "image/avif"
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
        return "image/heic"
    if b"crx " in brands:
        return "image/x-canon-cr3"
    return None


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!")) and b"<svg" in text)

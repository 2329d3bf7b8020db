"""The chunks of a WebP file (RFC 9649, section 2): taken out, and put in."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imaging.errors import PictureError
from imaging.options import Effort

_RIFF = struct.Struct("<4sI4s")
_HEAD = struct.Struct("<4sI")
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
"""Bits of the first byte of VP8X (RFC 9649, section 2.7)."""

_SHOWN = (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF")

_CHUNK = slice(12, 16)
"""Where the name of the first chunk is; of an animation it is VP8X (RFC 9649, 2.7)."""
_FLAGS, _ALPHA_FLAG = 20, 0x10
"""Where that chunk's flags are, and one of them."""


def with_alpha(data: bytes) -> bytes:
    """An animation with the flag that it has alpha. One whose frames are all the same is a picture,
    which has no such flag, and stays as it is.

    libwebp sets it where a frame has alpha in itself, and not where frames are smaller than the
    picture; some decoders then show black around them.
    """
    if data[_CHUNK] != b"VP8X":
        return data
    flags = bytes([data[_FLAGS] | _ALPHA_FLAG])
    return data[:_FLAGS] + flags + data[_FLAGS + 1 :]


def strip(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file without metadata but its colour profile and, if given, this EXIF block.

    Raises:
        PictureError: if it is not a WebP, or an EXIF block has no place in it.
    """
    chunks = [(name, body) for name, body in _chunks(data) if name in _SHOWN]
    if not chunks:
        raise PictureError("the picture cannot be read: it is not a WebP")
    name, body = chunks[0]
    if name == b"VP8X":
        flags = body[0] & ~(_EXIF_FLAG | _XMP_FLAG) | (_EXIF_FLAG if exif else 0)
        chunks[0] = name, bytes([flags]) + body[1:]
        if exif:
            chunks.append((b"EXIF", exif))
    elif exif:
        raise PictureError("this WebP has no place for metadata")
    packed = b"".join(_pack(*chunk) for chunk in chunks)
    return _RIFF.pack(b"RIFF", len(packed) + 4, b"WEBP") + packed


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(data) < _RIFF.size:
        return
    riff, size, webp = _RIFF.unpack_from(data)
    if (riff, webp) != (b"RIFF", b"WEBP"):
        return
    at, end = _RIFF.size, min(len(data), size + 8)
    while at + _HEAD.size <= end:
        name, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield name, data[at : at + length]
        at += length + length % 2


def _pack(name: bytes, body: bytes) -> bytes:
    return _HEAD.pack(name, len(body)) + body + b"\0" * (len(body) % 2)

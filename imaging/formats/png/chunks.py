"""The chunks of a PNG."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats.png import SIGNATURE
from imaging.limits import MAX_METADATA, Limits
from imaging.options import Effort

COLOUR_CHUNKS = (b"iCCP", b"sRGB", b"cHRM", b"gAMA", b"cICP")
"""What the pixels' colours depend on (PNG, third edition, 11.3.2)."""

FRAME_CHUNKS = (b"acTL", b"fcTL", b"fdAT")
"""What makes an animation of it (PNG, third edition, 11.3.6)."""

SHOWN = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", *COLOUR_CHUNKS, *FRAME_CHUNKS))
"""All that the picture as it is seen depends on."""

_HEADER_END = 33
"""Where IHDR ends: 8 bytes of signature and a chunk of 13 with its 12 of frame."""


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk with its length before it and its checksum behind it (PNG, third edition, 5.3)."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def chunks(data: Data) -> Iterator[tuple[bytes, bytes, bool]]:
    """Name and content of each chunk up to IEND, and whether all of it is there."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, bytes(view[at + 8 : at + 8 + size]), at + 8 + size <= len(data)
        if kind == b"IEND":
            return
        at += 12 + size


def with_exif(data: bytes, exif: bytes | None) -> bytes:
    """The file with this EXIF block put in, if there is one."""
    if exif is None:
        return data
    return data[:_HEADER_END] + chunk(b"eXIf", exif) + data[_HEADER_END:]


def with_xmp(data: bytes, packet: bytes) -> bytes:
    """The file with this XMP packet put in, not compressed, so that a search of its bytes finds it
    (ISO 16684-3, 6.4)."""
    # The keyword, a zero, no compression twice, and neither a language nor a keyword in it.
    text = b"XML:com.adobe.xmp" + bytes(5) + packet
    return data[:_HEADER_END] + chunk(b"iTXt", text) + data[_HEADER_END:]


def bare(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file with the chunks of its pixels, its frames and its colours, and this EXIF block.

    Raises:
        PictureError: if it is not a PNG.
    """
    if not data.startswith(SIGNATURE):
        raise PictureError("the picture cannot be read: it is not a PNG")
    kept, at = [SIGNATURE], len(SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind in SHOWN:
            kept.append(data[at : at + 12 + size])
        if kind == b"IEND":
            break
        at += 12 + size
    return with_exif(b"".join(kept), exif)


def check(data: Data, limits: Limits, start: int = 0) -> None:
    """See whether the chunks promise no more than they may: texts and profiles are inflated as a
    decoder opens the file.

    Args:
        start: where the PNG begins in `data`.

    Raises:
        PictureError: if they do.
        struct.error: if a chunk is cut off.
    """
    metadata = frames = 0
    for kind, body in _without_pixels(data, start + len(SIGNATURE)):
        match kind:
            case b"IHDR":
                limits.check_size(*struct.unpack_from(">II", body))
            case b"acTL":
                limits.check_frames(*struct.unpack_from(">I", body))
            case b"fcTL":
                frames += 1
                limits.check_frames(frames)
            case b"zTXt" | b"iCCP":
                # A keyword, a zero, the method of compression, and what is compressed.
                metadata += _inflated(body[body.find(0) + 2 :])
            case b"iTXt":
                # As above, then language and keyword once more, each with a zero behind it.
                keyword = body.find(0)
                text = body[keyword + 3 :].split(b"\0", 2)[-1]
                compressed = body[keyword + 1 : keyword + 2] == b"\1"
                metadata += _inflated(text) if compressed else len(text)
            case b"tEXt" | b"eXIf":
                metadata += len(body)
        if metadata > MAX_METADATA:
            limits.check_metadata(metadata)


def _without_pixels(data: Data, at: int) -> Iterator[tuple[bytes, Data]]:
    """Name and data of each chunk but those with pixels (PNG, third edition, 5.3)."""
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind not in (b"IDAT", b"fdAT"):
            yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size


def _inflated(data: Data) -> int:
    """Bytes that this becomes, counted as far as `MAX_METADATA` allows."""
    inflater, size = zlib.decompressobj(), 0
    try:
        while data and size <= MAX_METADATA:
            size += len(inflater.decompress(data, 2**18))
            data = inflater.unconsumed_tail
    except zlib.error:
        pass  # the decoder will see so too, and drop it
    return size

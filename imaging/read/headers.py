"""What the headers promise that the decoders themselves do not say, or say too late.

Of most kinds libvips and Pillow tell the size before they decode. Here is the rest: texts and
profiles that decoders inflate as they open a file, and pictures inside of pictures. What cannot be
followed is left to the decoder, which then says what is wrong with the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from imaging.data import Data
from imaging.limits import MAX_METADATA, Limits
from imaging.read.boxes import within
from imaging.read.segments import METADATA, segments
from imaging.tiff.layout import check_tiff

_PNG = b"\x89PNG\r\n\x1a\n"
_BITMAP_HEADER = 40
"""Bytes of a BITMAPINFOHEADER, which an icon has where it has no PNG."""
_CODESTREAM = b"\xff\x4f\xff\x51"
"""SOC and SIZ, which begin every JPEG 2000 codestream (ITU-T T.800, A.4.1, A.5.1)."""


def check_header(data: Data, kind: str, limits: Limits) -> None:
    """See whether a file of this media type promises no more than it may.

    Raises:
        PictureError: if it does.
    """
    try:
        match kind:
            case "image/png" | "image/apng":
                _check_png(data, limits)
            case "image/jpeg":
                _check_jpeg(data, limits)
            case "image/x-icon":
                _check_icon(data, limits)
            case "image/jp2" | "image/jpx" | "image/j2c":
                _check_jpeg_2000(data, limits)
            case "image/avif" | "image/heic":
                _check_heif(data, limits)
            case "image/tiff":
                check_tiff(data, limits)
    except struct.error:
        return  # it ends too early


def _check_png(data: Data, limits: Limits, start: int = 0) -> None:
    metadata = frames = 0
    for kind, body in _png_chunks(data, start + len(_PNG)):
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


def _png_chunks(data: Data, at: int) -> Iterator[tuple[bytes, Data]]:
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


def _check_jpeg(data: Data, limits: Limits) -> None:
    metadata = (segment for segment in segments(data) if segment.kind in METADATA)
    limits.check_metadata(sum(segment.end - segment.content for segment in metadata))


def _check_icon(data: Data, limits: Limits) -> None:
    """The directory has a byte for a side, so it is the pictures themselves that count."""
    (count,) = struct.unpack_from("<H", data, 4)
    for number in range(count):
        (start,) = struct.unpack_from("<I", data, 6 + 16 * number + 12)
        if data[start : start + len(_PNG)] == _PNG:
            _check_png(data, limits, start)
        else:
            header, width, height = struct.unpack_from("<Iii", data, start)
            if header >= _BITMAP_HEADER:
                # Twice as high as it is shown: the mask lies behind the colours.
                limits.check_size(abs(width), abs(height) // 2)


def _check_heif(data: Data, limits: Limits) -> None:
    """The size of every picture in the file: libvips takes one that it cannot count as 1."""
    for size in within(data, b"meta", b"iprp", b"ipco", b"ispe"):
        limits.check_size(*struct.unpack_from(">II", data, size.start + 4))


def _check_jpeg_2000(data: Data, limits: Limits) -> None:
    at = data.find(_CODESTREAM)
    if at < 0:
        return
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    limits.check_size(max(0, right - left), max(0, bottom - top))

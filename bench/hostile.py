"""Small files that promise huge pictures, or unfold into much: decompression bombs.

The tests and `script/bench bombs` convert the same ones.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

from imaging.formats import Format

Maker = Callable[[], bytes]

INFLATED = 200 * 1024**2
"""Bytes that a compressed text or profile becomes."""

_PNG = b"\x89PNG\r\n\x1a\n"

_HERE = -1
"""In place of an offset in a TIFF: where its data begins."""

# A grey block of 8 × 8 in a JPEG is six bits, with the tables of Annex K: no difference in
# brightness (00), no detail (1010). Four of them are three bytes.
_FOUR_EMPTY_BLOCKS = b"\x28\xa2\x8a"


def png_1_bit() -> bytes:
    """30,000 × 30,000, black: about 110 KB."""
    return _png(30_000, 30_000, 1, _zeros(30_000 * (1 + 30_000 // 8)))


def png_16_bit() -> bytes:
    """12,000 × 12,000 of 16 bit."""
    return _png(12_000, 12_000, 16, _zeros(12_000 * (1 + 12_000 * 2)))


def png_promise() -> bytes:
    """An IHDR with the largest numbers it can hold, and next to nothing behind it."""
    return _png(2**31 - 1, 2**31 - 1, 8, _zeros(1000))


def png_text(kind: bytes) -> Maker:
    """A small picture with a text of 200 MB, compressed: zTXt or iTXt."""
    head = b"Comment\0\0" if kind == b"zTXt" else b"Comment\0\1\0\0\0"
    return lambda: _small_png(_chunk(kind, head + _zeros(INFLATED)))


def png_profile() -> bytes:
    """A small picture with a profile of 200 MB."""
    return _small_png(_chunk(b"iCCP", b"icc\0\0" + _zeros(INFLATED)))


def png_texts() -> bytes:
    """A small picture with a hundred texts of 8 MB, each of which might pass."""
    return _small_png(_chunk(b"zTXt", b"Comment\0\0" + _zeros(8 * 1024**2)) * 100)


def png_chunks() -> bytes:
    """A small picture with 400,000 empty texts."""
    return _small_png(_chunk(b"tEXt", b"a\0") * 400_000)


def apng(side: int, promised: int, frames: int) -> Maker:
    """An animation whose every frame is of the same pixel, at a corner of its canvas.

    Args:
        promised: frames by acTL.
    """

    def make() -> bytes:
        pixel = zlib.compress(bytes(2))
        parts = [_chunk(b"acTL", struct.pack(">II", promised, 0))]
        for number in range(frames):
            place = struct.pack(">IIII", 1, 1, side - 1, side - 1)
            control = struct.pack(">I", number) + place + struct.pack(">HHBB", 1, 10, 0, 0)
            parts += [_chunk(b"fcTL", control), _chunk(b"fdAT", struct.pack(">I", number) + pixel)]
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        # The default picture first, which is then not part of the animation.
        data = zlib.compress(bytes(min(side, 16) * (side + 1)))
        still = _chunk(b"IDAT", data)
        tail = _chunk(b"IEND", b"")
        return b"".join((_PNG, _chunk(b"IHDR", header), parts[0], still, *parts[1:], tail))

    return make


def gif_frames(count: int = 3000, side: int = 4000) -> Maker:
    """Frames as large as the canvas, of one pixel and nothing more: 69 KB."""
    frame = (
        b"\x21\xf9\x04\x04\x0a\0\0\0"  # kept for the next one, shown for 100 ms
        + struct.pack("<BHHHHB", 0x2C, 0, 0, side, side, 0)
        + b"\x02\x02\x44\x01\0"
    )
    screen = struct.pack("<6sHHBBB", b"GIF89a", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return lambda: screen + frame * count + b"\x3b"


def jpeg() -> bytes:
    """16,000 × 16,000, grey, complete: 3 MB."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8), 128).save(buffer, "JPEG", quality=50)
    small = buffer.getvalue()
    frame, scan = small.index(b"\xff\xc0"), small.index(b"\xff\xda")
    size = struct.pack(">HH", 16_000, 16_000)
    header = small[: frame + 5] + size + small[frame + 9 : scan + 2 + small[scan + 3]]
    return header + _FOUR_EMPTY_BLOCKS * (2000 * 2000 // 4) + b"\xff\xd9"


def jpeg_profile() -> bytes:
    """A small picture with 255 segments of a profile and 200 of EXIF: 30 MB."""
    profile = b"".join(
        _segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 255]) + bytes(65_000))
        for number in range(1, 256)
    )
    return b"\xff\xd8" + profile + _segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 200 + _jpeg()[2:]


def tiff_group_4() -> bytes:
    """20,000 × 20,000, white, fax: one bit is a row."""
    data = b"\xff" * (20_000 // 8) + b"\0\x10\x01\0\x10\x01"
    return _tiff(20_000, 20_000, data, compression=4, bits=1, colour=0)


def tiff_strips() -> bytes:
    """A small picture whose strip is said to have 4 GB."""
    return _tiff(100, 100, bytes(100), compression=5, bits=8, strip=2**32 - 1)


def tiff_tile() -> bytes:
    """A small picture in one tile of 2³⁰ × 2³⁰."""
    return _tiff(100, 100, bytes(100), compression=5, bits=8, tile=2**30)


def tiff_size(side: int, *, big: bool = False) -> Maker:
    """A TIFF or BigTIFF that is said to be so wide and high, with next to nothing behind it."""
    return lambda: _tiff(side, side, bytes(1000), compression=5, bits=8, big=big)


def tiff_float_tile() -> bytes:
    """Floats in one tile of 2³¹ × 2³¹."""
    floats = ((339, 3, 3),)
    return _tiff(100, 100, bytes(400), compression=1, bits=32, tile=2**31, more=floats)


def tiff_jpeg_tile() -> bytes:
    """Old-style JPEG in one tile of 2³¹ × 2³¹."""
    return tiff_of_jpeg(_saved("JPEG"), 64, 2**31)


def tiff_of_jpeg(data: bytes, side: int, tile: int | None = None) -> bytes:
    """A TIFF in old-style JPEG compression: all of a JPEG in colour is in it, in one strip or
    tile."""
    whole = ((512, 3, 1), (513, 4, _HERE), (514, 4, len(data)))
    # YCbCr.
    return _tiff(
        side, side, data, compression=6, bits=8, tile=tile, colour=6, samples=3, more=whole
    )


def tiff_loop() -> bytes:
    """A page behind which comes the same one."""
    whole = _tiff(16, 16, bytes(256), compression=1, bits=8)
    return whole[: -4 - 256] + struct.pack("<I", 8) + whole[-256:]


def tiff_directories() -> bytes:
    """A million pages, each of one tag."""
    first = _tiff(16, 16, bytes(32), compression=1, bits=1)
    at = len(first)
    pages = b"".join(
        struct.pack("<HHHIII", 1, 256, 3, 1, 16, at + 18 * (n + 1) if n < 999_999 else 0)
        for n in range(1_000_000)
    )
    return first[: -4 - 32] + struct.pack("<I", at) + first[-32:] + pages


def webp() -> bytes:
    """16,000 × 16,000 in 36 bytes: every pixel is the one of a code of no bits."""
    bits = 0x2F | 15_999 << 8 | 15_999 << 22
    at = 8 + 14 + 14 + 1 + 3 + 3  # no alpha, version 0, no transform, no cache, no meta codes
    for _ in range(5):  # five codes, each of the one symbol 0
        bits |= 1 << at
        at += 4
    body = bits.to_bytes((at + 7) // 8 + 1, "little")
    return _riff(_webp_chunk(b"VP8L", body))


def webp_frames() -> bytes:
    """3,000 frames on a canvas of 4,000 × 4,000."""
    pixel = webp_pixel()
    frame = b"".join(v.to_bytes(3, "little") for v in (0, 0, 0, 0, 100)) + b"\0" + pixel
    canvas = bytes([0x02, 0, 0, 0]) + (3999).to_bytes(3, "little") * 2
    return _riff(
        _webp_chunk(b"VP8X", canvas)
        + _webp_chunk(b"ANIM", bytes(6))
        + _webp_chunk(b"ANMF", frame) * 3000
    )


def webp_pixel() -> bytes:
    """The chunk of a picture of one pixel."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()[12:]


def bmp() -> bytes:
    """30,000 × 30,000, run-length encoded: nothing but the end."""
    header = struct.pack("<IiiHHIIiiII", 40, 30_000, 30_000, 1, 8, 1, 2, 0, 0, 256, 0)
    data = b"\0\1"
    at = 14 + 40 + 1024
    return struct.pack("<2sIHHI", b"BM", at + len(data), 0, 0, at) + header + bytes(1024) + data


def bmp_bit_fields(side: int) -> Maker:
    """So wide and high, 10 bits a colour, and nothing behind the header."""
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 32, 3, 0, 0, 0, 0, 0)
    masks = struct.pack("<III", 0x3FF00000, 0xFFC00, 0x3FF)
    return lambda: struct.pack("<2sIHHI", b"BM", 66, 0, 0, 66) + header + masks


def ico_entries() -> bytes:
    """65,535 entries, each of the same small picture: a megabyte."""
    count, inner = 2**16 - 1, _saved("PNG")
    entry = struct.pack("<BBBBHHII", 64, 64, 0, 0, 1, 32, len(inner), 6 + 16 * count)
    return struct.pack("<HHH", 0, 1, count) + entry * count + inner


def ico() -> bytes:
    """An icon of 256 × 256 by its directory, which is a PNG of 30,000 × 30,000."""
    inner = png_1_bit()
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


def jpeg_2000() -> bytes:
    """60,000 × 60,000 by its codestream, 16 × 16 by the boxes around it."""
    data = bytearray(_saved("JPEG2000", 16))
    size = data.index(b"\xff\x4f\xff\x51") + 8
    data[size : size + 8] = struct.pack(">II", 60_000, 60_000)
    data[size + 16 : size + 24] = struct.pack(">II", 60_000, 60_000)
    return bytes(data)


def codestream() -> bytes:
    """16,000 × 16,000 by its header, without boxes around it."""
    boxed = _saved("JPEG2000", 16)
    data = bytearray(boxed[boxed.index(b"\xff\x4f\xff\x51") :])
    size = struct.pack(">II", 16_000, 16_000)
    data[8:16] = data[24:32] = size  # of the picture, and of its one tile
    return bytes(data)


def heif(format: str, width: int = 60_000, height: int = 60_000) -> Maker:
    """A small AVIF or HEIC whose property says it is something else."""

    def make() -> bytes:
        data = bytearray(_heif(format))
        at = data.index(b"ispe") + 8
        data[at : at + 8] = struct.pack(">II", width, height)
        return bytes(data)

    return make


def jxl() -> bytes:
    """A JPEG XL whose size header (ISO/IEC 18181-1, annex D.2) promises the most that it can."""
    side, form = 2**30 - 1, 3
    bits = form << 1 | side << 3 | form << 36 | side << 38
    return b"\xff\x0a" + bits.to_bytes(9, "little") + bytes(100)


BOMBS: dict[str, Maker] = {
    "png 1 bit 30000²": png_1_bit,
    "png 16 bit 12000²": png_16_bit,
    "png IHDR 2³¹-1": png_promise,
    "png zTXt 200 MB": png_text(b"zTXt"),
    "png iTXt 200 MB": png_text(b"iTXt"),
    "png iCCP 200 MB": png_profile,
    "png 100 zTXt": png_texts,
    "apng 10⁶ frames by acTL": apng(16, 10**6, 2),
    "apng 100,000 frames": apng(16, 2, 100_000),
    "apng 30000²": apng(30_000, 2, 2),
    "gif 3000 × 4000²": gif_frames(),
    "gif 400,000 × 1²": gif_frames(400_000, 1),
    "jpeg 16000²": jpeg,
    "jpeg EXIF and ICC": jpeg_profile,
    "tiff Group 4 20000²": tiff_group_4,
    "tiff 60000²": tiff_size(60_000),
    "tiff 2³²-1": tiff_size(2**32 - 1),
    "bigtiff 60000²": tiff_size(60_000, big=True),
    "bigtiff 2⁶²": tiff_size(2**62, big=True),
    "webp 16000²": webp,
    "webp 3000 frames": webp_frames,
    "bmp 30000²": bmp,
    "bmp bit fields 30000²": bmp_bit_fields(30_000),
    "bmp bit fields 2³¹-1": bmp_bit_fields(2**31 - 1),
    "ico of png 30000²": ico,
    "jpeg 2000 60000²": jpeg_2000,
    "jpeg 2000 codestream 16000²": codestream,
    "avif 60000²": heif("AVIF"),
    "heic 60000²": heif("HEIF"),
    "avif 20 × 10000001": heif("AVIF", 20, 10_000_001),
    **({"jxl 2³⁰": jxl} if "jxl" in Format.__members__.values() else {}),
}
"""What is refused by its header, by its name."""

ODDITIES: dict[str, Maker] = {
    "png 400,000 chunks": png_chunks,
    "tiff strip of 4 GB": tiff_strips,
    "tiff tile of 2⁶⁰": tiff_tile,
    "tiff float tile of 2⁶²": tiff_float_tile,
    "tiff old-style JPEG tile of 2⁶²": tiff_jpeg_tile,
    "tiff million pages": tiff_directories,
    "tiff loop of pages": tiff_loop,
    "bmp bit fields cut off": bmp_bit_fields(5000),
    "ico 65,535 entries": ico_entries,
}
"""What looks like a bomb, and is a small picture to a decoder that is not taken in."""


@cache
def bomb(name: str) -> bytes:
    """The file of one of `BOMBS` or `ODDITIES`, made once."""
    return (BOMBS | ODDITIES)[name]()


@cache
def _zeros(size: int) -> bytes:
    """So many zeros, compressed; never all in memory at once. Several files have the same."""
    packer, piece = zlib.compressobj(6), bytes(1024**2)
    packed = [packer.compress(piece) for _ in range(size // len(piece))]
    packed.append(packer.compress(bytes(size % len(piece))))
    return b"".join((*packed, packer.flush()))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, bits: int, data: bytes, extra: bytes = b"") -> bytes:
    """A grey PNG."""
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _small_png(extra: bytes) -> bytes:
    return _png(16, 16, 8, zlib.compress(bytes(17 * 16)), extra)


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _saved(format: str, side: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (200, 100, 50)).save(buffer, format)
    return buffer.getvalue()


def _jpeg() -> bytes:
    return _saved("JPEG")


def _heif(format: str) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return _saved(format)


def _tiff(
    width: int,
    height: int,
    data: bytes,
    *,
    compression: int,
    bits: int,
    strip: int | None = None,
    tile: int | None = None,
    colour: int = 1,
    samples: int = 1,
    more: tuple[tuple[int, int, int], ...] = (),
    big: bool = False,
) -> bytes:
    """A TIFF of one strip (or tile): header, directory, data.

    Args:
        colour: PhotometricInterpretation, 1 for grey whose 0 is black.
        more: further tags, each with the code of its type and its number.
        big: as BigTIFF, with sizes of 64 bit.
    """
    long = 16 if big else 4
    where = [(273, 4, _HERE), (278, 4, min(height, 2**16))]
    where.append((279, 4, len(data) if strip is None else strip))
    if tile is not None:
        where = [(322, 4, tile), (323, 4, tile), (324, 4, _HERE), (325, 4, len(data))]
    tags = sorted(
        [
            *((256, long, width), (257, long, height), (258, 3, bits), (259, 3, compression)),
            *((262, 3, colour), (277, 3, samples)),
            *where,
            *more,
        ]
    )
    count, entry, offset = ("<Q", "<HHQQ", "<Q") if big else ("<H", "<HHII", "<I")
    first = 16 if big else 8
    sizes = struct.calcsize(count) + len(tags) * struct.calcsize(entry) + struct.calcsize(offset)
    entries = b"".join(
        struct.pack(entry, tag, kind, 1, first + sizes if value == _HERE else value)
        for tag, kind, value in tags
    )
    head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) if big else b"II*\0\x08\0\0\0"
    link = bytes(struct.calcsize(offset))
    return head + struct.pack(count, len(tags)) + entries + link + data


def _webp_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks

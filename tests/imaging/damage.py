"""Files that were cut off or damaged, and files that only look so."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

import pillow_heif

from tests.imaging.animations import animation, moving_frames
from tests.imaging.apngs import Part, apng
from tests.imaging.blocks import flat_jpeg
from tests.imaging.samples import corners, photo
from tests.imaging.tiffs import old_jpeg
from tests.pictures import encoded

pillow_heif.register_heif_opener()

EOI = b"\xff\xd9"


def jpeg(**options: object) -> bytes:
    """A photograph as a JPEG."""
    return encoded(photo(), "JPEG", **({"quality": 90} | options))


def chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Name, place and length of each chunk of a PNG."""
    found, at = [], 8
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        found.append((name, at, size))
        at += 12 + size
    return found


def _moving(kind: str) -> bytes:
    return apng([Part(each) for each in moving_frames()]) if kind == "APNG" else animation(kind)


WHOLE: Mapping[str, bytes] = {
    **{kind: encoded(photo(), kind) for kind in ("BMP", "GIF", "HEIF", "ICO", "JPEG2000", "PNG")},
    **{kind: encoded(photo(), kind) for kind in ("AVIF", "WEBP")},
    "JPEG": jpeg(),
    "progressive JPEG": jpeg(progressive=True),
    "JPEG with restarts": jpeg(restart_marker_rows=1),
    "JPEG of full chroma": jpeg(subsampling=0),
    "grey JPEG": encoded(photo().convert("L"), "JPEG"),
    "JPEG in CMYK": encoded(photo().convert("CMYK"), "JPEG"),
    "JPEG of 4:1:0": flat_jpeg(corners(192, 128), 4, 2),
    "tiny JPEG": encoded(photo(7, 5), "JPEG"),
    "lossless WEBP": encoded(photo(), "WEBP", lossless=True),
    "TIFF": encoded(photo(), "TIFF"),
    "TIFF by LZW": encoded(photo(), "TIFF", compression="tiff_lzw"),
    "TIFF by Deflate": encoded(photo(), "TIFF", compression="tiff_adobe_deflate"),
    "TIFF of old JPEG": old_jpeg(photo(64, 48)),
    "PNG with a palette": encoded(photo().quantize(), "PNG"),
    **{f"moving {kind}": _moving(kind) for kind in ("APNG", "GIF", "WEBP")},
}
"""A file of each kind, by a name for people."""


def cut(data: bytes, share: float) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * share)]


def zeroed(data: bytes, start: float = 0.5, count: int = 512) -> bytes:
    """The file with a part of its inside lost, as on a bad disk."""
    at = int(len(data) * start)
    return data[:at] + bytes(count) + data[at + count :]


def _flipped(data: bytes, name: bytes, behind: int) -> bytes:
    """A PNG with a bit flipped so many bytes behind the start of the last chunk of this name."""
    at = [at for found, at, _ in chunks(data) if found == name][-1] + behind
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _checksum_of(data: bytes, name: bytes) -> bytes:
    """A PNG with a wrong checksum of this chunk."""
    size = next(size for found, _, size in reversed(chunks(data)) if found == name)
    return _flipped(data, name, 8 + size)


def _rows(count: int) -> bytes:
    """A PNG of 120 rows that holds so many, its checksums right."""
    data = encoded(corners(160, 120), "PNG")
    rows = zlib.compress((b"\0" + bytes(160 * 3)) * count)
    body = b"IDAT" + rows
    packed = struct.pack(">I", len(rows)) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + packed + data[-12:]


def _with_text(data: bytes) -> bytes:
    body = b"tEXtComment\0a text"
    text = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + text + data[33:]


def _without_its_last_scan() -> bytes:
    """A progressive JPEG cut off at the beginning of its last scan."""
    data = jpeg(progressive=True)
    return data[: data.rindex(b"\xff\xda")]


def _sequential_with_parameters() -> bytes:
    """A JPEG whose scan says what only a progressive one may, as some cameras write."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xda")
    data[at + 2 + struct.unpack_from(">H", data, at + 2)[0] - 2] = 0
    return bytes(data)


def _short_gif() -> bytes:
    """A GIF of 120 rows with the codes of 60: what libnsgif says nothing of."""
    data = bytearray(encoded(corners(160, 60).quantize(), "GIF"))
    at = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    for height in (8, at + 7):
        struct.pack_into("<H", data, height, 120)
    return bytes(data)


def _in_exif(thumbnail: bytes) -> bytes:
    return jpeg(exif=b"Exif\0\0" + b"II*\0\x08\0\0\0\xff\xff" + thumbnail)


_PNG, _JPEG = WHOLE["PNG"], WHOLE["JPEG"]
_SCAN = _JPEG.index(b"\xff\xda")

HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "JPEG without an end": lambda: _JPEG[:-2],
    "JPEG with half an end": lambda: _JPEG[:-1],
    "progressive JPEG without an end": lambda: jpeg(progressive=True)[:-2],
    "grey JPEG without an end": lambda: WHOLE["grey JPEG"][:-2],
    "JPEG with something behind it": lambda: _JPEG + b"more" * 500,
    "JPEG with another behind it": lambda: _JPEG + _JPEG[:300],
    "JPEG with bytes between segments": lambda: _JPEG[:20] + b"padding" + _JPEG[20:],
    "JPEG with bytes before its scan": lambda: _JPEG[:_SCAN] + bytes(40) + _JPEG[_SCAN:],
    "JPEG with a few bytes before its end": lambda: _JPEG[:-2] + b"abcd" + EOI,
    "JPEG with many zeros before its end": lambda: _JPEG[:-2] + bytes(2000) + EOI,
    "progressive JPEG with zeros before its end": lambda: (
        jpeg(progressive=True)[:-2] + bytes(2000) + EOI
    ),
    "JPEG with broken EXIF": lambda: jpeg(exif=b"Exif\0\0broken"),
    "JPEG with a broken picture in its EXIF": lambda: _in_exif(_JPEG[:400]),
    "JPEG with a broken profile": lambda: jpeg(icc_profile=b"broken" * 50),
    "JPEG of an unknown JFIF": lambda: _JPEG.replace(b"JFIF\0\1", b"JFIF\0\7", 1),
    "JPEG with parameters in its scan": _sequential_with_parameters,
    "PNG with something behind it": lambda: _PNG + b"more" * 500,
    "PNG without an end": lambda: _PNG[:-12],
    "PNG with half an end": lambda: _PNG[:-5],
    "PNG with a wrong checksum of a text": lambda: _checksum_of(_with_text(_PNG), b"tEXt"),
    "PNG with more rows than it shows": lambda: _rows(130),
    "GIF without an end": lambda: WHOLE["GIF"][:-1],
    "GIF with something behind it": lambda: WHOLE["GIF"] + b"more" * 500,
    "GIF without its end code": lambda: (
        b"GIF89a\1\0\1\0\x80\0\0\xfa\x28\x0a\x0a\xc8\x1e,\0\0\0\0\1\0\1\0\0\2\1\x0c\0;"
    ),
    "moving GIF without an end": lambda: WHOLE["moving GIF"][:-1],
    "WEBP with something behind it": lambda: WHOLE["WEBP"] + b"more" * 500,
    "AVIF with something behind it": lambda: WHOLE["AVIF"] + b"more" * 500,
    "TIFF with something behind it": lambda: WHOLE["TIFF"] + b"more" * 500,
}
"""Files that every reader shows whole, though something about them is wrong."""

DAMAGED: Mapping[str, Callable[[], bytes]] = {
    **{
        f"{kind}, {share:.0%} of it": lambda data=data, share=share: cut(data, share)  # type: ignore[misc]
        for kind, data in WHOLE.items()
        if kind not in ("tiny JPEG", "TIFF of old JPEG")
        for share in (0.6, 0.9, 0.98)
    },
    **{
        f"{kind} without its last 20 bytes but for an end": lambda kind=kind: (  # type: ignore[misc]
            WHOLE[kind][:-20] + EOI
        )
        for kind in ("JPEG", "progressive JPEG", "JPEG of full chroma", "grey JPEG", "JPEG in CMYK")
    },
    "progressive JPEG without its last scan": _without_its_last_scan,
    "JPEG with zeros inside": lambda: zeroed(_JPEG),
    "progressive JPEG with zeros inside": lambda: zeroed(jpeg(progressive=True)),
    "JPEG with many bytes before its end": lambda: _JPEG[:-2] + b"abcd" * 25 + EOI,
    "PNG with zeros inside": lambda: zeroed(_PNG),
    "PNG with a bit flipped": lambda: _flipped(_PNG, b"IDAT", len(_PNG) // 2),
    "PNG with a wrong checksum": lambda: _checksum_of(_PNG, b"IDAT"),
    "PNG with fewer rows than it shows": lambda: _rows(110),
    "GIF with zeros inside": lambda: zeroed(WHOLE["GIF"], 0.5, 100),
    "GIF whose last rows are missing": _short_gif,
    "TIFF by LZW with zeros inside": lambda: zeroed(WHOLE["TIFF by LZW"]),
    "AVIF with zeros inside": lambda: zeroed(WHOLE["AVIF"]),
    "moving APNG with zeros in its last frame": lambda: zeroed(WHOLE["moving APNG"], 0.9, 20),
    "moving GIF with its last frame cut off": lambda: WHOLE["moving GIF"][:-30],
}
"""Files of which a part is not shown, or wrongly."""

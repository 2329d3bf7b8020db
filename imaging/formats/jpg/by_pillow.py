"""A JPEG of the usual kind by Pillow's libjpeg-turbo, in the calling thread: its pixels and the
bytes of its file are those of libvips's mozjpeg, whose reader and writer take longer and wake
another thread for every few rows."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from functools import cache
from itertools import islice
from mmap import mmap
from typing import Any

import pyvips
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from imaging.data import Data
from imaging.errors import PictureError
from imaging.read.segments import APP0, EXIF_HEAD, METADATA, SOI, SOS, segments

_FRAMES, _TABLES = (0xC0, 0xC1, 0xC2), (0xC4, 0xDB, 0xDD)
"""Markers of frames in Huffman codes: baseline, extended and progressive; of Huffman tables, tables
of quantisation and the distance of restarts (ITU-T T.81, B.1.1.3)."""

_USUAL = METADATA.union(_FRAMES, _TABLES)

MOST_SEGMENTS = 300
"""Segments before the first scan of a file that is read here; the metadata that is allowed needs
257. A file may have millions: Pillow copies what it has of an EXIF block for each segment of it,
minutes for 10 MB, keeps every other one, and goes through what is not a segment byte by byte."""

_SCAN = bytes((0xFF, SOS))

_LUMA, _CHROMA = {(1, 1), (2, 1), (2, 2)}, (1, 1)
"""The usual sampling factors: 4:4:4, 4:2:2 and 4:2:0."""

_NUMBERS = (1, 2, 3)
"""Those of luma and chroma in JFIF (ITU-T T.871, 6.1)."""

_YCC = 1
"""Adobe's number for luma and chroma (ITU-T T.872, 6.5.3)."""

_SETTINGS = frozenset(("Q", "quant_table", "subsample_mode", "optimize_coding", "interlace"))
"""Of libvips's jpegsave: for these Pillow writes the same."""


def read(data: Data, size: tuple[int, int], memory: mmap | None = None) -> Image.Image | None:
    """The pixels, grey or red, green and blue, without metadata; None if the file is not of the
    usual kind, was cut off or cannot be decoded, which is for libvips then.

    Args:
        size: width and height as libvips tells them.
        memory: for the pixels, as long as it serves no other picture; None for Pillow's own.
    """
    if not _has_usual_segments(data):
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # of broken metadata
            picture = JpegImageFile(io.BytesIO(data))
            if picture.size != size or not _is_usual(picture):
                return None
            if memory is not None:
                # As Pillow itself does for a file whose pixels it need not decode.
                layout = ("raw", 0, (picture.mode, 0, 1))
                picture.im = Image.core.map_buffer(memory, size, *layout)  # type: ignore[attr-defined]
            picture.decodermaxblock = len(data)  # all at once
            picture.load()
    except Exception:  # Pillow's readers raise whatever they come upon
        return None
    picture.info = {}
    return picture


def opened(data: bytes) -> Image.Image:
    """The pixels of a file that was written, of grey ones too red, green and blue.

    Raises:
        OSError: if it cannot be decoded.
    """
    picture = JpegImageFile(io.BytesIO(data))
    picture.decodermaxblock = len(data)  # all at once
    picture.load()
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def check(data: Data) -> None:
    """See whether Pillow reads the file, broken as it may be, in a short time.

    Raises:
        PictureError: if its EXIF block comes in too many parts.
    """
    parts = data.count(EXIF_HEAD)
    if parts >= MOST_SEGMENTS:
        most = MOST_SEGMENTS - 1
        raise PictureError(
            "the picture cannot be read: "
            f"its EXIF block has {parts:,} parts, at most {most} are read"
        )


def can_write(settings: Mapping[str, Any]) -> bool:
    """Whether Pillow can do what all of these settings of jpegsave say."""
    return all(name in _SETTINGS or not value for name, value in settings.items())


WHOLE_MEAN = 8
"""The quantiser of a block's mean that gives whole numbers of a pixel (ITU-T T.81, A.3.3)."""


def write(picture: Image.Image, settings: Mapping[str, Any], *, even_means: bool = False) -> bytes:
    """The file, without metadata.

    Args:
        settings: those of jpegsave.
        even_means: whether the quantisers of means are powers of two, `WHOLE_MEAN` at most.

    Raises:
        OSError: if the file has more bytes than Pillow expects, as of noise.
    """
    tables, subsampling = _tables(picture.mode, tuple(sorted(settings.items())))
    if even_means:
        tables = {number: [_even(mean), *others] for number, (mean, *others) in tables.items()}
    file = io.BytesIO()
    picture.save(
        file,
        "JPEG",
        qtables=tables,
        subsampling=subsampling,
        optimize=settings.get("optimize_coding", False),
        progressive=settings.get("interlace", False),
        comment=b"",
    )
    return without_jfif(file.getvalue())


def without_jfif(file: bytes) -> bytes:
    """A file of libjpeg without its first segment, which jpegsave does not write either where it
    writes no metadata."""
    first = next(segments(file))
    assert first.kind == APP0, "libjpeg writes JFIF where it is not told otherwise"
    return file[: first.start] + file[first.end :]


def with_metadata(file: bytes, other: bytes) -> bytes:
    """A file that was written here, with the metadata of another one."""
    kept = (other[each.start : each.end] for each in segments(other) if each.kind in METADATA)
    return b"".join((file[: len(SOI)], *kept, file[len(SOI) :]))


def _even(quantiser: int) -> int:
    """The nearest power of two, `WHOLE_MEAN` at most."""
    return min(WHOLE_MEAN, 1 << round(math.log2(quantiser)))


def _has_usual_segments(data: Data) -> bool:
    """Whether a few segments, and nothing else, are before the first scan."""
    at = len(SOI)
    for segment in islice(segments(data), MOST_SEGMENTS):
        if segment.start != at or segment.kind not in _USUAL:
            return False
        at = segment.end
    return data.startswith(_SCAN, at)


def _is_usual(picture: JpegImageFile) -> bool:
    """Whether libjpeg has nothing to guess about the colours, and Pillow nothing to convert."""
    if picture.info.get("adobe_transform", _YCC) != _YCC:
        return False
    if picture.mode == "L":
        return True
    numbers = tuple(number for number, *_ in picture.layer)
    luma, *chroma = ((across, down) for _, across, down, _ in picture.layer)
    usual = luma in _LUMA and all(factors == _CHROMA for factors in chroma)
    return picture.mode == "RGB" and numbers == _NUMBERS and usual


@cache
def _tables(mode: str, settings: tuple[tuple[str, Any], ...]) -> tuple[dict[int, list[int]], int]:
    """The tables of quantisation that libvips takes at these settings, and Pillow's number for how
    it samples chroma."""
    grey = mode == "L"
    image = pyvips.Image.black(16, 16, bands=1 if grey else 3)
    image = image.copy(interpretation="b-w" if grey else "srgb")
    written = JpegImageFile(io.BytesIO(image.jpegsave_buffer(keep="none", **dict(settings))))
    _, *factors, _ = written.layer[0]
    return written.quantization, 2 if factors == [2, 2] else 0

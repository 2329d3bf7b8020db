"""GIF (GIF89a), still and animated: written by cgif."""

from __future__ import annotations

from typing import Any, cast

import pyvips

from imaging.codec import Encoding, Reader, Writer, loader
from imaging.data import Data
from imaging.errors import PictureError
from imaging.options import Effort
from imaging.read import pillow
from imaging.read.whole import check_decodes, damaged

SETTINGS: dict[Effort, dict[str, Any]] = {
    Effort.FAST: {"effort": 4},
    Effort.BALANCED: {"effort": 7, "interframe_maxerror": 2},
    Effort.SMALL: {"effort": 10, "interframe_maxerror": 4, "interpalette_maxerror": 4},
}
"""The errors are distances in RGB up to which a pixel counts as that of the frame before, and a
palette as the one before."""

COLOURS: tuple[dict[str, Any], ...] = (
    *({"bitdepth": bits, "dither": dither} for bits in range(3, 9) for dither in (0.0, 0.5)),
    {},
)
"""Ways to fewer bytes, the smallest file first: 8 to 256 colours, dithered or not. A picture that
has few colours takes about as many bytes with dithering as without; a photograph looks better then
than with the next smaller palette."""

CURVE = tuple(
    zip(
        range(1, len(COLOURS) + 1),
        (0.3, 0.35, 0.42, 0.47, 0.53, 0.58, 0.67, 0.72, 0.81, 0.86, 0.93, 0.98, 1.0),
        strict=True,
    )
)
"""Bytes by each of these, between those of photographs and of the GIFs of manuals."""

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_END = bytes((_TRAILER,))
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOP = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    """The file, which holds no metadata."""
    return cast(bytes, image.gifsave_buffer(keep="none", **SETTINGS[wanted.effort]))


def encode_limited(image: pyvips.Image, wanted: Encoding) -> bytes:
    """As `encode`, by the way of `COLOURS` whose number the quality is, from 1 on."""
    way = COLOURS[wanted.quality - 1]
    return cast(bytes, image.gifsave_buffer(keep="none", **SETTINGS[wanted.effort], **way))


def strip(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file with its frames, their times and the loop count alone.

    Raises:
        PictureError: if it cannot be followed to its end.
    """
    return _stripped(data, whole=True)


def bare(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """As `strip`, of what is there of a file that was cut off.

    Raises:
        PictureError: if it cannot be followed.
    """
    return _stripped(data, whole=False)


def _stripped(data: bytes, *, whole: bool) -> bytes:
    kept: list[bytes] = []
    try:
        _strip(data, kept)
    except IndexError:
        if whole or not kept:
            raise PictureError("the picture cannot be read: the GIF ends too early") from None
    return b"".join(kept)


def with_ends(data: bytes | bytearray) -> bytes:
    """The file with a byte of zeros behind the pixels of each frame.

    libnsgif shows the pixels of a code when it comes upon the next one, which is the end code in a
    file that has it. Behind that, or behind the last pixel, it looks at nothing any more.
    """
    data = bytes(data)
    kept: list[bytes] = []
    try:
        _strip(data, kept, before_end=b"\1\0")
    except (IndexError, PictureError):
        return data
    return b"".join(kept)


def check_whole(data: Data, all_frames: bool) -> None:
    """See whether every frame is there to its end, and can be decoded; the first alone unless all
    count. The block behind the last may be missing.

    Raises:
        PictureError: if not.
    """
    kept: list[bytes] = []
    whole = bytes(data)
    try:
        # libnsgif drops frames from the first on that was cut off, and says nothing of it.
        _strip(whole if whole.endswith(_END) else whole + _END, kept)
    except IndexError:
        raise damaged("the file ends within a frame") from None
    except PictureError:
        pass  # a block that is not known; the decoder says what is behind it
    check_decodes(loader("gifload"), with_ends(whole), all_frames=all_frames)
    # Which says nothing of pixels that are missing at the end of a frame, nor below warnings of
    # codes that are invalid; and it warns of a missing end code.
    pillow.check_whole(whole, "GIF", all_frames=all_frames)


def _strip(data: bytes, kept: list[bytes], before_end: bytes = b"") -> None:
    """Add the parts of the file to `kept`, as far as they are there.

    Raises:
        IndexError: if the file ends too early.
    """
    at = 13 + _table_size(data[10])
    kept.append(data[:at])
    while data[at] != _TRAILER:
        begin = at
        if data[at] == _IMAGE:
            try:
                at = _end_of_blocks(data, at + 10 + _table_size(data[at + 9]) + 1)
            except IndexError:
                kept.append(data[begin:])
                raise
            kept += (data[begin : at - 1], before_end, data[at - 1 : at])
        elif data[at] == _EXTENSION:
            at = _end_of_blocks(data, at + 2)
            if data[begin + 1] == _GRAPHIC_CONTROL or _is_loop(data, begin):
                kept.append(data[begin:at])
        else:
            raise PictureError("the picture cannot be read: an unknown block in the GIF")
    kept.append(_END)


def _is_loop(data: bytes, at: int) -> bool:
    return data[at + 1] == _APPLICATION and data[at + 3 : at + 14] in _LOOP


def _table_size(flags: int) -> int:
    """Bytes of the colour table that a descriptor's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += size + 1
    return at + 1


READER = Reader(
    load=loader("gifload"), pillow="GIF", mended=with_ends, pages=True, check_whole=check_whole
)
WRITER = Writer(
    encode,
    strip,
    bare,
    has_profile=False,
    encode_limited=encode_limited,
    spoils_colours=True,
    default_quality=len(COLOURS),
    lowest_quality=1,
    curve=CURVE,
)

"""A GIF's own frames, without comments and the data of programs."""

from __future__ import annotations

from workers.imaging.errors import PictureError

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOP = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def strip(data: bytes) -> bytes:
    """The file with its frames, their times and the loop count alone (GIF89a).

    Raises:
        PictureError: if it cannot be followed to its end.
    """
    try:
        return _strip(data)
    except IndexError:
        raise PictureError("the picture cannot be read: the GIF ends too early") from None


def _strip(data: bytes) -> bytes:
    at = 13 + _table_size(data[10])
    kept = [data[:at]]
    while data[at] != _TRAILER:
        begin = at
        if data[at] == _IMAGE:
            at = _end_of_blocks(data, at + 10 + _table_size(data[at + 9]) + 1)
            kept.append(data[begin:at])
        elif data[at] == _EXTENSION:
            at = _end_of_blocks(data, at + 2)
            if data[begin + 1] == _GRAPHIC_CONTROL or _is_loop(data, begin):
                kept.append(data[begin:at])
        else:
            raise PictureError("the picture cannot be read: an unknown block in the GIF")
    return b"".join((*kept, bytes([_TRAILER])))


def _is_loop(data: bytes, at: int) -> bool:
    return data[at + 1] == _APPLICATION and data[at + 3 : at + 14] in _LOOP


def _table_size(flags: int) -> int:
    """Bytes of the colour table that a descriptor's flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += size + 1
    return at + 1

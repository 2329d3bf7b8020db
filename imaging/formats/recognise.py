"""What kind of file this is by its first bytes, and how large a picture by its header."""

from __future__ import annotations

import struct
from typing import IO

import filetype

from imaging.errors import NotAnImage
from imaging.formats import FACTS, READABLE, facts_of, unreadable
from imaging.measures import Size

HEAD_SIZE = 8192
"""Bytes that `filetype` looks at, at most."""


_RECOGNISERS = (*(facts.recognise for facts in FACTS.values()), unreadable.recognise)


def picture_type(head: bytes) -> str | None:
    """The media type of a file that begins with `head`, or None if it is not a picture.

    It may be one that cannot be read here.
    """
    for recognise in _RECOGNISERS:
        if media_type := recognise(head):
            return media_type
    kind = filetype.image_match(head)
    return str(kind.mime) if kind else None


def readable_type(head: bytes) -> str:
    """The media type of a file that begins with `head`, one of `READABLE`.

    Raises:
        NotAnImage: if it is not a picture, or of a kind that cannot be read.
    """
    kind = picture_type(head)
    if kind is None or kind not in READABLE:
        raise NotAnImage(not_supported(kind))
    return kind


def not_supported(media_type: str | None) -> str:
    """The sentence that refuses a file of this kind; None is a file of an unknown kind."""
    if media_type is None:
        return "The file is not a picture"
    name = unreadable.KINDS.get(media_type, media_type)
    return f"{name} is not supported; send one of {', '.join(dict.fromkeys(READABLE.values()))}"


def picture_size(file: IO[bytes], media_type: str, max_pixels: int) -> Size | None:
    """Width and height as they are stored, in pixels, or None if the header does not say.

    Shown they may be exchanged: the orientation is not read, as a format's limit is the same for
    both sides.

    Also None of a picture of more than `max_pixels`: no format helps there. What is not known here,
    or of kinds whose header is not read here, is seen by the worker.
    """
    size = facts_of(media_type).size
    if size is None:
        return None
    file.seek(0)
    try:
        width, height = size(file)
    except (struct.error, IndexError):  # it ends too early
        return None
    if width <= 0 or height <= 0 or width * height > max_pixels:
        return None
    return Size(width, height)


def shown_width(file: IO[bytes], media_type: str, size: Size) -> int:
    """The width of a picture as it is shown, as far as headers are read here: of other kinds than
    JPEG as it is stored.

    Args:
        size: as it is stored.
    """
    is_turned = facts_of(media_type).is_turned
    return size.height if is_turned is not None and is_turned(file) else size.width

"""What kind of file this is, by its first bytes."""

from __future__ import annotations

import filetype

HEAD_SIZE = 8192
"""Bytes that `filetype` looks at, at most."""


def is_picture(head: bytes) -> bool:
    """Whether a file that begins with `head` is a picture of any kind, readable here or not."""
    return filetype.image_match(head) is not None

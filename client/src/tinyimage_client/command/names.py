"""Names of files: as people see them, and what they say of the format."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath

ENDINGS = {
    "jpg": ("jpg", "jpeg", "jpe", "jfif"),
    "png": ("png", "apng"),
    "webp": ("webp",),
    "gif": ("gif",),
    "avif": ("avif",),
    "jxl": ("jxl",),
}
"""Of the formats that are written, each with its usual ending first."""

READ_ONLY = (
    *("tif", "tiff", "heic", "heif", "hif", "bmp", "dib", "ico", "cur"),
    *("jp2", "j2k", "j2c", "jpc", "jpx", "jpf"),
)
"""Endings of the formats that are only read."""

PICTURES = frozenset(ending for endings in ENDINGS.values() for ending in endings) | set(READ_ONLY)
"""Endings of the files that are taken from a folder."""


def ending(name: str) -> str:
    """What a name has after its last dot, in lower case."""
    return PurePath(name).suffix[1:].lower()


def possible(format: str) -> tuple[str, ...]:
    """The formats that a result may have, where the server chooses: those of a list, or any; none
    where the format is known."""
    names = format.split(",")
    if "auto" in names:
        return tuple(ENDINGS)
    return tuple(names) if len(names) > 1 else ()


def new_ending(name: str, format: str) -> str:
    """The ending of a result, with its dot: that of the original if it is of the same format."""
    if format in ("same", "") or ending(name) in ENDINGS.get(format, (format,)):
        return PurePath(name).suffix
    return f".{format}"


def has_sibling(path: Path) -> bool:
    """Whether there is another picture of the same name, but for its ending, beside this one."""
    for word in PICTURES:
        for written in (word, word.upper(), word.title()):
            other = path.with_suffix(f".{written}")
            if other.name != path.name and other.exists() and not other.samefile(path):
                return True
    return False


def shown(name: str | os.PathLike[str]) -> str:
    """A name for people, in one line: what is not text, or would move the cursor, is escaped."""
    text = os.fsencode(name).decode(sys.getfilesystemencoding(), "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )

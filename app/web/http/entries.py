"""Names of the files in an archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from app.core.picture.filenames import clean_filename

MAX_DEPTH = 20
"""Folders of a path that are kept, the last ones."""

_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
"""What Windows takes in no name."""


def safe_path(path: str, extension: str) -> str:
    """The path below the folder into which an archive is unpacked, whatever is asked for.

    Each folder is cleaned as the name of a file is; `..`, a drive, a leading `/` and empty names
    are gone.

    Args:
        path: with `/` or `\\` between folders.
        extension: the name's own if it has none.
    """
    *folders, name = path.replace("\\", "/").split("/")
    kept = [_clean(folder) for folder in folders if folder.strip(". ")]
    name = _clean(name) if name.strip(". ") else "picture"
    if not PurePosixPath(name).suffix:
        name = f"{name}.{extension}"
    return "/".join([*kept[-MAX_DEPTH:], name])


def with_extension(path: str, extension: str) -> str:
    """The path with this extension in place of its own."""
    folders, slash, name = path.replace("\\", "/").rpartition("/")
    stem = name.rpartition(".")[0] or name
    return f"{folders}{slash}{stem}.{extension}"


def told_apart(paths: Sequence[str]) -> Iterator[str]:
    """The paths, each once: `a.webp`, `a (2).webp`. Also those that differ in case alone are equal,
    as they are for Windows and macOS."""
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for path in paths:
        own, key = path, path.casefold()
        while own.casefold() in taken:
            numbers[key] = numbers.get(key, 1) + 1
            pure = PurePosixPath(path)
            own = str(pure.with_name(f"{pure.stem} ({numbers[key]}){pure.suffix}"))
        taken.add(own.casefold())
        yield own


def _clean(name: str) -> str:
    return clean_filename(name).translate(_FORBIDDEN).strip(". ") or "picture"

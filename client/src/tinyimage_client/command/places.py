"""The places of results: no two have the same one, and none is that of an original."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from tinyimage_client.errors import TinyImageError


class Taken(TinyImageError):
    """The place of a result is that of another result, or of an original."""

    code = "target_taken"


class Places:
    """Which picture has which place. Names that a disk takes for one are one place."""

    def __init__(self, originals: Iterable[Path] = (), *, frees: bool = False) -> None:
        """
        Args:
            originals: files that no result may replace.
            frees: whether the place of a picture that is gone may be another's, as in a folder
                that is watched.
        """
        self._originals = _Files()
        for original in originals:
            self._originals.add(os.path.realpath(original))
        self._frees = frees
        self._taken = _Files()
        self._owners: dict[str, Path] = {}

    def take(self, target: Path, source: Path) -> None:
        """Give the place to the picture, which may have it already.

        Raises:
            Taken: if it is another's.
        """
        path = os.path.realpath(target)
        if any(self._originals.alike(path)):
            raise Taken(f"{target.name} is an original, and is not written over")
        for other in self._others(path, source):
            raise Taken(f"{target.name} is the result of {other.name} already")
        self._taken.add(path)
        self._owners[path] = source

    def is_free(self, target: Path, source: Path) -> bool:
        """Whether the picture may have the place."""
        path = os.path.realpath(target)
        return not any(self._originals.alike(path)) and not any(self._others(path, source))

    def _others(self, path: str, source: Path) -> Iterator[Path]:
        """Other pictures that have the place."""
        for taken in self._taken.alike(path):
            owner = self._owners[taken]
            if owner != source and not (self._frees and not owner.exists()):
                yield owner


class _Files:
    """Paths, found by each name that the disk takes for theirs."""

    def __init__(self) -> None:
        self._paths: dict[str, set[str]] = {}

    def add(self, path: str) -> None:
        self._paths.setdefault(folded(path), set()).add(path)

    def alike(self, path: str) -> Iterator[str]:
        """Those that are the same file, or would be."""
        for other in self._paths.get(folded(path), ()):
            if other == path or _is_same(other, path):
                yield other


def folded(path: str) -> str:
    """What paths have in common that some disks take for one, of macOS, Windows and memory cards:
    they differ in case, or in how letters with accents are written."""
    return unicodedata.normalize("NFC", path.casefold())


def _is_same(one: str, other: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(one).samefile(other)
    return False

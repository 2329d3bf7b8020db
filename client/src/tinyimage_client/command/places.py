"""The places of results: no two have the same one, and none is that of an original."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tinyimage_client.errors import TinyImageError


class Taken(TinyImageError):
    """The place of a result is that of another result, or of an original."""

    code = "target_taken"


class Places:
    """Which picture has which place."""

    def __init__(self, originals: Iterable[Path] = (), *, frees: bool = False) -> None:
        """
        Args:
            originals: files that no result may replace.
            frees: whether the place of a picture that is gone may be another's, as in a folder
                that is watched.
        """
        self._originals = frozenset(map(os.path.realpath, originals))
        self._frees = frees
        self._owners: dict[str, Path] = {}

    def take(self, target: Path, source: Path) -> None:
        """Give the place to the picture, which may have it already.

        Raises:
            Taken: if it is another's.
        """
        if os.path.realpath(target) in self._originals:
            raise Taken(f"{target.name} is an original, and is not written over")
        other = self._owner(target)
        if other is not None and other != source:
            raise Taken(f"{target.name} is the result of {other.name} already")
        self._owners[os.path.realpath(target)] = source

    def is_free(self, target: Path, source: Path) -> bool:
        """Whether the picture may have the place."""
        is_original = os.path.realpath(target) in self._originals
        return not is_original and self._owner(target) in (None, source)

    def _owner(self, target: Path) -> Path | None:
        owner = self._owners.get(os.path.realpath(target))
        return None if owner is None or (self._frees and not owner.exists()) else owner

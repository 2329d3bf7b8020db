"""Where the result of a picture goes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tinyimage_client.command.names import new_ending

SUFFIX = "-tiny"
"""Of a result beside its original."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The folder of the original, under a name of its own."""

    suffix: str

    def target(self, source: Path, base: Path, format: str) -> Path:
        return source.with_name(f"{source.stem}{self.suffix}{new_ending(source.name, format)}")

    def is_own(self, path: Path) -> bool:
        return path.stem.endswith((self.suffix, SUFFIX))


@dataclass(frozen=True, slots=True)
class Into:
    """A folder, in which the tree is kept."""

    folder: Path
    suffix: str

    def target(self, source: Path, base: Path, format: str) -> Path:
        inner = Path(os.path.relpath(source.absolute(), base))
        name = f"{inner.stem}{self.suffix}{new_ending(inner.name, format)}"
        return self.folder / inner.with_name(name)

    def is_own(self, path: Path) -> bool:
        return _normal(path) == _normal(self.folder) or path.stem.endswith(SUFFIX)


@dataclass(frozen=True, slots=True)
class InPlace:
    """The original's own place."""

    def target(self, source: Path, base: Path, format: str) -> Path:
        return source

    def is_own(self, path: Path) -> bool:
        return path.stem.endswith(SUFFIX)


def _normal(path: Path) -> str:
    return os.path.normpath(path.absolute())


Placement = Beside | Into | InPlace
"""`target` is where the result of a picture goes; `base` is the folder whose tree is kept.
`is_own` tells results that are beside their originals, and the folder of results, from pictures."""

"""The sizes of a picture: as it came, and as its result has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels of one frame, as it is shown: turned as its orientation says."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Measures:
    """The sizes that the decoder tells of, as far as it came."""

    original: Size | None = None
    result: Size | None = None

    def to_dict(self) -> dict[str, list[int]]:
        """The sizes as JSON data, without those that are not known."""
        sizes = {"original": self.original, "result": self.result}
        return {name: [size.width, size.height] for name, size in sizes.items() if size}

    @classmethod
    def from_dict(cls, data: object) -> Measures:
        """The sizes that `to_dict` described; what is none counts as not known."""
        sizes = data if isinstance(data, Mapping) else {}
        return cls(_size(sizes.get("original")), _size(sizes.get("result")))


def _size(value: Any) -> Size | None:
    match value:
        case [int(width), int(height)] if min(width, height) > 0:
            return Size(width, height)
    return None

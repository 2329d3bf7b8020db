"""What the decoder finds out about a picture: its sizes, as it came and as its result has it, its
frames, and its placeholder."""

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
class Chosen:
    """The quality that `q=auto` has chosen, or that fits into `max_bytes`."""

    quality: int
    """On the scale of `q`."""
    look: float | None = None
    """SSIMULACRA2 of the result, on a sample of the picture; None where nobody has looked."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures that the decoder tells, as far as it came."""

    original: Size | None = None
    result: Size | None = None
    frames: int = 1
    """Of the original, that the result shows; 1 also where that is not known."""
    placeholder: str | None = None
    """What a page shows until the result is there, where that is asked for."""
    chosen: Chosen | None = None
    format: str | None = None
    """The name of the format that the result has, where several were asked for."""

    def to_dict(self) -> dict[str, object]:
        """The measures as JSON data, without those that are not known."""
        sizes = {"original": self.original, "result": self.result}
        known: dict[str, object] = {
            name: [size.width, size.height] for name, size in sizes.items() if size
        }
        if self.frames > 1:
            known["frames"] = self.frames
        if self.placeholder:
            known["placeholder"] = self.placeholder
        if self.chosen:
            known["chosen"] = [self.chosen.quality, self.chosen.look]
        if self.format:
            known["format"] = self.format
        return known

    @classmethod
    def from_dict(cls, data: object) -> Measures:
        """The measures that `to_dict` described; an invalid one counts as not known."""
        known = data if isinstance(data, Mapping) else {}
        frames, placeholder = known.get("frames"), known.get("placeholder")
        format = known.get("format")
        return cls(
            _size(known.get("original")),
            _size(known.get("result")),
            frames if isinstance(frames, int) and frames > 1 else 1,
            placeholder if isinstance(placeholder, str) else None,
            _chosen(known.get("chosen")),
            format if isinstance(format, str) else None,
        )


def _size(value: Any) -> Size | None:
    match value:
        case [int(width), int(height)] if min(width, height) > 0:
            return Size(width, height)
    return None


def _chosen(value: Any) -> Chosen | None:
    match value:
        case [int(quality), float() | int() as look]:
            return Chosen(quality, float(look))
        case [int(quality), None]:
            return Chosen(quality)
    return None

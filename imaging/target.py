"""The result that is wanted of a picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import DEFAULTS, Effort, Options


@dataclass(frozen=True, slots=True)
class Target:
    """The result that is wanted of a picture."""

    format: Format
    quality: int
    """1 to 100, or 0 for the engine's own choice."""
    limits: Limits
    """How large the picture may be."""
    effort: Effort = Effort.BALANCED
    options: Options = DEFAULTS
    """Its own `effort` does not count."""
    careful: bool = False
    """Without what is not needed for a result, as that has crashed a decoder."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "format": self.format,
            "quality": self.quality,
            "limits": asdict(self.limits),
            "effort": self.effort,
            "options": self.options.to_dict(),
            "careful": self.careful,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Target:
        """The target that `to_dict` described."""
        return cls(
            Format(data["format"]),
            data["quality"],
            Limits(**data["limits"]),
            Effort(data["effort"]),
            Options.from_dict(data["options"]),
            data["careful"],
        )

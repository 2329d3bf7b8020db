"""What a file says of its colours."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.colour.space import Space


@dataclass(frozen=True, slots=True)
class Said:
    """What is said beside a profile that the decoder hands on."""

    space: Space | None = None
    """What the values are in, None if nothing is said."""
    first: bool = False
    """Whether that counts before a profile which the decoder hands on."""
    profile: bytes | None = None
    """A profile that the decoder passes over."""
    limited: bool = False
    """Whether black and white are 16 and 235 of 255 in the pixels that the decoder gives."""
    premultiplied: bool = False
    """Whether the colours in these pixels are multiplied by alpha."""

    @property
    def is_hdr(self) -> bool:
        """Whether the values may have to be brought to sRGB by a tone curve."""
        return self.space is not None and self.space.is_hdr


NOTHING = Said()

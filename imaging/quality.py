"""How much a result may lose, on the scale of a JPEG's quality."""

from __future__ import annotations

from imaging.formats import Format

DEFAULT_QUALITY = 80
NO_QUALITY = 0
"""The quality of a format that has none of its own in the kept API."""


def parse_quality(value: object, format: Format) -> int:
    """The quality that counts: 1 to 100, 80 for anything else, 0 if the format has none."""
    if not format.has_quality:
        return NO_QUALITY
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        # The length is bounded first: int() of a very long string is slow, and then an error.
        value = int(value.strip()[:10])
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:
        return value
    return DEFAULT_QUALITY

"""Which of several results a client prefers, by its `Accept` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.web.service.conversions import Result
from imaging.formats import Format

EVERYWHERE = frozenset({Format.JPG, Format.PNG, Format.GIF})
"""What a client reads that names no format, but takes anything."""

_RANGE = re.compile(r"\s*(\*/\*|[\w!#$&^.+-]+/(?:\*|[\w!#$&^.+-]+))\s*((?:;[^,]*)?)")
_WEIGHT = re.compile(r";\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", re.IGNORECASE)


def ranges(header: str) -> Mapping[str, float]:
    """The weight of each range of media types that the header names, in lower case; what cannot be
    read is passed over, and a header without any range takes everything."""
    found = {}
    for part in header.split(","):
        if match := _RANGE.fullmatch(part):
            weight = _WEIGHT.search(match[2])
            found[match[1].lower()] = float(weight[1]) if weight else 1.0
    return found or {"*/*": 1.0}


def weight(format: Format, accepted: Mapping[str, float]) -> float:
    """How much a client wants this format, by the narrowest range that has it; 0 for not at all."""
    kinds = (format.media_type, "image/*", "*/*")
    return next((accepted[kind] for kind in kinds if kind in accepted), 0.0)


def preferred(results: Sequence[Result], header: str) -> Result | None:
    """The result that the client prefers, or None if it takes none of them.

    Of several that it wants alike: one whose format it names, or that every client reads; but for
    a program, which names none, first what the server chose at an upload; then one that moves; then
    the smallest.
    """
    accepted = ranges(header)
    is_program = not any(kind.startswith("image/") for kind in accepted)

    def order(result: Result) -> tuple[float, bool, bool, int, int]:
        format = result.format
        named = is_program and result.job.conversion.format is not None
        unsure = format.media_type not in accepted and format not in EVERYWHERE
        frames = result.job.facts.measures.frames
        return -weight(format, accepted), named, unsure, -frames, result.info.size

    taken = [each for each in results if weight(each.format, accepted) > 0]
    return min(taken, key=order, default=None)

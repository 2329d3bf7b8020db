"""AVIF (AV1 in HEIF)."""

from __future__ import annotations

from imaging.formats.facts import Facts, Output
from imaging.read import heif


def recognise(head: bytes) -> str | None:
    """By its brands."""
    return "image/avif" if heif.brands(head) & {b"avif", b"avis"} else None


FACTS = Facts(
    kinds={"image/avif": "AVIF"},
    size=heif.size,
    recognise=recognise,
    place=6,
    output=Output(
        max_side=16_384,  # libvips, heifsave.c
        auto=(10, 97),
        can_be_lossless=True,
    ),
)

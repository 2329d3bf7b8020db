"""HEIC (HEVC in HEIF)."""

from __future__ import annotations

from imaging.formats.facts import Facts
from imaging.read import heif

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
"""ISO/IEC 23008-12, annex B. The last two are of HEIF files of any coding, so these are asked
after all others."""


def recognise(head: bytes) -> str | None:
    """By its brands."""
    return "image/heic" if heif.brands(head) & _BRANDS else None


FACTS = Facts(
    kinds={"image/heic": "HEIC"},
    size=heif.size,
    recognise=recognise,
    extensions=("heic", "heif", "hif"),
    place=7,
)

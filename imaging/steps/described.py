"""What a picture's metadata says of rights and of the time it was made, whatever holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from imaging.data import Data
from imaging.read import iptc, xmp
from imaging.read.moment import Moment, from_exif, from_iptc, from_iso
from imaging.source import Source

MAX_RIGHTS = 2000
"""Characters of a text of rights; what is longer is cut off there."""


@dataclass(frozen=True, slots=True)
class Described:
    """The holder of the rights, and the time the picture was made, as far as they are known."""

    rights: str | None = None
    created: Moment | None = None

    def or_else(self, other: Described) -> Described:
        """With what another says where this says nothing."""
        return Described(self.rights or other.rights, self.created or other.created)


def by_exif(exif: Data | None) -> Described:
    """What the EXIF block says; one that cannot be read counts as none."""
    if not exif:
        return Described()
    whole = Image.Exif()
    try:
        whole.load(bytes(exif))
        block = whole.get_ifd(IFD.Exif)
        rights = _text(whole.get(Base.Copyright))
        when, offset = _text(block.get(Base.DateTimeOriginal)), block.get(Base.OffsetTimeOriginal)
    except Exception:  # Pillow raises whatever it comes upon in a broken block
        return Described()
    return Described(_bounded(rights), from_exif(when, _text(offset)))


def by_others(source: Source) -> Described:
    """What XMP says, and where that does not, IPTC."""
    return _by_xmp(source.xmp).or_else(_by_iptc(source.iptc))


def _by_xmp(packet: Data | None) -> Described:
    found = xmp.read(packet) if packet else {}
    times = (from_iso(found[name]) for name in xmp.TIMES if name in found)
    return Described(_bounded(found.get(xmp.RIGHTS, "")), next(filter(None, times), None))


def _by_iptc(block: Data | None) -> Described:
    found = iptc.read(block) if block else {}
    created = from_iptc(found.get(iptc.DATE, ""), found.get(iptc.TIME, ""))
    return Described(_bounded(found.get(iptc.RIGHTS, "")), created)


def _text(value: Any) -> str:
    """The text of a tag. EXIF 3.0 has UTF-8, which others have put into it before; Pillow takes
    each byte for a character."""
    if not isinstance(value, str):
        return ""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _bounded(text: str) -> str | None:
    return text.strip("\0 ")[:MAX_RIGHTS] or None

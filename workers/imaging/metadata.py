"""The metadata that is asked for, of what a picture brings."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pyvips
from PIL import Image
from PIL.ExifTags import IFD, Base

from app.core.options import Keep

_ROOT = {
    Keep.COPYRIGHT: {Base.Copyright, Base.Artist},
    Keep.DATE: {Base.DateTime},
}
_EXIF = {
    Keep.DATE: {
        Base.DateTimeOriginal,
        Base.DateTimeDigitized,
        Base.SubsecTime,
        Base.SubsecTimeOriginal,
        Base.SubsecTimeDigitized,
        Base.OffsetTime,
        Base.OffsetTimeOriginal,
        Base.OffsetTimeDigitized,
    },
}
"""The tags of EXIF 3.0 that each choice keeps, in the root block and in the one named Exif."""

NOTHING = 0
WANTED = 1 | 8
"""libvips's `keep` for no metadata, and for EXIF and the colour profile (VipsForeignKeep)."""

PROFILE = "icc-profile-data"

_PREFIX = "exif-"


def select_exif(
    exif: bytes | None, keep: Iterable[Keep], orientation: int | None = None
) -> bytes | None:
    """The EXIF block with what is to be kept, or None if there is nothing.

    Args:
        exif: the whole block; one that cannot be read counts as none.
        orientation: put into the block, for pixels that are stored turned.
    """
    kept = Image.Exif()
    if exif:
        whole = Image.Exif()
        try:
            whole.load(exif)
            _copy(whole, kept, set(keep))
        except Exception:  # Pillow raises whatever it comes upon in a broken block
            kept = Image.Exif()
    if orientation is not None:
        kept[Base.Orientation] = orientation
    return kept.tobytes().removeprefix(b"Exif\0\0") if len(kept) else None


def attach(image: pyvips.Image, exif: bytes | None, *, profile: bool) -> pyvips.Image:
    """The image with this EXIF block, its profile if that is kept, and no other metadata."""
    image = image.copy()
    dropped = {"orientation", "xmp-data", "iptc-data", *(() if profile else (PROFILE,))}
    for name in image.get_fields():
        if name.startswith(_PREFIX) or name in dropped:
            image.remove(name)
    if exif:
        # libvips writes the block that its own fields describe, so it reads them here itself.
        carrier = io.BytesIO()
        Image.new("L", (1, 1)).save(carrier, "JPEG", exif=b"Exif\0\0" + exif)
        read = pyvips.Image.jpegload_buffer(carrier.getvalue())
        for name in read.get_fields():
            if name.startswith(_PREFIX):
                image.set_type(read.get_typeof(name), name, read.get(name))
    return image


def _copy(whole: Image.Exif, kept: Image.Exif, keep: set[Keep]) -> None:
    for choice in keep:
        for tag in _ROOT.get(choice, set()):
            if tag in whole:
                kept[tag] = whole[tag]
        block = whole.get_ifd(IFD.Exif)
        for tag in _EXIF.get(choice, set()):
            if tag in block:
                kept.get_ifd(IFD.Exif)[tag] = block[tag]
    if Keep.LOCATION in keep and (place := whole.get_ifd(IFD.GPSInfo)):
        kept.get_ifd(IFD.GPSInfo).update(place)
    # Pillow writes a block of its own only where the root block points to it.
    for ifd in (IFD.Exif, IFD.GPSInfo):
        if kept.get_ifd(ifd):
            kept[ifd] = kept.get_ifd(ifd)

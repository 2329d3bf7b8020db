"""Without metadata but what is to be kept of it."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import replace

import pyvips
from PIL import Image
from PIL.ExifTags import IFD, Base

from imaging.data import Data
from imaging.options import Keep, Options
from imaging.source import Source
from imaging.target import Target

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

_PREFIX = "exif-"


def apply(source: Source, target: Target) -> Source:
    """With the EXIF block that is left; of the profile an earlier step has decided."""
    exif = select_exif(source.exif, target.options.keep)
    return replace(source, image=_attached(source.image, exif))


def written(options: Options) -> int:
    """What encoders write of an image's metadata, as libvips's `keep`."""
    # With anything to be kept libvips writes a block of EXIF even where there is none.
    return WANTED if options.keep else NOTHING


def select_exif(
    exif: Data | None, keep: Collection[Keep], orientation: int | None = None
) -> bytes | None:
    """The EXIF block with what is to be kept, or None if there is nothing.

    Args:
        exif: the whole block, or the TIFF it is in; one that cannot be read counts as none.
        orientation: put into the block, for pixels that are stored turned.
    """
    kept = Image.Exif()
    if orientation is not None:
        kept[Base.Orientation] = orientation
    bare = _packed(kept)
    if not exif or not keep:
        return bare
    whole = Image.Exif()
    try:
        whole.load(bytes(exif))
        _copy(whole, kept, set(keep))
        return _packed(kept)
    except Exception:  # Pillow raises whatever it comes upon in a broken block
        return bare


def _packed(exif: Image.Exif) -> bytes | None:
    """The block without the name that JPEG puts before it, None if there is nothing in it."""
    return exif.tobytes().removeprefix(b"Exif\0\0") if len(exif) else None


def _attached(image: pyvips.Image, exif: bytes | None) -> pyvips.Image:
    """The image with this EXIF block, its profile, and no other metadata."""
    image = image.copy()
    dropped = {"orientation", "xmp-data", "iptc-data"}
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
    for tag in _tags(_ROOT, keep):
        if tag in whole:
            kept[tag] = whole[tag]
    block = whole.get_ifd(IFD.Exif)
    found = {tag: block[tag] for tag in _tags(_EXIF, keep) if tag in block}
    place = dict(whole.get_ifd(IFD.GPSInfo)) if Keep.LOCATION in keep else {}
    for ifd, tags in ((IFD.Exif, found), (IFD.GPSInfo, place)):
        # Pillow writes even an empty block, once it was asked for it.
        if tags:
            kept[ifd] = tags


def _tags(of_choice: Mapping[Keep, set[Base]], keep: set[Keep]) -> set[Base]:
    return {tag for choice in keep for tag in of_choice.get(choice, set())}

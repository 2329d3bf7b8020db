"""Without metadata but what is to be kept of it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyvips
from PIL import Image
from PIL.ExifTags import IFD, Base

from imaging.codecs import WRITERS
from imaging.formats import same_format
from imaging.options import Keep, Options
from imaging.read.segments import EXIF_HEAD
from imaging.source import Source
from imaging.steps.described import Described, by_exif, by_others
from imaging.target import Target
from imaging.write import xmp

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
    Keep.CREATION: {Base.DateTimeOriginal, Base.OffsetTimeOriginal},
}
"""The tags of EXIF 3.0 that each choice keeps, in the root block and in the one named Exif."""

NOTHING, EXIF, PROFILE = 0, 1, 8
"""libvips's `keep` for no metadata, for EXIF and for the colour profile (VipsForeignKeep)."""

_PREFIX = "exif-"


def apply(source: Source, target: Target) -> Source:
    """With the EXIF block that is left; of the profile an earlier step has decided."""
    if not target.options.keep:
        return source  # `written` says so to encoders, and taking all out of it takes a while
    exif = select_exif(source, target)
    return replace(source, image=_attached(source.image, exif))


def written(image: pyvips.Image, options: Options) -> int:
    """What encoders write of an image's metadata, as libvips's `keep`."""
    # If it is to keep EXIF libvips writes a block even where there is none.
    exif = EXIF if image.get_typeof("exif-data") else NOTHING
    return exif | PROFILE if options.keep else NOTHING


def packet(source: Source, target: Target) -> bytes | None:
    """The XMP packet with what is to be kept and the EXIF block does not say, or None. In another
    format than the picture's own it says that too, for readers that do not know EXIF there."""
    keep = target.options.keep
    described = by_others(source)
    by_block = by_exif(source.exif)
    if same_format(source.media_type) is target.format:
        rights = None if by_block.rights else described.rights
        created = None if by_block.created else described.created
    else:
        rights, created = by_block.rights or described.rights, by_block.created or described.created
    return xmp.packet(
        rights if Keep.COPYRIGHT in keep else None,
        created.iso if created and Keep.CREATION in keep else None,
    )


def select_exif(source: Source, target: Target, orientation: int | None = None) -> bytes | None:
    """The EXIF block with what is to be kept, or None if there is nothing. A block that cannot be
    read counts as none; what it does not say is taken from XMP and IPTC, if EXIF is where readers
    of the format look for it.

    Args:
        orientation: put into the block, for pixels that are stored turned.
    """
    keep = set(target.options.keep)
    kept = _turned(orientation)
    if source.exif and keep:
        whole = Image.Exif()
        try:
            whole.load(bytes(source.exif))
            _copy(whole, kept, keep)
        except Exception:  # Pillow raises whatever it comes upon in a broken block
            kept = _turned(orientation)
    if keep and WRITERS[target.format].with_xmp is None:
        _fill(kept, by_others(source), keep)
    try:
        return _packed(kept)
    except Exception:  # as above: a tag of another type than its name has
        return _packed(_turned(orientation))


def _turned(orientation: int | None) -> Image.Exif:
    exif = Image.Exif()
    if orientation is not None:
        exif[Base.Orientation] = orientation
    return exif


def _fill(kept: Image.Exif, described: Described, keep: set[Keep]) -> None:
    """Put in what the block does not say."""
    if Keep.COPYRIGHT in keep and described.rights and Base.Copyright not in kept:
        kept[Base.Copyright] = described.rights.encode()
    created = described.created
    if Keep.CREATION not in keep or created is None:
        return
    block = kept.get(IFD.Exif, {})  # as it was put in
    if Base.DateTimeOriginal not in block:
        times = {Base.DateTimeOriginal: created.exif, Base.OffsetTimeOriginal: created.exif_offset}
        kept[IFD.Exif] = {**block, **{tag: text for tag, text in times.items() if text}}


def _packed(exif: Image.Exif) -> bytes | None:
    """The block without the name that JPEG puts before it, None if there is nothing in it."""
    return exif.tobytes().removeprefix(EXIF_HEAD) if len(exif) else None


def _attached(image: pyvips.Image, exif: bytes | None) -> pyvips.Image:
    """The image with this EXIF block, its profile, and no other metadata."""
    known = {"orientation", "xmp-data", "iptc-data"}
    dropped = [name for name in image.get_fields() if name.startswith(_PREFIX) or name in known]
    if not dropped and not exif:
        return image
    image = image.copy()
    for name in dropped:
        image.remove(name)
    if exif:
        # libvips writes the block that its own fields describe, so it reads them here itself.
        carrier = io.BytesIO()
        Image.new("L", (1, 1)).save(carrier, "JPEG", exif=EXIF_HEAD + exif)
        read = pyvips.Image.jpegload_buffer(carrier.getvalue())
        for name in read.get_fields():
            if name.startswith(_PREFIX):
                image.set_type(read.get_typeof(name), name, read.get(name))
    return image


def _copy(whole: Image.Exif, kept: Image.Exif, keep: set[Keep]) -> None:
    for tag in _tags(_ROOT, keep):
        if tag in whole:
            kept[tag] = _raw(whole[tag])
    block = whole.get_ifd(IFD.Exif)
    found = {tag: block[tag] for tag in _tags(_EXIF, keep) if tag in block}
    place = dict(whole.get_ifd(IFD.GPSInfo)) if Keep.LOCATION in keep else {}
    for ifd, tags in ((IFD.Exif, found), (IFD.GPSInfo, place)):
        # Pillow writes even an empty block, once it was asked for it.
        if tags:
            kept[ifd] = tags


def _raw(value: Any) -> Any:
    """A text in the bytes that it had: Pillow takes each for a character, and writes no others than
    those of ASCII."""
    return value.encode("latin-1") if isinstance(value, str) else value


def _tags(of_choice: Mapping[Keep, set[Base]], keep: set[Keep]) -> set[Base]:
    return {tag for choice in keep for tag in of_choice.get(choice, set())}

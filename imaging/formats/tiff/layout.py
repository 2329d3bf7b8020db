"""How the samples of a TIFF are laid out, and what they mean."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum

from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats.tiff.directory import METADATA, Directory, Tag, count_pages
from imaging.limits import Limits


class Photometric(IntEnum):
    """What colours the samples are (TIFF 6.0, sections 8, 16, 20 to 23; its technical notes).

    Not LogLuv, whose white is not that of libvips, nor the mosaics of camera raws."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    SEPARATED = 5
    YCBCR = 6
    CIELAB = 8
    ICCLAB = 9


class Numbers(IntEnum):
    """What kind of numbers the samples are (section 19)."""

    UNSIGNED = 1
    SIGNED = 2
    FLOAT = 3


COLOURS = {
    Photometric.WHITE_IS_ZERO: 1,
    Photometric.BLACK_IS_ZERO: 1,
    Photometric.RGB: 3,
    Photometric.PALETTE: 1,
    Photometric.SEPARATED: 4,
    Photometric.YCBCR: 3,
    Photometric.CIELAB: 3,
    Photometric.ICCLAB: 3,
}
"""Samples that are colours; those behind them are extra ones."""

GREY = (Photometric.WHITE_IS_ZERO, Photometric.BLACK_IS_ZERO)
LAB = (Photometric.CIELAB, Photometric.ICCLAB)

OLD_JPEG, JPEG = 6, 7
"""The compressions of that name (section 22, and Technical Note 2)."""

ASSOCIATED, UNASSOCIATED, COREL = 1, 2, 999
"""Kinds of extra sample that are alpha; the last is what Corel Draw writes (section 18)."""

_REDUCED = 1
"""NewSubfileType's bit for a smaller version of another picture in the file."""
_CMYK = 1
"""InkSet's number."""
_WHOLE_BITS = (8, 16, 32, 64)
_VOID = 4
"""SampleFormat's number for "unknown", which is as without one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The samples of the first page."""

    width: int
    height: int
    photometric: Photometric
    bits: int
    """Of a sample."""
    numbers: Numbers
    samples: int
    """Of a pixel."""
    alpha: int | None
    """Which sample is alpha."""
    associated: bool
    """Whether the colours are multiplied by alpha."""
    compression: int
    planar: bool
    """Whether each sample has a plane of its own."""
    predictor: int
    declared: tuple[float, float] | None
    """The smallest and largest sample, where the file tells."""

    @property
    def colours(self) -> int:
        """How many samples are colours; they are the first."""
        return COLOURS[self.photometric]

    @property
    def extra(self) -> int:
        """How many samples are not."""
        return self.samples - self.colours


def check_tiff(data: Data, limits: Limits) -> None:
    """See whether the first page is small enough, and the pages few enough.

    Raises:
        PictureError: if not.
        struct.error: if the file ends too early, or is not a TIFF.
    """
    directory = Directory(data)
    width, height = directory.number(Tag.WIDTH, 0), directory.number(Tag.HEIGHT, 0)
    limits.check_size(width, height)
    limits.check_metadata(sum(directory.size(tag) for tag in METADATA))
    limits.check_frames(count_pages(data, limits.max_frames))


def layout_of(directory: Directory) -> Layout:
    """What the directory says.

    Raises:
        PictureError: if it is of a kind that cannot be shown.
        struct.error: if it is broken.
    """
    number = directory.number
    if number(Tag.NEW_SUBFILE_TYPE, 0) & _REDUCED and Tag.SUB_IFDS in directory:
        raise PictureError("a camera raw is not supported: its first page is only a preview")
    if Tag.PHOTOMETRIC not in directory:
        raise struct.error
    photometric = number(Tag.PHOTOMETRIC, 0)
    if photometric not in COLOURS:
        raise PictureError(f"a TIFF of PhotometricInterpretation {photometric} is not supported")
    photometric = Photometric(photometric)
    numbers = number(Tag.SAMPLE_FORMAT, 1)
    if numbers not in (*Numbers, _VOID):
        raise PictureError(f"a TIFF of SampleFormat {numbers} is not supported")
    samples = number(Tag.SAMPLES, 1)
    bits = {int(each) for each in directory.numbers(Tag.BITS)[:samples] or (1,)}
    if len(bits) > 1:
        raise PictureError("a TIFF with samples of different sizes is not supported")
    alpha = _alpha(directory, photometric, samples)
    layout = Layout(
        width=number(Tag.WIDTH, 0),
        height=number(Tag.HEIGHT, 0),
        photometric=photometric,
        bits=bits.pop(),
        numbers=Numbers.UNSIGNED if numbers == _VOID else Numbers(numbers),
        samples=samples,
        alpha=alpha,
        associated=alpha is not None and _is_associated(directory, alpha - COLOURS[photometric]),
        compression=number(Tag.COMPRESSION, 1),
        planar=number(Tag.PLANAR, 1) == 2 and samples > 1,
        predictor=number(Tag.PREDICTOR, 1),
        declared=_declared(directory),
    )
    _check(layout, number(Tag.INK_SET, _CMYK))
    return layout


def _check(layout: Layout, ink_set: int) -> None:
    """See whether the samples are those of a kind of picture.

    Raises:
        PictureError: if not.
    """
    name = layout.photometric.name
    if layout.extra < 0 and not (layout.photometric in LAB and layout.samples == 1):
        raise PictureError(f"a TIFF of {name} with {layout.samples} samples a pixel is broken")
    if layout.photometric is Photometric.SEPARATED and ink_set != _CMYK:
        raise PictureError("a TIFF of other inks than CMYK is not supported")
    few = (*GREY, Photometric.PALETTE)
    allowed = (1, 2, 4, 12, *_WHOLE_BITS) if layout.photometric in few else _WHOLE_BITS
    if layout.bits not in allowed:
        raise PictureError(f"a TIFF of {name} with {layout.bits} bits a sample is not supported")
    if layout.photometric is Photometric.YCBCR and layout.bits != 8:
        raise PictureError(f"a TIFF of {name} with {layout.bits} bits a sample is not supported")
    if layout.photometric is Photometric.PALETTE and (
        layout.bits > 16 or layout.numbers is not Numbers.UNSIGNED
    ):
        raise PictureError("a TIFF with a palette for other numbers than indexes is broken")
    if layout.numbers is Numbers.FLOAT and layout.bits == 8:
        raise PictureError("a TIFF with floats of 8 bits is not supported")
    if layout.bits == 64 and layout.predictor != 1:
        raise PictureError("a TIFF with a predictor for 64 bits is not supported")


def _extra(directory: Directory) -> tuple[int, ...]:
    return tuple(int(kind) for kind in directory.numbers(Tag.EXTRA_SAMPLES))


def _alpha(directory: Directory, photometric: Photometric, samples: int) -> int | None:
    """Which sample is alpha.

    Only what is said to be alpha is. One sample behind grey or RGB of which nothing is said is
    taken for alpha, as libtiff, ImageMagick and Pillow do: files older than ExtraSamples.
    """
    colours, extra = COLOURS[photometric], _extra(directory)
    for place, kind in enumerate(extra[: max(0, samples - colours)]):
        if kind in (ASSOCIATED, UNASSOCIATED, COREL):
            return colours + place
    named = Tag.EXTRA_SAMPLES in directory
    untold = not named and photometric in (*GREY, Photometric.RGB) and samples == colours + 1
    return colours if untold else None


def _is_associated(directory: Directory, place: int) -> bool:
    extra = _extra(directory)
    return place < len(extra) and extra[place] == ASSOCIATED


def _declared(directory: Directory) -> tuple[float, float] | None:
    try:
        smallest, largest = directory.numbers(Tag.SMALLEST), directory.numbers(Tag.LARGEST)
    except struct.error:
        return None
    if not smallest or not largest:
        return None
    low, high = min(smallest), max(largest)
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low < high else None

"""TIFF: libvips decodes the samples, and what they mean is told here.

libvips takes some kinds of sample for others (extra ones for alpha, floats for linear light), and
does not read all ways to lay them out. For those the directory is written anew, so that it
describes samples without a meaning, which libvips reads as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import partial

import pyvips

from imaging.codec import Reader
from imaging.data import Data
from imaging.errors import UnknownVariant
from imaging.formats.tiff.colours import lab_to_rgb
from imaging.formats.tiff.directory import Directory, Entry, Form, Tag, rewritten
from imaging.formats.tiff.layout import (
    GREY,
    JPEG,
    LAB,
    OLD_JPEG,
    Layout,
    Numbers,
    Photometric,
    check_tiff,
    layout_of,
)
from imaging.formats.tiff.samples import FULL_16, alpha_to_16_bit, doubles, to_16_bit
from imaging.read.profile import without_profile

_SHORT = 3
_COPIED = (
    *(Tag.WIDTH, Tag.HEIGHT, Tag.COMPRESSION, Tag.FILL_ORDER, Tag.ORIENTATION, Tag.PREDICTOR),
    *(Tag.ROWS_PER_STRIP, Tag.TILE_WIDTH, Tag.TILE_HEIGHT, Tag.JPEG_TABLES, Tag.PROFILE),
)
_EXIF = (306, 315, 33432)
"""DateTime, Artist and Copyright (EXIF 3.0, 4.6.5)."""
_PLACES = (Tag.STRIP_OFFSETS, Tag.STRIP_SIZES, Tag.TILE_OFFSETS, Tag.TILE_SIZES)


def load(data: Data, **options: object) -> pyvips.Image:
    """The first page: grey, RGB or CMYK, perhaps with alpha, of 8 or 16 bit, with its profile.

    Args:
        options: of libvips's loader, such as `access`.

    Raises:
        PictureError: if it is of a kind that cannot be shown, or what its numbers mean is not
            known; UnknownVariant if another reader may know better.
        pyvips.Error: if libvips cannot read it.
    """
    try:
        directory = Directory(data)
        layout = layout_of(directory)
        if layout.compression == OLD_JPEG:
            # libvips shows what libtiff could not decode as transparent.
            raise UnknownVariant("a TIFF with old-style JPEG compression that cannot be read")
        if layout.bits == 12:
            raise UnknownVariant("a TIFF with 12 bits a sample that cannot be read")
        if layout.photometric is Photometric.YCBCR and _is_raw_ycbcr(directory, layout):
            # libvips takes it for RGB.
            raise UnknownVariant("a TIFF with YCbCr that cannot be read")
        if _is_plain(layout):
            return _plain(data, layout, options)
        return _shown(
            rewritten(data, directory.form, _described(directory, layout)),
            layout,
            directory.form,
            options,
        )
    except struct.error:  # broken; libvips says how
        return pyvips.Image.tiffload_buffer(data, **options)


def exif_of(data: Data) -> Data:
    """A TIFF whose first directory is the picture's EXIF: its own, as EXIF took its form from TIFF.

    Of a BigTIFF, which EXIF has not, it is another one with what a scan says of itself.
    """
    try:
        directory = Directory(data)
        if not directory.form.big:
            return data
        found = {tag: entry for tag in _EXIF if (entry := directory.entry(tag))}
    except struct.error:
        return data
    form = Form(directory.form.order, big=False)
    head = bytes(data[:2]) + form.pack("HI", 42, 0)
    return rewritten(head, form, [found])


def _is_raw_ycbcr(directory: Directory, layout: Layout) -> bool:
    subsampling = directory.numbers(Tag.SUBSAMPLING) or (2, 2)
    return layout.compression != JPEG and (layout.planar or max(subsampling) == 1)


def _is_plain(layout: Layout) -> bool:
    """Whether libvips reads it as it is."""
    if layout.photometric in LAB or layout.numbers is not Numbers.UNSIGNED or layout.bits > 16:
        return layout.photometric not in (*LAB, *GREY, Photometric.RGB, Photometric.SEPARATED)
    if layout.photometric is Photometric.SEPARATED:
        return layout.bits == 8 and layout.extra == 0 and not layout.planar
    if layout.photometric not in (*GREY, Photometric.RGB) or layout.bits < 8:
        return True
    return layout.extra <= 1 and not layout.planar


def _plain(data: Data, layout: Layout, options: Mapping[str, object]) -> pyvips.Image:
    """What libvips makes of it, without the extra samples that are not alpha."""
    image = pyvips.Image.tiffload_buffer(data, **options)
    # A palette becomes one or three bands; YCbCr gets an alpha that is not in the file.
    colours = min(image.bands, 3)
    if layout.photometric is Photometric.PALETTE:
        colours = image.bands - layout.extra
    elif layout.photometric is not Photometric.YCBCR:
        colours = layout.colours
    alpha = None if layout.alpha is None else layout.alpha + colours - layout.colours
    if image.bands == colours + (alpha is not None):
        return image
    picked = image.extract_band(0, n=colours)
    if alpha is not None and alpha < image.bands:
        picked = picked.bandjoin(image[alpha])
    return picked.copy(interpretation=image.interpretation)


def _described(directory: Directory, layout: Layout) -> list[dict[int, Entry]]:
    """The directories that describe the samples alone, one for each plane."""
    form = directory.form
    words = 2 if layout.bits == 64 else 1
    signed = layout.photometric in LAB and layout.numbers is not Numbers.FLOAT
    numbers = Numbers.UNSIGNED if signed or words == 2 else layout.numbers
    copied: dict[int, Entry] = {tag: entry for tag in _COPIED if (entry := directory.entry(tag))}
    places = {tag: entry for tag in _PLACES if (entry := directory.entry(tag))}
    samples = words * (1 if layout.planar else layout.samples)
    meaning: dict[int, Entry] = {
        Tag.PHOTOMETRIC: _short(form, Photometric.BLACK_IS_ZERO),
        Tag.SAMPLES: _short(form, samples),
        Tag.BITS: _short(form, *[layout.bits // words] * samples),
        Tag.SAMPLE_FORMAT: _short(form, *[numbers] * samples),
    }
    planes = _picked(layout) if layout.planar else [0]
    return [
        {**copied, **meaning, **{tag: _plane(entry, n, layout) for tag, entry in places.items()}}
        for n in planes
    ]


def _picked(layout: Layout) -> list[int]:
    """The samples that are shown: the colours, and alpha."""
    colours = min(layout.colours, layout.samples)
    return [*range(colours), *([] if layout.alpha is None else [layout.alpha])]


def _short(form: Form, *numbers: int) -> Entry:
    return Entry(_SHORT, len(numbers), form.pack(f"{len(numbers)}H", *numbers))


def _plane(entry: Entry, number: int, layout: Layout) -> Entry:
    """The strips or tiles of one plane: those of the first come first."""
    if not layout.planar:
        return entry
    count = entry.count // layout.samples
    size = len(entry.value) // layout.samples
    return Entry(entry.type, count, entry.value[number * size : (number + 1) * size])


def _shown(data: Data, layout: Layout, form: Form, options: Mapping[str, object]) -> pyvips.Image:
    """The picture that the samples are."""
    colours = min(layout.colours, layout.samples)
    image = partial(_samples, data, layout, form, options)
    if layout.photometric in LAB:
        shown = lab_to_rgb(image().extract_band(0, n=colours), layout)
    else:
        shown = to_16_bit(lambda: image().extract_band(0, n=colours), layout)
        if layout.photometric is Photometric.WHITE_IS_ZERO:
            shown = shown.linear(-1, _top(shown)).cast(shown.format)
    if layout.alpha is not None:
        alpha = alpha_to_16_bit(image()[colours], layout)
        if alpha.format != shown.format:  # of 8 bit beside L*a*b*
            alpha = (alpha * (FULL_16 / 255)).cast("ushort")
        shown = shown.bandjoin(alpha)
        if layout.associated:
            whole = shown.unpremultiply(max_alpha=_top(shown))
            shown = whole.rint().cast(shown.format)
    if layout.photometric is Photometric.SEPARATED and shown.format == "ushort":
        shown = shown.linear(1 / 257, 0).rint().cast("uchar")
    if layout.photometric in LAB:
        shown = without_profile(shown)
    return shown.copy(interpretation=_interpretation(layout, shown.format == "ushort"))


def _top(image: pyvips.Image) -> int:
    return 255 if image.format == "uchar" else FULL_16


def _interpretation(layout: Layout, wide: bool) -> str:
    if layout.photometric is Photometric.SEPARATED:
        return "cmyk"
    if layout.photometric in GREY:
        return "grey16" if wide else "b-w"
    return "rgb16" if wide else "srgb"


def _samples(data: Data, layout: Layout, form: Form, options: Mapping[str, object]) -> pyvips.Image:
    """The samples that are shown, as the file has them."""
    picked = _picked(layout)
    pages = range(len(picked)) if layout.planar else [0]
    planes = [pyvips.Image.tiffload_buffer(data, page=page, **options) for page in pages]
    whole = planes[0].bandjoin(planes[1:]) if len(planes) > 1 else planes[0]
    if layout.bits == 64:
        upper = form.order == "<"  # of two words the second
        halves = [whole[2 * n + upper] for n in range(whole.bands // 2)]
        whole = halves[0].bandjoin(halves[1:]) if len(halves) > 1 else halves[0]
        if layout.numbers is Numbers.FLOAT:
            whole = doubles(whole)
    if layout.planar or picked == list(range(whole.bands)):
        return whole
    bands = [whole[n] for n in picked]
    return bands[0].bandjoin(bands[1:]) if len(bands) > 1 else bands[0]


READER = Reader(load=load, pillow="TIFF", is_lenient=True, check=check_tiff, exif=exif_of)

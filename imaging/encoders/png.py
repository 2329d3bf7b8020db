"""PNG: with a palette where that looks the same, by libvips's own quantiser; then oxipng."""

from __future__ import annotations

import pyvips

from imaging.encoders.graphics import efforts_tried
from imaging.encoders.palette import Colours
from imaging.lossless.png import optimise, optimise_palette
from imaging.options import Effort

COMPRESSION = {Effort.FAST: 9, Effort.BALANCED: 1, Effort.SMALL: 1}
"""zlib's level; what oxipng compresses anew is only passed on."""


def encode(
    image: pyvips.Image, quality: int, effort: Effort, *, lossless: bool, keep: int
) -> bytes:
    """The file.

    Args:
        image: sRGB or grey.
        quality: 1 to 100, pngquant's largest; 0 for the default.
        lossless: whether every pixel stays as it is.
        keep: what of the image's metadata is written.
    """
    colours = Colours(image.copy_memory(), quality)
    efforts = efforts_tried(colours.image, effort)
    return min((_encode(colours, each, lossless, keep) for each in efforts), key=len)


def _encode(colours: Colours, effort: Effort, lossless: bool, keep: int) -> bytes:
    if lossless or not colours.suffices:
        return _true_colour(colours.image, effort, keep)
    palette = optimise_palette(
        colours.quantised(effort, keep, COMPRESSION[effort]),
        effort,
        colours.image.width * colours.image.height,
    )
    if colours.count is None:
        return palette
    return min(palette, _true_colour(colours.image, effort, keep), key=len)


def _true_colour(image: pyvips.Image, effort: Effort, keep: int) -> bytes:
    data = image.pngsave_buffer(compression=1, filter="none", keep=keep)
    return optimise(data, effort)

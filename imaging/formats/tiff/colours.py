"""The colours that are neither grey nor RGB: L*a*b*."""

from __future__ import annotations

import pyvips

from imaging.formats.tiff.layout import Layout, Numbers, Photometric

LARGEST_L = {8: 255, 16: 65535}
"""The number that is 100 (TIFF 6.0, section 23)."""
LARGEST_ICC_L = {8: 255, 16: 0xFF00}
"""As above, as ICC profiles have it (TIFF Technical Note 4)."""
ONE = {8: 1, 16: 256}
"""By how much a* and b* differ for a difference of 1."""


def lab_to_rgb(image: pyvips.Image, layout: Layout) -> pyvips.Image:
    """L*a*b* of D50, as Photoshop and ICC have it, as sRGB of 16 bit.

    Args:
        image: the samples as unsigned numbers of 8 or 16 bit or as floats; L* alone is grey.
    """
    lab = image.cast("float")
    if layout.numbers is not Numbers.FLOAT:
        icc = layout.photometric is Photometric.ICCLAB
        one = ONE[layout.bits]
        lightness = lab[0] * (100 / (LARGEST_ICC_L if icc else LARGEST_L)[layout.bits])
        if lab.bands == 1:
            lab = lightness
        else:
            chroma = lab.extract_band(1, n=2)
            if icc:
                chroma -= 128 * one
            else:  # two's complement
                chroma = (chroma >= 128 * one).ifthenelse(chroma - 256 * one, chroma)
            lab = lightness.bandjoin(chroma / one)
    if lab.bands == 1:
        lab = lab.bandjoin([0, 0])
    lab = lab.copy(interpretation="lab")
    return lab.icc_export(output_profile="srgb", intent="relative", depth=16)

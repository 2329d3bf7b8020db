"""What a page shows until the picture is there."""

from __future__ import annotations

from dataclasses import replace

import pyvips

from imaging.options import Placeholder
from imaging.placeholders.blurhash import blurhash
from imaging.placeholders.dominant import dominant
from imaging.placeholders.thumbhash import thumbhash
from imaging.source import Source
from imaging.steps.background import flatten
from imaging.target import Target

LOOKED_AT = 64
"""Pixels of the longer side of the copy that is looked at: a hash has seven waves at most."""


def apply(source: Source, target: Target) -> Source:
    """With the placeholder that is asked for, of the result's first frame."""
    kind = target.options.placeholder
    if kind is None:
        return source
    # A stream of pixels can be read once, and the encoder is still to come.
    source = replace(source, image=source.image.copy_memory())
    small = source.each_frame()[0].thumbnail_image(LOOKED_AT, height=LOOKED_AT, size="down")
    small = small.colourspace("srgb")
    return replace(source, placeholder=_made(small, kind))


def _made(small: pyvips.Image, kind: Placeholder) -> str:
    if kind is Placeholder.BLURHASH:
        return blurhash(small.width, small.height, bytes(flatten(small).write_to_memory()))
    rgba = bytes((small if small.hasalpha() else small.addalpha()).write_to_memory())
    if kind is Placeholder.THUMBHASH:
        return thumbhash(small.width, small.height, rgba)
    return dominant(rgba)

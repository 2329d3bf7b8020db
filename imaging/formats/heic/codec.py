"""HEIC, read by Pillow with pillow-heif: our libvips has no HEVC."""

from __future__ import annotations

from dataclasses import replace

from imaging.codec import Reader
from imaging.colour import heif as colour
from imaging.colour.said import Said
from imaging.data import Data
from imaging.read import heif
from imaging.read.items import is_premultiplied


def said(data: Data) -> Said:
    """What is said of the primary picture; Pillow itself divides by alpha, but of HDR it gives the
    values as they are stored."""
    what = colour.read(data)
    return replace(what, premultiplied=what.is_hdr and is_premultiplied(data))


READER = Reader(pillow="HEIF", check=heif.check, said=said)

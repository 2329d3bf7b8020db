"""HEIC, read by Pillow with pillow-heif: our libvips has no HEVC."""

from __future__ import annotations

from imaging.codec import Reader
from imaging.colour import heif as colour
from imaging.read import heif

READER = Reader(pillow="HEIF", check=heif.check, said=colour.read)

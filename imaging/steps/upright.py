"""Upright, as the orientation of the file says."""

from __future__ import annotations

from dataclasses import replace

from imaging.source import Source, orientation
from imaging.target import Target


def apply(source: Source, target: Target) -> Source:
    """Of animations no decoder tells an orientation."""
    if source.animated or orientation(source.image) == 1:
        return source
    return replace(source, image=source.image.autorot())

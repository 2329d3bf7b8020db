"""Upright, as the orientation of the file says."""

from __future__ import annotations

from dataclasses import replace

from imaging.source import Source
from imaging.target import Target


def apply(source: Source, target: Target) -> Source:
    """Of animations no decoder tells an orientation."""
    return source if source.animated else replace(source, image=source.image.autorot())

"""The steps between reading and writing a picture, one module a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from imaging.options import OPTIONS
from imaging.source import Source
from imaging.steps import (
    background,
    colour,
    metadata,
    placeholder,
    resize,
    sharpen,
    trim,
    upright,
)
from imaging.target import Target

Step = Callable[[Source, Target], Source]

STEPS: tuple[Step, ...] = (
    upright.apply,
    colour.apply,
    trim.apply,
    resize.apply,
    sharpen.apply,
    background.apply,
    placeholder.apply,
    metadata.apply,
)
"""In their order. Each gets the picture as the one before left it."""

OF_FORMAT = STEPS[STEPS.index(background.apply) :]
"""The steps that depend on the format itself, and not only on whether it holds a profile."""

DRAWING = STEPS[: -len(OF_FORMAT)]
"""The other steps, which come first."""

SIZING: Mapping[Step, tuple[str, ...]] = {
    trim.apply: tuple(name for name, option in OPTIONS.items() if option.looks_first),
    resize.apply: tuple(name for name, option in OPTIONS.items() if option.resizes),
}
"""The steps that change nothing unless they change the size of the picture, with their options."""

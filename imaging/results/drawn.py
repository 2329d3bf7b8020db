"""A picture after all that is done to it in any format, and which options changed nothing in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from imaging.formats import Format
from imaging.options import DEFAULTS
from imaging.source import Source
from imaging.steps import DRAWING, SIZING, Step
from imaging.target import Target


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture after the steps of `DRAWING`."""

    source: Source
    idle: frozenset[str]
    """The options that changed nothing in this picture, such as a width that it does not reach."""
    written: Mapping[Format, bytes] = field(default_factory=dict)
    """Files of all of it that were written to find the smallest format."""

    def without_idle(self, target: Target) -> Target:
        """The target as if nobody had asked for these: the picture's own pixels are what it asks
        for then, if nothing else changes them."""
        defaults = {name: getattr(DEFAULTS, name) for name in self.idle}
        return replace(target, options=replace(target.options, **defaults))


def draw(source: Source, target: Target) -> Drawn:
    """The opened picture as `target` describes it.

    Raises:
        PictureError: if a step cannot be done.
    """
    idle = set[str]()
    for step in DRAWING:
        before, source = source, step(source, target)
        if source.size == before.size:
            idle.update(SIZING.get(step, ()))
    if not source.image.hasalpha():  # borders have some
        idle.add("background")
    return Drawn(source, frozenset(idle))


def stepped(source: Source, target: Target, steps: Sequence[Step]) -> Source:
    """The picture after these steps."""
    for step in steps:
        source = step(source, target)
    return source

"""How one picture looks at each quality, as pictures do on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imaging.auto import typical
from imaging.auto.qualities import Qualities, Tried, is_between, way

FAR = 4
"""How far beyond the qualities that were tried on a sample the look is taken to be known."""


@dataclass(frozen=True, slots=True)
class Smooth:
    """A look that rises with the quality as the typical one does.

    Args:
        qualities: those that may be tried.
        follows: how a picture's distance from 100 follows the typical one, where a single look
            tells it.
    """

    qualities: Qualities
    follows: float

    def first(self, wanted: float) -> float:
        """The quality that is tried first."""
        return self.qualities.nearest(typical.quality(100 - wanted))

    def following(self, tried: Sequence[Tried], wanted: float) -> float:
        """The quality that is to be tried next.

        Args:
            tried: one or more, the last one last.
        """
        return self.qualities.nearest(typical.following(tried, wanted, self.follows))

    def look(self, tried: Sequence[Tried], quality: float) -> float:
        """The look at a quality, by those that are known."""
        return typical.look(tried, quality, self.follows)

    def knows(self, tried: Sequence[Tried], quality: float) -> bool:
        """Whether the look at a quality follows from those of a sample."""
        return way(tried, quality) <= FAR or is_between(tried, quality)

"""The facts of a format, for a process that decodes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO


class Frames(Enum):
    """Of which pictures a format gets more than the first frame."""

    NONE = auto()
    OWN = auto()  # of its own animations: every program opens another one's first frame
    ALL = auto()  # of every animation


@dataclass(frozen=True, slots=True)
class Output:
    """The abilities of a format that results are written in."""

    max_side: int
    """Pixels of the longest side that a file holds, as it is written here."""
    aliases: tuple[str, ...] = ()
    """Further names that clients use."""
    has_quality: bool = False
    """Whether the kept API's `quality` counts."""
    takes_q: bool = True
    """Whether `q` counts."""
    auto: tuple[int, int] | None = None
    """The least and the largest quality that `q=auto` chooses; None where it chooses none."""
    can_be_lossless: bool = False
    """Whether it holds any picture without loss."""
    has_alpha: bool = True
    is_alpha_partial: bool = True
    """Whether a pixel of it is anything between clear and opaque."""
    frames: Frames = Frames.NONE


def anything(head: bytes) -> str | None:
    """For what the library `filetype` recognises."""
    return None


@dataclass(frozen=True, slots=True)
class Facts:
    """A format, by its files."""

    kinds: Mapping[str, str]
    """Media type and name of each kind of file that is of this format. Results are of the first."""
    size: Callable[[IO[bytes]], tuple[int, int]] | None = None
    """Width and height by the header of a file that stands at its beginning; 0 × 0, struct.error or
    IndexError where it cannot tell. It looks at so much and no more."""
    is_turned: Callable[[IO[bytes]], bool] | None = None
    """Whether its width and height are exchanged when it is shown, where headers often say so."""
    recognise: Callable[[bytes], str | None] = anything
    """The kind of a file by its first bytes, where the library `filetype` does not know it."""
    extensions: tuple[str, ...] = ()
    """What the names of its files end in, without the point; of an output, beside its own name."""
    place: int = 99
    """Where a sentence names it, the best known format at 1."""
    is_animated: bool = False
    """Whether a file may have several frames that are shown one after the other."""
    output: Output | None = None
    """None for a format that is only read."""

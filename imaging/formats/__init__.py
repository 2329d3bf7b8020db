"""The formats: a folder for each, with its facts (`FACTS`) in `__init__` and what needs a decoder
(`READER`, and for an output `WRITER`) in `codec`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec

from imaging.errors import UnsupportedFormat
from imaging.formats.facts import Facts, Frames, Output
from imaging.measures import Size


class Format(StrEnum):
    """An output format; the value is its folder, its name in the API and its file extension."""

    WEBP = "webp"
    PNG = "png"
    JPG = "jpg"
    AVIF = "avif"
    GIF = "gif"
    if find_spec("pylibjxl"):  # there are no wheels of it for all machines
        JXL = "jxl"

    @property
    def output(self) -> Output:
        """Its abilities as an output."""
        output = FACTS[self].output
        assert output is not None, f"{self} has no Output"
        return output

    @property
    def media_type(self) -> str:
        """The content type a file of this format is sent with."""
        return next(iter(FACTS[self].kinds))

    @property
    def has_quality(self) -> bool:
        """Whether the API's `quality` counts for this format."""
        return self.output.has_quality

    @property
    def takes_q(self) -> bool:
        """Whether `q` counts for this format."""
        return self.output.takes_q

    @property
    def takes_auto(self) -> bool:
        """Whether `q=auto` chooses a quality for this format."""
        return self.output.auto is not None

    @property
    def can_be_lossless(self) -> bool:
        """Whether the format holds any picture without loss."""
        return self.output.can_be_lossless

    @property
    def max_side(self) -> int:
        """Pixels of the longest side that a file of this format holds, as it is written here."""
        return self.output.max_side

    def too_large(self, size: Size) -> str | None:
        """Why the format does not hold a picture of this size, in a sentence; None if it does."""
        longest = max(size.width, size.height)
        if longest <= self.max_side:
            return None
        others = ", ".join(format for format in Format if longest <= format.max_side)
        return (
            f"{self} holds {self.max_side} pixels a side, and the picture would have "
            f"{size.width} × {size.height}: ask for a smaller width or height"
            + (f", or for one of {others}" if others else "")
        )


INPUTS = (
    "tiff",
    "heic",
    "bmp",
    "icon",
    "jpeg_2000",
)
"""The folders of the formats that are only read."""

FACTS: dict[str, Facts] = {
    name: import_module(f"{__name__}.{name}").FACTS for name in (*Format, *INPUTS)
}
"""By folder."""

READABLE: dict[str, str] = {
    media_type: name
    for facts in sorted(FACTS.values(), key=lambda facts: facts.place)
    for media_type, name in facts.kinds.items()
}
"""Media type and name of every kind of file that is read, the best known first."""

EXTENSIONS: frozenset[str] = frozenset(Format).union(*(f.extensions for f in FACTS.values()))
"""What the names of files that are read end in, without the point and in small letters."""

DEFAULT_FORMAT = Format.WEBP

SAME = "same"
"""The name, in place of a format, that asks for the format the picture comes in."""

AUTO = "auto"
"""The name, in place of a format, that leaves it open: the smallest file counts."""

AUTO_FORMATS = (Format.AVIF, Format.WEBP, Format.JPG, Format.PNG)
"""The formats that `AUTO` may become by default: every browser shows them."""

EXAMPLES = tuple(format for format in Format if format in AUTO_FORMATS and format.takes_auto)
"""The formats that documents name as a choice: of the same look, in other sizes."""


def facts_of(media_type: str) -> Facts:
    """The format that files of this media type, one of `READABLE`, are of."""
    return next(facts for facts in FACTS.values() if media_type in facts.kinds)


def same_format(media_type: str) -> Format | None:
    """The format that pictures of this media type are written in, None if there is none."""
    return next((format for format in Format if media_type in FACTS[format].kinds), None)


def frames_of(format: Format) -> tuple[str, ...]:
    """The kinds of file of which a result in this format gets all frames, and not the first one."""
    match format.output.frames:
        case Frames.NONE:
            return ()
        case Frames.OWN:
            return tuple(FACTS[format].kinds)
        case Frames.ALL:
            return tuple(
                kind for facts in FACTS.values() if facts.is_animated for kind in facts.kinds
            )


UNSUPPORTED = (
    f"Unsupported format; choose one of {', '.join((*Format, SAME, AUTO))}, or several of the "
    f"formats, such as {Format.WEBP},{Format.JPG}"
)


def is_same(name: object) -> bool:
    """Whether a client names the format that the picture comes in."""
    return isinstance(name, str) and name.strip().lower() == SAME


def is_auto(name: object) -> bool:
    """Whether a client leaves the format open without naming any."""
    return isinstance(name, str) and name.strip().lower() == AUTO


def parse_format(value: object) -> Format:
    """The format a client names, in any case and with blanks around it; None or "" is webp.

    Raises:
        UnsupportedFormat: if there is no such format.
    """
    if value is None or value == "":
        return DEFAULT_FORMAT
    name = value.strip().lower() if isinstance(value, str) else ""
    for format in Format:
        if name in (format, *format.output.aliases):
            return format
    raise UnsupportedFormat(UNSUPPORTED)


def is_open(value: object) -> bool:
    """Whether a client leaves the format open: `AUTO`, or a list, also in a text with commas."""
    if isinstance(value, str):
        return "," in value or is_auto(value)
    return isinstance(value, list | tuple) and bool(value)


def parse_formats(value: object, auto: Sequence[Format]) -> tuple[Format, ...]:
    """The formats that a client names in a list or a text, each once, in the order of `Format`.

    Args:
        auto: what `AUTO` stands for.

    Raises:
        UnsupportedFormat: if there is no such format, none is named, or another beside `AUTO`.
    """
    given = value.split(",") if isinstance(value, str) else value
    names = given if isinstance(given, list | tuple) else [given]
    names = [name.strip().lower() if isinstance(name, str) else False for name in names]
    names = [name for name in names if name != ""] or [False]
    if AUTO in names and len(set(names)) > 1:
        raise UnsupportedFormat(f"{AUTO} stands alone: leave it out, or the other formats")
    named = {each for name in names for each in (auto if name == AUTO else (parse_format(name),))}
    return tuple(format for format in Format if format in named)

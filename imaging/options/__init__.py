"""The options of a conversion beside format and quality: each declared once, in `Options`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from imaging.errors import TOO_MANY_BYTES
from imaging.formats import AUTO, EXAMPLES, Format
from imaging.options.declared import Declared, declared_by, option
from imaging.options.values import Bytes, Choice, Colour, Flag, Number, NumberOr, Real, Several

MAX_SIDE = 16_383
"""Pixels of the longest side that may be asked for; what WebP can hold at most (RFC 9649)."""


class Effort(StrEnum):
    """How long an encoder may search for a smaller file."""

    FAST = "fast"
    BALANCED = "balanced"
    SMALL = "small"


class Fit(StrEnum):
    """How a picture is brought to a width and a height; `Options.fit` says each."""

    INSIDE = "inside"
    COVER = "cover"
    CONTAIN = "contain"
    FILL = "fill"
    THUMB = "thumb"


class Gravity(StrEnum):
    """Which part `cover` keeps."""

    CENTRE = "centre"
    ATTENTION = "attention"


class Alpha(StrEnum):
    """The fate of transparency that the format does not hold, where no background is given."""

    FLATTEN = "flatten"
    REFUSE = "refuse"


class Damaged(StrEnum):
    """The fate of a file that was cut off, or whose pixels are damaged."""

    SHOW = "show"
    REFUSE = "refuse"


class Keep(StrEnum):
    """Metadata that stays."""

    COPYRIGHT = "copyright"  # EXIF Copyright and Artist
    LOCATION = "location"  # EXIF GPS
    DATE = "date"  # EXIF dates
    ICC = "icc"  # the picture's own colour space and its profile
    CREATION = "creation"  # the time the picture was made, and no other date


class Placeholder(StrEnum):
    """What a page shows until the picture is there."""

    THUMBHASH = "thumbhash"
    BLURHASH = "blurhash"
    COLOR = "color"


class Auto(StrEnum):
    """How a result has to look, where the server finds the quality."""

    AUTO = "auto"
    HIGH = "auto:high"
    LOW = "auto:low"


_ALIASES = {alias: format for format in Format for alias in format.output.aliases}
_LOSSLESS = ", ".join(format for format in Format if format.can_be_lossless)
_AUTO = ", ".join(format for format in Format if format.takes_auto)


@dataclass(frozen=True, slots=True)
class Options(Declared):
    """The options of one conversion. Equal ones, however they were written, are equal here. A field
    is all that an option needs: it is asked for, kept, told and documented by its declaration."""

    formats: tuple[Format, ...] = option(
        Several(Format, "A format that results are written in.", _ALIASES),
        (),
        f"Several formats: the result is of that which gives the smallest file at the same look. "
        f"`format` with a list, or with `{AUTO}`, says the same.",
        ",".join(EXAMPLES),
        changes_pixels=False,
    )
    lossless: bool = option(
        Flag(),
        False,
        f"Every pixel as it is; {_LOSSLESS}. Not with `q`.",
        "true",
        changes_pixels=False,
    )
    width: int | None = option(
        Number(1, MAX_SIDE, "pixels,"),
        None,
        "Pixels. One of width and height keeps the shape.",
        "640",
        resizes=True,
    )
    height: int | None = option(
        Number(1, MAX_SIDE, "pixels,"), None, "Pixels.", "480", resizes=True
    )
    fit: Fit = option(
        Choice(
            Fit,
            "`inside`: whole, within both, never enlarged. `cover`: fills both, what is over is "
            "cut off. `contain`: whole, with borders. `fill`: stretched to both. `thumb`: an "
            "object that stands free on a plain background is kept whole, with more of that "
            "background where needed; of any other picture the part where the eye goes first. "
            "Never enlarged.",
        ),
        Fit.INSIDE,
        f"How to get to the size: `{Fit.INSIDE}` if none is given, which is an error without a "
        f"size. All but `{Fit.INSIDE}` need a width and a height.",
        Fit.COVER,
        resizes=True,
    )
    gravity: Gravity = option(
        Choice(
            Gravity, "The middle, or where the eye goes first.", aliases={"center": Gravity.CENTRE}
        ),
        Gravity.CENTRE,
        f"What `fit={Fit.COVER}` keeps: `{Gravity.CENTRE}` if none is given, which is an error "
        "with another fit.",
        Gravity.ATTENTION,
        resizes=True,
    )
    trim: int | None = option(
        Number(0, 255),
        None,
        "Cuts off the border, before any resize: rows and columns at the edges whose pixels differ "
        "from the top left one by no more than this, of 255, in red, green, blue and alpha. A "
        "picture of one colour stays as it is. Of an animation what moves counts.",
        "10",
        looks_first=True,
    )
    sharpen: float | None = option(
        Real(0.5, 10),
        None,
        "Sharpens, after any resize: the standard deviation, in pixels, of the blur that edges are "
        "compared with. 0.5 to 1 suits a picture that was made smaller.",
        "0.8",
    )
    background: str | None = option(
        Colour(),
        None,
        "The colour that transparency and borders become, such as `ffffff` or `#fff`.",
        "ffffff",
    )
    alpha: Alpha = option(
        Choice(Alpha, "It becomes white, or the picture fails as `transparent`."),
        Alpha.FLATTEN,
        "What becomes of transparency that the format does not hold, without a `background`.",
        Alpha.REFUSE,
        changes_pixels=False,
    )
    damaged: Damaged = option(
        Choice(Damaged, "It is shown as far as it goes, or fails as `damaged`."),
        Damaged.SHOW,
        "What becomes of a file that was cut off, or whose pixels are damaged.",
        Damaged.REFUSE,
        changes_pixels=False,
    )
    effort: Effort | None = option(
        Choice(Effort, "The plain encoder, the best for about twice the time, or all it has."),
        None,
        "How long the encoder searches; the default is the setting `engine.effort`.",
        Effort.SMALL,
        changes_pixels=False,
    )
    keep: tuple[Keep, ...] = option(
        Several(Keep, "Metadata that may stay."),
        (),
        f"Metadata that stays: some of {','.join(Keep)}, with commas between them. "
        f"`{Keep.DATE}` is every date of the EXIF block, `{Keep.CREATION}` the time the picture "
        "was made.",
        "copyright,icc",
        changes_pixels=False,
    )
    placeholder: Placeholder | None = option(
        Choice(
            Placeholder,
            "A [ThumbHash](https://evanw.github.io/thumbhash/) in base64, a "
            "[BlurHash](https://blurha.sh), or the colour of its largest part, such as `#a0522d`.",
        ),
        None,
        "What a page shows until the result is there, in the details of the conversion.",
        Placeholder.THUMBHASH,
        changes_pixels=False,
    )
    max_bytes: int | None = option(
        Bytes(),
        None,
        "Bytes of the result at most; K is 1000 and M is 1000000. It gets the highest quality that "
        f"fits, up to the one that is asked for, and with `fit={Fit.INSIDE}` fewer pixels where "
        "that is not enough (in a palette, where that looks better than fewer colours); otherwise "
        f"it fails as `{TOO_MANY_BYTES}`.",
        "200000",
        changes_pixels=False,
    )

    q: Auto | None = option(
        NumberOr(
            Number(1, 100),
            Choice(Auto, "The look of a JPEG of 80, on average; a better one; a worse one."),
        ),
        None,
        "The quality of any lossy format: looks, on average, as a JPEG of that quality does. Wins "
        f"over `quality`. `{Auto.AUTO}`, `{Auto.HIGH}` and `{Auto.LOW}` find the smallest file "
        f"that looks right, as {_AUTO}; other formats are as they are without it.",
        "auto",
        changes_pixels=False,
    )
    """A number becomes the quality of the conversion, and is not kept here."""

    def for_format(self, format: Format | None) -> Self:
        """The options without those that mean nothing in a format; in none of several, where the
        format is left open."""
        formats = self.formats or ((format,) if format else ())
        takes_auto = not formats or any(each.takes_auto for each in formats)
        return self if takes_auto else replace(self, q=None)

    @property
    def resizes(self) -> bool:
        """Whether the picture may get another size."""
        return self.width is not None or self.height is not None

    @property
    def finds_eye(self) -> bool:
        """Whether the part that is kept is where the eye goes first, and not the middle."""
        return self.fit is Fit.THUMB or self.gravity is Gravity.ATTENTION


OPTIONS = declared_by(Options)
"""By the names that clients use, in a form, in JSON and in a query."""

OPTION_NAMES = frozenset(OPTIONS)

DEFAULTS = Options()

"""How a format is read and written, in the process that decodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from mmap import mmap
from typing import Protocol

import pyvips
from PIL import Image

from imaging.colour.said import NOTHING, Said
from imaging.data import Data
from imaging.limits import Limits
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY
from imaging.source import Source
from imaging.write.scale import Scale
from imaging.write.strips import Picture

CURVE = (
    *((1, 0.08), (10, 0.2), (20, 0.31), (30, 0.41), (40, 0.51), (50, 0.61), (60, 0.71)),
    *((70, 0.84), (80, 1.0), (89, 1.35), (90, 1.6), (95, 2.3), (100, 4.5)),
)
"""Bytes at each quality over those at 80: about the mean of the encoders on photographs."""

NO_METADATA = 0
"""libvips's number for no metadata."""

Load = Callable[..., pyvips.Image]


class Strip(Protocol):
    """Makes a file of a file's own pixels."""

    def __call__(self, data: bytes, exif: bytes | None, effort: Effort) -> bytes:
        """The file without its metadata, but with this EXIF block where there is one and the format
        has it.

        Raises:
            PictureError: if the file cannot be followed.
        """


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pixels are to be written."""

    quality: int
    """1 to 100, looks as a JPEG of this number does; 0 for the default."""
    effort: Effort
    lossless: bool = False
    """Whether every pixel stays as it is, where the format can do that."""
    keep: int = NO_METADATA
    """The metadata of the image that is written, libvips's number."""
    whole_chroma: bool = False
    """Whether chroma is as large as the picture at every quality, of a writer that has
    `fine_chroma`."""


Encode = Callable[[pyvips.Image, Encoding], bytes]
"""Makes a file of pixels: sRGB or grey, without alpha if the format has none; with `page-height`,
`delay` and `loop` an animation."""


class Recode(Protocol):
    """Makes a file of a file of another format, all pixels as they are."""

    def __call__(self, data: bytes, media_type: str, wanted: Encoding) -> bytes | None:
        """The file, or None where this is not what was asked for, or cannot be done.

        Args:
            media_type: of `data`.
        """


Plain = Callable[[Image.Image], bytes]
"""Makes a file, without metadata, of the pixels of a still, grey or red, green and blue, and with
alpha where the format has that."""


class Purpose(Enum):
    """The purpose of a file that is written while a quality is sought."""

    ROUGH = auto()  # less than that, where a part of the picture tells how far it is off
    GUESS = auto()  # about the look that a result has, in the least time
    LOOK = auto()  # the look of a result, by the lossy encoder; its bytes are of no account
    RESULT = auto()


@dataclass(frozen=True, slots=True)
class Sought:
    """How pixels are to be written at a quality that is sought."""

    quality: float
    """1 to 100; between 89, where chroma is halved, and 90 any number."""
    effort: Effort
    keep: int
    """The metadata of the image that is written, libvips's number."""
    whole_chroma: bool
    """Whether chroma is as large as the picture at every quality."""
    purpose: Purpose
    of_large: bool = False
    """Whether the picture is a large one, of which a second file takes long."""


Seek = Callable[[pyvips.Image, Sought], bytes]
"""Makes a file of pixels as `Encode` gets them, in memory, and not of an animation, in one way,
whose look follows the quality."""


Smaller = Callable[[float], bytes | None]
"""Makes a file of a picture, given the most bytes. It is None where the picture has no such file,
or one that clearly has more."""


@dataclass(frozen=True, slots=True)
class Large:
    """How large pictures are written while a quality is sought."""

    seek: Callable[[Image.Image, Sought], bytes]
    """As `Seek`, of grey or red, green and blue that Pillow has, without metadata."""
    read: Callable[[bytes], Image.Image]
    """As `read` of a writer."""
    with_metadata: Callable[[bytes, pyvips.Image, int], bytes]
    """The file that `seek` gives, with what is kept, libvips's number, of an image's metadata."""
    looks: Scale
    """Quality and look of the typical large picture, at each number where it matters."""


def loader(name: str) -> Load:
    """libvips's loader of this name, for a file in memory."""
    return partial(pyvips.Operation.call, f"{name}_buffer")


def _passed(data: Data, limits: Limits) -> None:
    """For a decoder that says the size before it decodes."""


def _nothing_said(data: Data) -> Said:
    return NOTHING


@dataclass(frozen=True, slots=True)
class Reader:
    """How files of a format are read."""

    load: Load | None = None
    """libvips's loader. libvips knows more (SVG, PDF, other programs): what is not named is never
    called. None if Pillow reads the format."""
    pillow: str | None = None
    """Pillow's reader, for what libvips cannot read; no other is ever tried."""
    check_for_pillow: Callable[[Data], None] = lambda data: None
    """Raises PictureError for a file that Pillow would take minutes to read."""
    check: Callable[[Data, Limits], None] = _passed
    """Raises PictureError if the header promises more than it may: what the decoder says too late
    or not at all. A struct.error is left to the decoder: it says what is wrong with the file."""
    said: Callable[[Data], Said] = _nothing_said
    """What the file says of its colours beside what the decoder hands on; struct.error, IndexError
    or ValueError where it cannot be followed."""
    inner: Callable[[Data, str], tuple[str, Data]] = lambda data, kind: (kind, data)
    """Kind and bytes of the one picture that is shown, given the bytes and the kind of the file."""
    mended: Callable[[Data], Data] = lambda data: data
    """The bytes as libvips's loader gets them."""
    decode: Callable[[Data, str, Limits, bool], Source | None] = lambda *given: None
    """The picture, by the format's own decoder where the file needs that, given the bytes, the
    kind, the limits, and whether all frames are wanted."""
    plain: Callable[[Data, tuple[int, int], mmap | None], Image.Image | None] = lambda *given: None
    """The pixels without metadata, given the bytes, the size as the loader tells it, and memory for
    them, if it is not to be Pillow's own, where Pillow gives the same ones in less time; None where
    the loader is to give them."""
    tiny: Callable[[Data, int], Image.Image | None] = lambda *given: None
    """The pixels of a tiny file that holds one upright frame in sRGB or grey, of 8 bit, given the
    bytes and the most pixels; None where more, anything else, or anything wrong, is in it, or
    libvips might give other pixels."""
    pages: bool = False
    """Whether libvips's loader gives all frames if it is asked."""
    is_lenient: bool = False
    """Whether libvips's loader gives black or grey for pixels that are not in the file, were it all
    of them."""
    check_whole: Callable[[Data, bool], None] | None = None
    """Raises PictureError if the file was cut off or its pixels are damaged, given the bytes and
    whether all frames count; None if libvips's loader is to say so. What costs no pixel is passed
    over: broken metadata, bytes behind the end."""
    shrink: Callable[[float], dict[str, float]] = lambda factor: {}
    """How libvips's loader is told to make a picture smaller by up to this factor, 1 or more."""
    quality: Callable[[Data], int | None] = lambda data: None
    """The quality of a JPEG that is as good as the file, where the file tells it: a higher one
    would only add bytes."""
    exif: Callable[[Data], Data] | None = None
    """The EXIF block of a file, where the decoder does not hand it on."""


@dataclass(frozen=True, slots=True)
class Writer:
    """How files of a format are written."""

    encode: Encode
    strip: Strip
    """In as few bytes as the effort allows, the pixels the same."""
    bare: Strip
    """The pixels as they are stored, whatever there is of them: no codec touches them. The last
    resort where the codec's own tools fail, or give more bytes than came in: a file that was cut
    off, arithmetic coding. The effort is of no account."""
    plain: Callable[[int, Encoding], Plain | None] = lambda *given: None
    """How so many pixels are written if Pillow has them, for the bytes of `encode`; None where that
    takes no less time. It raises OSError or ValueError where `encode` is to try."""
    seek: Seek | None = None
    """As `encode`, for a quality that is sought; None where that says enough."""
    of_graphic: Callable[[pyvips.Image, Effort, int], Sequence[Smaller]] = lambda *given: ()
    """Ways to write a graphic that looks the same whatever quality is sought, with a palette and
    without loss; none of a photograph. Given pixels as `seek` gets them, the effort, and the
    metadata that is written."""
    seeks_exactly: bool = False
    """Whether a tile looks the same in a file of its own, by `seek` for whatever purpose."""
    tiles_tell: bool = False
    """Whether the tiles of a large picture look in a file of their own about as they do in its."""
    follows: float = 1.0
    """How a picture's distance from 100 follows that of the typical one over the qualities, as an
    exponent: where a single look tells the way to the quality that is sought."""
    near: float = 6.0
    """How near the look of a guess is to the one wanted where a second one is not worth its time:
    from 6 points the way to the quality that is sought is known within one or two."""
    large: Large | None = None
    """How large pictures are sought, if their tiles look the same in a file of their own."""
    rough: float | None = None
    """As `guessed`, for `Purpose.ROUGH`; None if a part of a small picture, written as the result
    is to be, is not worth its time."""
    guessed: float = 1.0
    """A result's distance from 100 over that of a file of the same quality for `Purpose.GUESS`."""
    guessed_of_large: float | None = None
    """The same of a large picture, if that is another one."""
    seen_in_part: bool = False
    """Whether strips of a large picture's file are looked at in place of all of it, which takes as
    long as all else but the writing of the file."""
    is_small_enough: Callable[[Data, int, Effort], bool] = lambda *given: False
    """Whether a file says itself that writing it anew, at this quality (0 for the default) and
    effort, would not make it smaller, or by next to nothing."""
    strip_is_cheap: bool = False
    """Whether a strip takes no time to speak of, but for `Effort.SMALL`."""
    with_xmp: Callable[[bytes, bytes], bytes] | None = None
    """The file with an XMP packet put in, of a format whose readers look there for rights and
    times; None if they look into EXIF."""
    is_grey: bool = False
    """Whether it is written grey where the pixels are: a profile for grey is not valid in a file of
    red, green and blue."""
    has_profile: bool = True
    """Whether it holds a profile of its colours."""
    encode_limited: Encode | None = None
    """As `encode`, where a lower quality has to give fewer bytes whatever it looks like, or looks
    better at equal bytes; None if `encode` is as good."""
    fine_chroma: tuple[int, int] | None = None
    """Of a picture whose chroma is fine: the lowest quality at which whole chroma looks better than
    halved chroma in as many bytes, and by how much the quality of halved chroma is higher then;
    None if chroma is always halved, or always whole."""
    spoils_colours: bool = False
    """Whether a lower quality is fewer colours and nothing else, so that of some pictures, smooth
    ones above all, fewer pixels look better."""
    finest: int = 0
    """The quality up to which `encode_limited` gives more, where `encode` took more than was asked
    for; 0 if it never does."""
    default_quality: int = DEFAULT_QUALITY
    """The meaning of 0, from 1 to 100."""
    lowest_quality: int = 20
    """The lowest that is written to stay below a number of bytes: fewer pixels look better then."""
    curve: Sequence[tuple[float, float]] = CURVE
    """How the bytes of a picture depend on its quality, from 1 to 100: where a search begins."""
    searched: Sequence[tuple[float, Effort]] = (
        (1.5e6, Effort.SMALL),
        (6e6, Effort.BALANCED),
    )
    """Pixels of the largest picture that is written several times at an effort, rising: each time
    takes at most 7 s. A larger one is written at `Effort.FAST`."""
    flat: Callable[[Effort], float] = lambda effort: 1 / 256
    """Bytes for each pixel that a picture of one colour has at most."""
    read: Callable[[bytes], Picture] | None = None
    """The pixels of a file that was written, in memory, of grey too red, green and blue, where that
    takes less than libvips's loader does, of a small one a tenth; raises OSError if it cannot be
    decoded."""
    of_part: Callable[[pyvips.Image, Encoding, pyvips.Image], bytes] | None = None
    """A part of a photograph, given the whole too, as `encode` writes that by its lossy encoder:
    for the format of the fewest bytes. None if `encode` at `Effort.FAST` tells enough of it."""
    quick: Callable[[pyvips.Image, int], bytes] | None = None
    """A part of a picture, at a quality, in a third of the time of `of_part`, where that takes so
    long that what can be told without it is."""
    recoded: Recode = lambda *given: None
    """The file made of another one without decoding its pixels, where that is what is asked for,
    and can be done."""
    frames: Callable[[bytes, int], int] | None = None
    """How many frames a file has that should have so many at most, where libvips's loader does not
    say; raises PictureError if there are more."""

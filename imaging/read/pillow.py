"""What Pillow reads: the kinds of file that our libvips does not, and files that it cannot read."""

from __future__ import annotations

import io
import struct
import warnings

import pillow_heif
import pyvips
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base

from imaging.data import Data
from imaging.errors import ENDS_EARLY, TOO_MANY_PIXELS, PictureError
from imaging.limits import Limits
from imaging.read.boxes import inside, within
from imaging.read.profile import with_profile
from imaging.read.segments import EXIF_HEAD
from imaging.read.whole import damaged
from imaging.source import QUARTER_TURNS, Source

_PLAIN_WORDS = (
    (EOFError, ENDS_EARLY),
    (struct.error, ENDS_EARLY),
    (UnidentifiedImageError, "the file is broken, or of a variant that is not supported"),
    (NotImplementedError, "it is of a variant that is not supported"),
)
"""The texts in place of those of errors that mean nothing to people who sent a picture."""

_BANDS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


def decode(
    data: Data, kind: str, reader: str, limits: Limits, *, frames: bool = False, deep: bool = False
) -> Source:
    """The picture in `data`, decoded: the first frame.

    Args:
        reader: Pillow's name of the one that may read it; no other is tried.
        frames: whether all frames are wanted; then a file of several is refused.
        deep: with 16 bits a value, where a HEIC has more than 8.

    Raises:
        PictureError: if it cannot be read, or is too large by its header.
    """
    if reader == "HEIF":
        pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    Image.MAX_IMAGE_PIXELS = None  # counted here, with the limits that the settings have
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[reader]) as picture:
                limits.check_size(*picture.size)
                if frames and _has_second_frame(picture):
                    raise PictureError("only the first of its frames can be read")
                # From here on by Pillow too: there may be pictures inside of the picture.
                Image.MAX_IMAGE_PIXELS = limits.max_pixels
                if deep and reader == "HEIF":
                    image = _deep(data, picture.info.get("icc_profile"))
                else:
                    picture.load()
                    image = _to_vips(picture)
                orientation = _orientation(picture, data)
                if orientation > 1:
                    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
                turned = orientation in QUARTER_TURNS
                size = (image.height, image.width) if turned else (image.width, image.height)
                xmp = picture.info.get("xmp")
                return Source(kind, image, exif=_exif(picture), xmp=xmp, size=size)
    except (PictureError, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(str(error), TOO_MANY_PIXELS) from None
    except Exception as error:  # Pillow's readers raise whatever they come upon
        raise PictureError(f"the picture cannot be read: {_in_words(error)}") from None


def check_whole(data: Data, reader: str, *, all_frames: bool) -> None:
    """See whether the first frame, or each of them, can be decoded to its end.

    Args:
        data: a picture whose size is known to be small enough.
        reader: as of `decode`.

    Raises:
        PictureError: if not.
    """
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=[reader]) as picture:
            warnings.simplefilter("ignore")
            picture.load()
            while all_frames and _has_next(picture):
                picture.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise whatever they come upon
        raise damaged(_in_words(error)) from None


def _has_next(picture: Image.Image) -> bool:
    try:
        picture.seek(picture.tell() + 1)
    except EOFError:
        return False
    return True


def _has_second_frame(picture: Image.Image) -> bool:
    try:
        picture.seek(1)
    except EOFError:
        return False
    finally:
        picture.seek(0)
    return True


def _in_words(error: Exception) -> str:
    """What Pillow means, without names of its own or of Python's."""
    for kind, words in _PLAIN_WORDS:
        if isinstance(error, kind):
            return words
    text = str(error)
    # Its own sentences come as these; others are accidents in its code, over a broken file.
    told = isinstance(error, (OSError, SyntaxError, ValueError)) and " " in text
    return text if told and " object at 0x" not in text else "the file is broken"


def _to_vips(picture: Image.Image) -> pyvips.Image:
    if picture.mode.startswith("I"):  # 16 bit, as the readers give it in 32
        white = _white(picture)
        grey = picture.convert("I").point(lambda value: value * (256 / (white + 1))).convert("L")
        return _from_memory(grey)
    if picture.mode == "F":
        raise PictureError("floats are not supported here")
    if picture.mode not in _BANDS:
        has_alpha = "transparency" in picture.info or picture.mode in ("PA", "La", "RGBa")
        converted = picture.convert("RGBA" if has_alpha else "RGB")
        converted.info = picture.info
        return _from_memory(converted)
    return _from_memory(picture)


def _deep(data: Data, profile: bytes | None) -> pyvips.Image:
    """A HEIC with 16 bits a value, which Pillow does not have; its colours are multiplied by alpha
    if they are stored so."""
    picture = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    width, height = picture.size
    mode, _, bits = picture.mode.partition(";")
    deep = bits == "16"
    bands = _BANDS[mode.upper()]  # RGBa is RGBA multiplied by alpha
    size = bands * (2 if deep else 1)
    rows = memoryview(picture.data).cast("B")
    # A row may have bytes behind its pixels.
    packed = b"".join(rows[y * picture.stride :][: width * size] for y in range(height))
    image = pyvips.Image.new_from_memory(
        packed, width, height, bands, "ushort" if deep else "uchar"
    )
    grey = bands <= 2
    space = ("grey16" if grey else "rgb16") if deep else ("b-w" if grey else "srgb")
    image = image.copy(interpretation=space)
    return with_profile(image, profile) if profile else image


def _white(picture: Image.Image) -> int:
    """The number that is white in a picture of integers.

    Raises:
        PictureError: if that is not known.
    """
    if picture.format != "TIFF":
        return 2**16 - 1
    bits, black_is_zero = picture.tag_v2.get(258), picture.tag_v2.get(262) == 1  # type: ignore[attr-defined]
    if bits not in ((12,), (16,)) or not black_is_zero:
        raise PictureError(f"a TIFF of {bits} bits is not supported")
    return int(2 ** bits[0] - 1)


def _from_memory(picture: Image.Image) -> pyvips.Image:
    bands = _BANDS[picture.mode]
    image = pyvips.Image.new_from_memory(
        picture.tobytes(), picture.width, picture.height, bands, "uchar"
    )
    space = "cmyk" if picture.mode == "CMYK" else "b-w" if bands <= 2 else "srgb"
    image, profile = image.copy(interpretation=space), picture.info.get("icc_profile")
    return with_profile(image, profile) if profile else image


def _orientation(picture: Image.Image, data: Data) -> int:
    """How the picture, as Pillow gives it, is still to be turned.

    A HEIC says it in properties, which count alone and are applied already (ISO/IEC 23008-12,
    6.5.10), or, where a program has brought a JPEG's EXIF over and no more, in its EXIF.
    pillow-heif puts the number aside in either case.
    """
    if picture.format == "HEIF":
        number = 1 if _has_turn(data) else picture.info.get("original_orientation")
    else:
        number = picture.getexif().get(Base.Orientation)
    return number if isinstance(number, int) and 1 <= number <= 8 else 1


def _has_turn(data: Data) -> bool:
    """Whether a HEIC has a property of turning or mirroring, be it by nothing."""
    properties = next(within(data, b"meta", b"iprp", b"ipco"), None)
    return properties is not None and any(
        box.kind in (b"irot", b"imir") for box in inside(data, properties)
    )


def _exif(picture: Image.Image) -> bytes | None:
    exif = picture.info.get("exif")
    return bytes(exif).removeprefix(EXIF_HEAD) if exif else None

"""Nothing that a camera or a program has written stays, but what is asked for."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import pillow_heif
import pytest
from PIL import PngImagePlugin
from PIL.ExifTags import GPS, IFD, Base

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort, Keep
from tests.imaging.private import COPYRIGHT, DATE, DATE_OF_SHOT, PLACE, SECRETS, XMP, exif_block
from tests.imaging.profiles import display_p3
from tests.imaging.samples import ORIENTATION, assert_corners, corners, photo, stored, target
from tests.pictures import encoded, opened

pillow_heif.register_heif_opener()

WITH_EXIF = (Format.JPG, Format.WEBP, Format.PNG, Format.AVIF)
INPUTS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")


@cache
def _picture(kind: str, orientation: int = 1) -> bytes:
    """A file with all the metadata that its format has."""
    image = photo()
    image.paste(corners(), (0, 0))
    image = stored(image, orientation)
    options: dict[str, Any] = {"exif": exif_block(orientation).tobytes()}
    match kind:
        case "JPEG":
            options |= {"xmp": XMP, "comment": b"a secret comment", "quality": 95}
        case "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_text("Comment", "a secret comment")
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            options["pnginfo"] = text
        case "WEBP":
            options |= {"xmp": XMP, "lossless": True}
        case "AVIF" | "HEIF":
            options |= {"xmp": XMP, "quality": 95}
        case "TIFF":
            options["description"] = "a secret description"
    return encoded(image, kind, **options)


def _found(data: bytes) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """The tags of the root block, of the one named Exif, and of the place."""
    exif = opened(data).getexif()
    root = {tag: value for tag, value in exif.items() if tag not in (IFD.Exif, IFD.GPSInfo)}
    return root, dict(exif.get_ifd(IFD.Exif)), dict(exif.get_ifd(IFD.GPSInfo))


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("format", list(Format))
def test_nothing_is_left(format: Format, kind: str) -> None:
    data = _picture(kind)
    assert b"secret" in data
    result = convert(data, target(format, effort=Effort.BALANCED))
    for secret in (*SECRETS, display_p3()[100:140]):
        assert secret not in result, secret
    assert not opened(result).getexif()
    assert "xmp" not in opened(result).info


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.AVIF])
def test_nothing_is_left_without_loss_either(format: Format, lossless: bool) -> None:
    result = convert(_picture("TIFF"), target(format, lossless=lossless))
    assert not any(secret in result for secret in SECRETS)


@pytest.mark.parametrize(
    "keep",
    [
        keep
        for count in (1, 2, 3)
        for keep in itertools.combinations((Keep.COPYRIGHT, Keep.LOCATION, Keep.DATE), count)
    ],
    ids=",".join,
)
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("format", WITH_EXIF)
def test_what_is_kept_is_what_was_asked_for_and_no_more(
    format: Format, kind: str, keep: tuple[Keep, ...]
) -> None:
    result = convert(_picture(kind), target(format, keep=keep))
    root, block, place = _found(result)
    wanted = (COPYRIGHT if Keep.COPYRIGHT in keep else {}) | (DATE if Keep.DATE in keep else {})
    assert _without_technical(root) == wanted
    assert _without_technical(block) == (DATE_OF_SHOT if Keep.DATE in keep else {})
    found = {tag: value for tag, value in place.items() if tag != GPS.GPSVersionID}
    assert {tag: _plain(value) for tag, value in found.items()} == (
        PLACE if Keep.LOCATION in keep else {}
    )
    for secret in (
        b"secret maker",
        b"secret description",
        b"secret note",
        b"secret comment",
        b"<secret",
    ):
        assert secret not in result
    described = format is Format.PNG and kind != "PNG" and Keep.COPYRIGHT in keep
    assert (b"xmp" in result) == described


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("format", WITH_EXIF)
def test_what_is_kept_says_nothing_of_a_turn_that_was_made(
    format: Format, kind: str, orientation: int
) -> None:
    keep = (Keep.COPYRIGHT, Keep.LOCATION, Keep.DATE)
    result = convert(_picture(kind, orientation), target(format, width=80, keep=keep))
    assert opened(result).size == (80, 60)
    root, _, place = _found(result)
    assert root.get(ORIENTATION, 1) == 1
    assert root[Base.Artist] == COPYRIGHT[Base.Artist]
    assert place[GPS.GPSLatitudeRef] == "N"
    assert_corners(opened(result).crop((0, 0, 60, 40)))


@pytest.mark.parametrize("format", WITH_EXIF)
def test_of_nothing_nothing_is_kept(format: Format) -> None:
    result = convert(encoded(photo(), "TIFF"), target(format, keep=tuple(Keep)))
    assert not opened(result).getexif()
    assert not any(name in result for name in (b"Exif", b"eXIf", b"EXIF", b"xmp"))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"]
)
def test_metadata_that_is_broken_costs_nothing_but_itself(exif: bytes) -> None:
    data = encoded(corners(), "JPEG", exif=exif, quality=95)
    for format in Format:
        assert_corners(opened(convert(data, target(format, keep=tuple(Keep)))), by=16)


def _without_technical(tags: dict[int, Any]) -> dict[int, Any]:
    """The tags without those that EXIF demands of every file, whatever the picture."""
    technical = {
        *(ORIENTATION, Base.XResolution, Base.YResolution, Base.ResolutionUnit),
        *(Base.YCbCrPositioning, Base.ExifVersion, Base.ComponentsConfiguration),
        *(Base.FlashPixVersion, Base.ColorSpace, Base.ExifImageWidth, Base.ExifImageHeight),
    }
    return {tag: value for tag, value in tags.items() if tag not in technical}


def _plain(value: Any) -> Any:
    return tuple(float(part) for part in value) if isinstance(value, tuple) else value

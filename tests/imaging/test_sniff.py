"""The kind of a file by its first bytes."""

from __future__ import annotations

import filetype
import pytest

from imaging.errors import NotAnImage
from imaging.formats import READABLE
from imaging.formats.recognise import picture_type, readable_type
from imaging.formats.unreadable import KINDS as UNREADABLE

BOX = b"\0\0\0\x0cjP  \r\n\x87\n"


def _jpeg_2000(*brands: bytes) -> bytes:
    major, *others = brands
    size = (16 + 4 * len(others)).to_bytes(4, "big")
    return BOX + size + b"ftyp" + major + bytes(4) + b"".join(others) + bytes(8)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"II*\0\x08\0\0\0\0\0", "image/tiff"),
        (b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0", "image/tiff"),
        (b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10", "image/tiff"),
        (b"\xff\x4f\xff\x51\0\x2f\0\0", "image/j2c"),
        (_jpeg_2000(b"jp2 ", b"jp2 "), "image/jp2"),
        (_jpeg_2000(b"jpx ", b"jpx ", b"jp2 "), "image/jpx"),
        (_jpeg_2000(b"jpx ", b"jpxb"), "image/jpx"),
        (_jpeg_2000(b"jph ", b"jph "), "image/jpx"),
        (BOX, "image/jp2"),
        (b"\xff\x0a\x7c\x03", "image/jxl"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    ],
)
def test_what_can_be_read_is_known_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert readable_type(head) == kind


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"8BPS\0\1" + bytes(20), "PSD"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "CR3"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"II\xbc\1\x08\0\0\0", "JPEG XR"),
        (b"gimp xcf v011\0", "XCF"),
        (b"AC1032\0\0", "DWG"),
        (bytes(128) + b"DICM" + bytes(20), "DICOM"),
        (b"\x76\x2f\x31\x01\2\0\0\0", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf <svg/>", "SVG"),
        (_jpeg_2000(b"jpm ", b"jpm "), "JPM"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(head: bytes, name: str) -> None:
    with pytest.raises(NotAnImage, match=rf"^{name}\b.* is not supported; send one of JPEG, PNG"):
        readable_type(head)


@pytest.mark.parametrize(
    "head", [b"", b"plain text", b"<?xml version='1.0'?><html/>", b"II", b"II\x2b\0\x10\0\0\0"]
)
def test_what_is_not_a_picture_is_said_to_be_none(head: bytes) -> None:
    assert picture_type(head) is None
    with pytest.raises(NotAnImage, match=r"^The file is not a picture$"):
        readable_type(head)


def test_every_kind_that_the_library_knows_is_read_or_named() -> None:
    known = {kind.mime for kind in filetype.image_matchers}
    assert known <= READABLE.keys() | UNREADABLE.keys()
    assert not READABLE.keys() & UNREADABLE.keys()

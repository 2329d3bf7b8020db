"""Rights, and the time a picture was made, stay where they are asked for, whatever held them."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, PngImagePlugin
from PIL.ExifTags import IFD, Base

from imaging.convert import convert
from imaging.formats import Format
from imaging.formats.png.chunks import chunk, chunks
from imaging.options import Effort, Keep
from imaging.read import xmp
from imaging.read.moment import from_exif, from_iptc, from_iso
from tests.imaging.samples import corners, photo, target
from tests.pictures import encoded, opened

pillow_heif.register_heif_opener()

OWNER = "Copyright Voormedia"
MADE = "2011-10-24T16:57:48+02:00"
KEEP = (Keep.COPYRIGHT, Keep.CREATION)

RDF = (
    "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:exif='http://ns.adobe.com/exif/1.0/' "
    "xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/'{attributes}>{properties}"
    "</rdf:Description></rdf:RDF></x:xmpmeta>{padding}<?xpacket end='w'?>"
)


def _packet(properties: str = "", attributes: str = "", padding: int = 0) -> bytes:
    filled = {"properties": properties, "attributes": attributes, "padding": " " * padding}
    return RDF.format(**filled).encode()


def _rights(text: str = OWNER) -> str:
    return (
        "<dc:rights><rdf:Alt><rdf:li xml:lang='fr'>a secret other one</rdf:li>"
        f"<rdf:li xml:lang='x-default'>{text}</rdf:li></rdf:Alt></dc:rights>"
        "<dc:subject><rdf:Bag><rdf:li>a secret subject</rdf:li></rdf:Bag></dc:subject>"
    )


def logo() -> bytes:
    """As the official suites of Tinify have it: 137 × 21 with smooth edges and alpha, 15 kB of XMP,
    a pixel density and the primaries of its colours."""
    size, scale = (137, 21), 4
    large = (size[0] * scale, size[1] * scale)
    shape = Image.new("L", large, 0)
    draw = ImageDraw.Draw(shape)
    draw.text((24 * scale, -1 * scale), "Voormedia", 255, ImageFont.load_default(17 * scale))
    draw.ellipse((1 * scale, 2 * scale, 20 * scale, 20 * scale), 255)
    draw.ellipse((6 * scale, 7 * scale, 15 * scale, 16 * scale), 90)
    colours = Image.merge("RGB", [Image.linear_gradient("L").resize(large)] * 3)
    colours = ImageChops.add(colours, Image.new("RGB", large, (40, 70, 110)), 2)
    colours.putalpha(shape)
    image = colours.resize(size, Image.Resampling.LANCZOS)
    text = PngImagePlugin.PngInfo()
    packet = _packet(_rights(), f" xmp:CreateDate='{MADE}' photoshop:DateCreated='{MADE}'")
    text.add_itxt("XML:com.adobe.xmp", packet.decode() + " " * (15_100 - len(packet)))
    data = encoded(image, "PNG", pnginfo=text, dpi=(72, 72))
    primaries = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    return data[:33] + chunk(b"cHRM", primaries) + data[33:]


def _of(result: bytes) -> tuple[str | None, str | None]:
    """Rights and time that a result tells, where its format has them."""
    image = opened(result)
    if image.format == "PNG":
        (texts,) = [body for kind, body, _ in chunks(result) if kind == b"iTXt"]
        found = xmp.read(texts.split(b"\0", 5)[5])
        return found.get(xmp.RIGHTS), found.get(xmp.TIMES[2])
    exif = image.getexif()
    block = exif.get_ifd(IFD.Exif)
    text = exif.get(Base.Copyright)
    when = from_exif(block.get(Base.DateTimeOriginal, ""), block.get(Base.OffsetTimeOriginal, ""))
    rights = text.encode("latin-1").decode() if isinstance(text, str) else None
    return rights, when.iso if when else None


def _jpeg(**given: Any) -> bytes:
    return encoded(photo(), "JPEG", quality=90, **given)


FORMATS = (Format.JPG, Format.WEBP, Format.AVIF, Format.PNG)


def test_the_size_bounds_of_the_official_suites_hold() -> None:
    data = logo()
    assert len(data) > 15_000

    def shrunk(format: Format = Format.PNG, **options: Any) -> bytes:
        return convert(data, target(format, 0, Effort.SMALL, **options))

    png = shrunk()
    assert 1000 < len(png) < 1500
    assert opened(png).size == (137, 21)
    assert OWNER.encode() not in png
    small = shrunk(width=50, height=20, fit="inside")
    assert opened(small).size == (50, 8)
    assert 500 < len(small) < 1000
    kept = shrunk(keep=KEEP)
    assert OWNER.encode() in kept
    assert 1000 < len(kept) < 2000
    assert len(kept) - len(png) <= 400
    assert _of(kept) == (OWNER, MADE)
    both = shrunk(width=50, height=20, keep=KEEP)
    assert OWNER.encode() in both
    assert 500 < len(both) < 1150
    assert len(shrunk(keep=(Keep.COPYRIGHT, Keep.LOCATION))) < 2000
    assert len(shrunk(Format.WEBP)) < len(png)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.SMALL])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_xmp_is_read_in_every_format(kind: str, effort: Effort, format: Format) -> None:
    properties = _rights("© Zoë &amp; &lt;Söhne>") + f"<xmp:CreateDate>{MADE}</xmp:CreateDate>"
    packet, image = _packet(properties, padding=99), photo(40, 30)
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet.decode())
        data = encoded(image, "PNG", pnginfo=text)
    elif kind == "TIFF":
        data = encoded(image, "TIFF", tiffinfo={700: packet})
    else:
        data = encoded(image, kind, xmp=packet, quality=90)
    result = convert(data, target(format, effort=effort, keep=KEEP))
    assert _of(result) == ("© Zoë & <Söhne>", MADE)
    assert b"secret" not in result
    nothing = convert(data, target(format, effort=effort, keep=(Keep.LOCATION, Keep.DATE)))
    assert not opened(nothing).getexif()
    assert "Söhne".encode() not in nothing


@pytest.mark.parametrize("format", FORMATS)
def test_what_exif_says_comes_first(format: Format) -> None:
    exif = Image.Exif()
    exif[Base.Copyright] = "© of EXIF".encode()
    exif[IFD.Exif] = {
        Base.DateTimeOriginal: "2020:01:02 03:04:05",
        Base.OffsetTimeOriginal: "-05:00",
        Base.DateTimeDigitized: "1987:01:01 00:00:00",
    }
    data = _jpeg(exif=exif, xmp=_packet(_rights(), f" xmp:CreateDate='{MADE}'"))
    result = convert(data, target(format, keep=KEEP))
    assert _of(result) == ("© of EXIF", "2020-01-02T03:04:05-05:00")
    assert b"1987" not in result
    assert OWNER.encode() not in result


def _iptc(*sets: tuple[int, int, bytes]) -> bytes:
    block = b"".join(struct.pack(">BBBH", 0x1C, *set_[:2], len(set_[2])) + set_[2] for set_ in sets)
    other = b"8BIM" + struct.pack(">HBx", 0x03ED, 0) + struct.pack(">I", 3) + b"abc\0"
    name = b"\x03odd"  # padded to an even length
    resource = b"8BIM" + struct.pack(">H", 0x0404) + name + struct.pack(">I", len(block)) + block
    return b"Photoshop 3.0\0" + other + resource


@pytest.mark.parametrize("format", FORMATS)
def test_iptc_is_read_where_nothing_else_says_it(format: Format) -> None:
    block = _iptc(
        (1, 90, b"\x1b%G"),
        (2, 5, b"a secret title"),
        (2, 55, b"20111024"),
        (2, 60, b"165748+0200"),
        (2, 116, "© IPTC".encode()),
    )
    plain = _jpeg()
    data = plain[:2] + struct.pack(">HH", 0xFFED, len(block) + 2) + block + plain[2:]
    result = convert(data, target(format, keep=KEEP))
    assert _of(result) == ("© IPTC", MADE)
    assert b"secret" not in result


ENTITIES = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
OUTSIDE = "<!DOCTYPE x [<!ENTITY b SYSTEM 'file:///etc/hostname'>]>"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\xff\xfe\x00",
        b"<rdf:RDF>",
        _packet(_rights())[:-40],
        _packet(_rights() + "<a>"),
        ENTITIES.encode() + _packet(_rights("&b;")),
        OUTSIDE.encode() + _packet(_rights("&b;")),
        _packet(_rights(), padding=xmp.MAX_XMP),
        _packet("<a>" * 60_000 + "</a>" * 60_000),
    ],
    ids=["empty", "garbage", "open", "cut", "crossed", "entities", "outside", "large", "deep"],
)
def test_a_packet_that_is_not_one_costs_nothing_but_itself(packet: bytes) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode("latin-1"))
    assert not xmp.read(packet) or packet.startswith(b"<?xpacket")
    data = encoded(corners(), "PNG", pnginfo=text)
    result = convert(data, target(Format.PNG, keep=KEEP))
    assert OWNER.encode() not in result
    assert np.array_equal(np.asarray(opened(result).convert("RGB")), np.asarray(corners()))


def test_utf_16_and_a_plain_value_are_read() -> None:
    text = _packet("<dc:rights>plain</dc:rights>", " photoshop:DateCreated='2011-10'").decode()
    found = xmp.read(text.encode("utf-16"))
    assert found == {xmp.RIGHTS: "plain", xmp.TIMES[1]: "2011-10"}
    attribute = _packet("", " dc:rights='an attribute'")
    assert xmp.read(attribute) == {xmp.RIGHTS: "an attribute"}


def test_a_long_text_is_cut_off() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", _packet(_rights("ab" * 100_000)).decode())
    data = encoded(photo(), "PNG", pnginfo=text)
    for format in FORMATS:
        assert _of(convert(data, target(format, keep=KEEP))) == ("ab" * 1000, None)


@pytest.mark.parametrize(
    ("iso", "exif", "offset"),
    [
        (MADE, "2011:10:24 16:57:48", "+02:00"),
        ("2011-10-24T16:57Z", "2011:10:24 16:57:  ", "+00:00"),
        ("2011-10-24", "2011:10:24   :  :  ", ""),
        ("2011", "2011:  :     :  :  ", ""),
    ],
)
def test_a_time_is_written_as_exif_has_it(iso: str, exif: str, offset: str) -> None:
    moment = from_iso(iso)
    assert moment is not None
    assert (moment.exif, moment.exif_offset) == (exif, offset)
    assert moment.iso == iso
    again = from_exif(exif, offset)
    assert again is not None
    assert again.parts == moment.parts


@pytest.mark.parametrize("text", ["", "yesterday", "2011:10:24", "20111024", "2011-10-24T16"])
def test_what_is_no_time_counts_as_none(text: str) -> None:
    assert from_iso(text) is None
    assert from_exif(text) is None


def test_exif_of_a_camera_whose_clock_was_not_set_says_nothing() -> None:
    assert from_exif("0000:00:00 00:00:00") is None
    assert from_exif("    :  :     :  :  ") is None
    assert from_iptc("00000000", "") is None


def test_an_animation_has_it_too() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", _packet(_rights()).decode())
    buffer = io.BytesIO()
    frames = [corners(), corners().rotate(90, expand=True).resize(corners().size)]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], pnginfo=text)
    for format in (Format.PNG, Format.WEBP):
        result = convert(buffer.getvalue(), target(format, keep=KEEP))
        assert opened(result).n_frames == 2  # type: ignore[attr-defined]
        assert _of(result)[0] == OWNER

"""A picture of the kind that the official suites of TinyPNG's clients use."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 137, 21

COPYRIGHT = "Copyright Example Works"
CREATED = "2015-05-11T14:17:39+02:00"

XMP_SIZE = 15_000

_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{COPYRIGHT}</rdf:li></rdf:Alt></dc:rights>
<xmpRights:Marked>True</xmpRights:Marked><xmp:CreateDate>{CREATED}</xmp:CreateDate>
<photoshop:DateCreated>{CREATED}</photoshop:DateCreated>
</rdf:Description></rdf:RDF></x:xmpmeta>{{padding}}<?xpacket end="w"?>"""


@cache
def wordmark() -> bytes:
    """137 × 21 pixels with alpha, some 2 kB of them, and 15 kB of XMP that is not compressed."""
    buffer = io.BytesIO()
    _drawn().save(buffer, "PNG")
    plain = buffer.getvalue()
    room = XMP_SIZE - len(_XMP.format(padding="").encode())
    xmp = _XMP.format(padding=" " * room).encode()
    chunk = b"iTXt" + b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    behind_header = 8 + 25
    return plain[:behind_header] + text + plain[behind_header:]


def _drawn() -> Image.Image:
    """A name in many colours, smooth at its edges, on nothing."""
    scale = 4
    mask = Image.new("L", (WIDTH * scale, HEIGHT * scale))
    font = ImageFont.load_default(20 * scale)
    ImageDraw.Draw(mask).text((0, -4 * scale), "example works", 255, font)
    mask = mask.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for x in range(WIDTH):
        step = x - x % 26
        colour = (40 + step, 90, 200 - step)
        ImageDraw.Draw(image).line((x, 0, x, HEIGHT), colour)
    image.putalpha(mask)
    return image

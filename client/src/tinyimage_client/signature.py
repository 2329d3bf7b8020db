"""The first bytes of a result: whether it is a picture of its format."""

from __future__ import annotations

import re

_SIGNATURES = {
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "gif": re.compile(rb"GIF8[79]a"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "avif": re.compile(rb"....ftyp(?:.{4}){1,64}", re.DOTALL),
    "jxl": re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n"),
}
"""How files of the formats begin, by their names in the API."""


def looks_like(format: str, data: bytes) -> bool:
    """Whether the bytes begin as a file of the format does. Of a format that is not known here,
    which a newer server may write, whether there are any."""
    signature = _SIGNATURES.get(format)
    if signature is None:
        return bool(data)
    begins = signature.match(data[:64]) is not None
    return begins and (format != "avif" or b"avi" in data[8:64])

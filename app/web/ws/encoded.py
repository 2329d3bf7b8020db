"""The `data` of a message: a picture in base64, as programs and browsers write it."""

from __future__ import annotations

import binascii
import re

from app.core.errors import DecodeError, SizeExceeded

_DATA_URL = re.compile(r"\s*data:([^,]{0,1000}),", re.IGNORECASE)

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
"""The alphabet of RFC 4648, section 5, to that of section 4."""

_BLANKS = b" \t\r\n\f"

_ESCAPES = {"%2B": "+", "%2F": "/", "%3D": "=", "%0D": "", "%0A": "", "%20": ""}
"""Characters of base64 that are escaped in a URL."""


def decode_data(encoded: str, max_size: int) -> bytes:
    """The bytes of a text in base64: with blanks and line breaks, in either alphabet,
    with its padding or without, or as a `data:` URL (RFC 2397). One pass over the text each.

    Raises:
        DecodeError: if it is not such a text.
        SizeExceeded: if there are more than `max_size` bytes.
    """
    if match := _DATA_URL.match(encoded):
        if not match[1].rstrip().lower().endswith(";base64"):
            raise DecodeError("The data: URL should be in base64")
        encoded = encoded[match.end() :]
        if "%" in encoded:
            for escape, character in _ESCAPES.items():
                encoded = encoded.replace(escape, character).replace(escape.lower(), character)
    try:
        text = encoded.encode("ascii").translate(_URL_SAFE, _BLANKS)
    except UnicodeEncodeError:
        raise DecodeError("'data' is not base64") from None
    digits = len(text.rstrip(b"="))
    missing = -digits % 4
    if not digits or missing == 3 or len(text) - digits not in (0, missing):
        raise DecodeError("'data' is not base64")
    if digits * 3 // 4 > max_size:
        raise SizeExceeded(f"The picture is larger than {max_size} bytes")
    if len(text) == digits and missing:
        text += b"=" * missing
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise DecodeError("'data' is not base64") from None

"""File names as clients send them, and as they get them back."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import quote

MAX_LENGTH = 200
"""Characters of a name that are kept."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""Control characters, and marks that turn the direction of a name's display around."""

_FORM_ESCAPES = (("%0A", "\n"), ("%0D", "\r"), ("%22", '"'))
"""All characters that a form escapes in a name; a % in the name itself stays unescaped (WHATWG
HTML, "multipart/form-data encoding algorithm")."""

_ATTR_CHAR = "!#$&+-.^_`|~"
"""Characters that RFC 8187 leaves unescaped in an extended value, beside letters and digits."""


def form_filename(value: str) -> str:
    """The name that a browser or curl has sent as the `filename` of a form."""
    for escape, character in _FORM_ESCAPES:
        value = value.replace(escape, character)
    return value


def clean_filename(name: str) -> str:
    """The name alone, without folders and control characters; "picture" if nothing is left."""
    name = name.encode("utf-8", "replace").decode("utf-8").replace("\\", "/")
    name = _CONTROL.sub("", PurePosixPath(name).name).strip()
    if len(name) > MAX_LENGTH:
        suffix = PurePosixPath(name).suffix[:16]
        name = name[: MAX_LENGTH - len(suffix)] + suffix
    return name if name.strip(".") else "picture"


def content_disposition(filename: str, extension: str) -> str:
    """The Content-Disposition of a download: the original's name with the new extension (RFC 6266).

    The plain form is for old clients, ASCII only; the extended one has the whole name.
    """
    # Whether a dot at the end is a suffix depends on the version of Python.
    name = f"{PurePosixPath(filename.rstrip('.')).stem or 'picture'}.{extension}"
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    value = f'attachment; filename="{plain}"'
    if plain != name:
        value += f"; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"
    return value

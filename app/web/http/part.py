"""The headers of one part of a multipart form (RFC 7578, section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from encodings.aliases import aliases

from app.core.errors import InvalidForm
from app.core.picture.filenames import clean_filename, form_filename

IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
"""Values of Content-Transfer-Encoding under which the bytes are as they stand (RFC 2045, 6.2)."""

_CHARSETS = frozenset(aliases) | frozenset(aliases.values())
"""What a charset may be called: Python keeps each unknown name it was ever asked for."""


_USUAL_HEADERS = {b"content-disposition", b"content-type", b"content-length"}
_USUAL_DISPOSITION = re.compile(rb'form-data; name="(\w+)"(?:; filename="([\w.+-]*)")?')
_USUAL_TYPE = re.compile(rb"[a-z]+/[a-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class PartHead:
    """The headers of a part, parsed."""

    name: str
    filename: str | None
    """As the client has it; None if the part has none, "" if it is empty."""
    media_type: str | None
    """In lower case; None if it is not given."""
    charset: str | None
    """Of a text; None if it is not given."""
    encoding: str
    """The Content-Transfer-Encoding in lower case; "" if it is not given."""

    @property
    def clean_filename(self) -> str:
        """The name alone; "picture" if there is none."""
        return clean_filename(self.filename or "")

    def check_encoding(self) -> None:
        """Return if the bytes are as they stand.

        Raises:
            InvalidForm: if they are encoded.
        """
        if self.encoding not in IDENTITY:
            raise InvalidForm(
                f"The part '{self.name}' has a Content-Transfer-Encoding; send its bytes as "
                "they are"
            )


def read_head(headers: dict[bytes, bytes]) -> PartHead:
    """The head of a part.

    Args:
        headers: by their names in lower case.

    Raises:
        InvalidForm: if they cannot be read.
    """
    try:
        return _read_usual(headers) or _read_head(headers)
    except (ValueError, LookupError):
        raise InvalidForm("The headers of a part cannot be read") from None


def _read_usual(headers: dict[bytes, bytes]) -> PartHead | None:
    """The head as nearly all clients write it: plain names in quotes, and nothing that would have
    to be decoded. None if it is another, which `_read_head` reads at ten times the cost."""
    if not headers.keys() <= _USUAL_HEADERS:
        return None
    disposition = _USUAL_DISPOSITION.fullmatch(headers.get(b"content-disposition", b""))
    media_type = headers.get(b"content-type")
    if disposition is None or (media_type is not None and not _USUAL_TYPE.fullmatch(media_type)):
        return None
    name, filename = disposition.groups()
    return PartHead(
        name=name.decode("ascii"),
        filename=None if filename is None else filename.decode("ascii"),
        media_type=None if media_type is None else media_type.decode("ascii"),
        charset=None,
        encoding="",
    )


def _read_head(headers: dict[bytes, bytes]) -> PartHead:
    message = Message()
    for name in ("content-disposition", "content-type"):
        if (value := headers.get(name.encode())) is not None:
            message[name] = value.decode("latin-1")
    # As with RFC 8187, which some clients send though RFC 7578 tells them not to: the extended form
    # wins, as it is the one that was made for the name, if it can be read.
    parameters = _parameters(message, "content-disposition")
    filename = _extended(headers.get(b"content-disposition", b"")) or parameters.get("filename")
    encoding = headers.get(b"content-transfer-encoding", b"").decode("latin-1").strip().lower()
    return PartHead(
        name=parameters.get("name", ""),
        filename=filename,
        media_type=message.get_content_type() if "content-type" in message else None,
        charset=_parameters(message, "content-type").get("charset"),
        encoding=encoding,
    )


def decode_text(data: bytes, charset: str | None) -> str:
    """The text of a field; what is not such text becomes U+FFFD.

    Raises:
        InvalidForm: if there is no such charset.
    """
    name = (charset or "utf-8").strip().lower().replace("-", "_")
    if name not in _CHARSETS:
        raise InvalidForm("A field has an unknown charset")
    try:
        return data.decode(name, "replace")
    except (LookupError, ValueError):  # a coding that is not one of text
        raise InvalidForm("A field has an unknown charset") from None


def _parameters(message: Message, header: str) -> dict[str, str]:
    """The plain parameters of a header, by their names in lower case."""
    found: dict[str, str] = {}
    for key, value in message.get_params([], header=header)[1:]:
        if isinstance(value, str):  # else it is an extended one
            text = value.encode("latin-1", "replace").decode("utf-8", "replace")
            name = key.lower()
            found.setdefault(name, form_filename(text) if name == "filename" else text)
    return found


def _extended(disposition: bytes) -> str | None:
    """The `filename*` of a Content-Disposition (RFC 8187, and in pieces as RFC 2231 has it); None
    if there is none that can be read."""
    message = Message()
    message["content-disposition"] = disposition.decode("latin-1")
    value = message.get_param("filename", header="content-disposition")
    for name, given in message.get_params([], header="content-disposition")[1:]:
        if name.lower() == "filename" and isinstance(given, tuple):
            value = given
    if not isinstance(value, tuple):
        return None
    charset, _, text = value
    name = (charset or "utf-8").lower().replace("-", "_")
    if name not in _CHARSETS:
        return None
    try:
        return text.encode("latin-1").decode(name)
    except (LookupError, ValueError):
        return None

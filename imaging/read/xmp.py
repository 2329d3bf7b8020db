"""What an XMP packet (ISO 16684-1) says of rights and of the time a picture was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from imaging.data import Data

MAX_XMP = 2**20
"""Bytes of a packet that is looked at. One with a large history has some 100 KB; above are depth
maps and thumbnails, for which XMP has an extension."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
_DESCRIPTION, _LI = f"{_RDF}Description", f"{_RDF}li"
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"
_DEFAULT = "x-default"

RIGHTS = "http://purl.org/dc/elements/1.1/ rights"
TIMES = (
    "http://ns.adobe.com/exif/1.0/ DateTimeOriginal",
    "http://ns.adobe.com/photoshop/1.0/ DateCreated",
    "http://ns.adobe.com/xap/1.0/ CreateDate",
)
"""The time of the picture, and that of the file only where there is none (Metadata Working Group,
Guidelines 2.0, 5.3)."""

_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How a packet in UTF-16 begins."""


class _Refused(Exception):
    """The packet has what no packet needs."""


@dataclass(slots=True)
class _Found:
    """What is read of a packet, element by element; nothing is kept but what is looked for."""

    values: dict[str, str] = field(default_factory=dict)
    """By the property's name, the first of each or, of rights, that for every language."""
    _path: list[str] = field(default_factory=list)
    _property: str | None = None
    _language: str | None = None
    _text: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        wanted = self._path[-1:] == [_DESCRIPTION] and name in (RIGHTS, *TIMES)
        self._path.append(name)
        if name == _DESCRIPTION and self._property is None:
            for attribute in (RIGHTS, *TIMES):
                if attribute in attributes:
                    self._keep(attribute, attributes[attribute])
        if wanted:
            self._property = name
        if wanted or name == _LI:
            self._language, self._text = attributes.get(_LANGUAGE), []

    def text(self, text: str) -> None:
        if self._property is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        self._path.pop()
        if self._property is not None and name in (_LI, self._property):
            self._keep(self._property, "".join(self._text), self._language)
            self._text = []
        if name == self._property:
            self._property = None

    def _keep(self, name: str, value: str, language: str | None = None) -> None:
        value = value.strip()
        if value and (name not in self.values or language == _DEFAULT):
            self.values[name] = value


def read(packet: Data) -> dict[str, str]:
    """The values of `RIGHTS` and `TIMES` that a packet has, as they are written; none of a packet
    that is larger than `MAX_XMP`, not well-formed, or has a document type, as no packet needs one
    and entities are declared in it."""
    if len(packet) > MAX_XMP:
        return {}
    found = _Found()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.text
    text = bytes(packet)
    if not text.startswith(_WIDE) and b"\0" not in text[:4]:
        text = text.rstrip(b"\0")  # as some programs end it; of UTF-16 it is part of a character
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, _Refused):
        return {}
    return found.values


def _refuse(*declared: object) -> None:
    raise _Refused

"""An XMP packet (ISO 16684-1) of as few bytes as hold what is to be kept."""

from __future__ import annotations

import re

_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"""What XML 1.0 does not hold, as the zero between EXIF's two holders of a copyright."""

_PACKET = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about=""{attributes}>{properties}</rdf:Description></rdf:RDF>'
)
"""Without its wrapper and the element x:xmpmeta, both of which may be left out (7.3.3 and 7.5)."""
_RIGHTS = '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:rights>'


def packet(rights: str | None, created: str | None) -> bytes | None:
    """The packet, None if there is nothing to be kept.

    Args:
        rights: their owner, for every language.
        created: the time in the form of ISO 8601 that XMP has.
    """
    attributes = properties = ""
    if rights:
        from html import escape  # not before: few pictures need what it brings

        attributes += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        properties = _RIGHTS.format(escape(_CONTROL.sub("; ", rights), quote=False))
    if created:
        attributes += f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="{created}"'
    if not attributes:
        return None
    return _PACKET.format(attributes=attributes, properties=properties).encode()

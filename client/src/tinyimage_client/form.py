"""The body of an upload."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from tinyimage_client.source import Source


class Form:
    """A multipart form around a picture (RFC 7578)."""

    def __init__(self, fields: Mapping[str, str], source: Source) -> None:
        boundary = f"tinyimage-{secrets.token_hex(16)}"
        # The fields first: the server can refuse them before the picture comes.
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; '
            f'filename="{_quoted(source.name)}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        self.head = "".join(parts).encode()
        self.tail = f"\r\n--{boundary}--\r\n".encode()
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(self.head) + source.size + len(self.tail)),
        }


def _quoted(name: str) -> str:
    """A file name as browsers write it into a form. What is not Unicode becomes `?`."""
    name = name.encode("utf-8", "replace").decode()
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

"""Other servers, measured beside this one with the same pictures."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.client import Connection
from bench.errors import BenchError
from bench.load import ImaginaryLoad, Load
from imaging.formats import Format

KINDS: dict[str, type[Load]] = {"older": Load, "imaginary": ImaginaryLoad}
"""How each kind of server is spoken to; `older` is the API that is kept, so this server too."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that runs already."""

    name: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}=http://{self.host}:{self.port}"

    def load(self, format: Format, quality: int, concurrency: int) -> Load:
        """The crowd of its clients."""
        return KINDS[self.name](
            self.host, self.port, format=format, quality=quality, concurrency=concurrency
        )

    def check(self) -> None:
        """Return if it can be reached.

        Raises:
            BenchError: if not.
        """

        async def connect() -> None:
            connection = Connection(self.host, self.port)
            try:
                await connection.open()
            finally:
                connection.close()

        try:
            asyncio.run(connect())
        except OSError as error:
            raise BenchError(
                f"the peer {self} cannot be reached: {error.strerror or error}"
            ) from None


def parse_peer(text: str) -> Peer:
    """`NAME=URL` for argparse."""
    name, _, url = text.partition("=")
    if name not in KINDS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(KINDS)}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host = None
    if host is None or parts.scheme != "http" or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError(f"{url!r} should be such as http://127.0.0.1:8080")
    return Peer(name, host, port)

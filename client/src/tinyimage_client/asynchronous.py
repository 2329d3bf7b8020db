"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Self

from tinyimage_client.conversion import Conversion, OptionValue
from tinyimage_client.errors import NotAServer, Refused
from tinyimage_client.link import Link, json_of
from tinyimage_client.progress import Progress, unheard
from tinyimage_client.result import Result
from tinyimage_client.server import About, Fields
from tinyimage_client.source import Source, read_source
from tinyimage_client.way import SHOWN_SECONDS, WAIT_SECONDS, Way

PATIENCE = 120.0
"""Seconds for which a server may be away, as while it is started anew."""


class AsyncClient:
    """A TinyImage Server, for asyncio. Any number of pictures may be under way at a time."""

    def __init__(self, url: str, key: str | None = None, *, patience: float = PATIENCE) -> None:
        """
        Args:
            url: of the server, such as `http://localhost:8080`.
            key: the API key, if the server asks for one.
            patience: seconds for which the server may be away once it has been reached. As long
                as it answers that it is busy it is waited for, as its `Retry-After` says.

        Raises:
            ValueError: if the URL or the key cannot be one.
        """
        self._link = Link(url, key, patience)
        self._fields: Fields | None = None
        self._knows_fields = asyncio.Lock()
        self._checked: set[frozenset[tuple[str, str]]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    @property
    def url(self) -> str:
        """Of the server, with a slash at its end."""
        return self._link.url

    async def aclose(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def about(self) -> About:
        """The server and its limits.

        Raises:
            Unreachable: if nothing answers there.
            NotAServer: if something else does.
            KeyRefused: if the key is missing or wrong.
        """
        try:
            told = json_of(await self._link.get(""))
            return About(
                str(told["version"]),
                int(told["max_upload_size_bytes"]),
                int(told["max_concurrent_tasks"]),
                float(told["max_age"]),
            )
        except Refused as error:
            if error.code.startswith("http_"):
                raise NotAServer(f"{self.url} is not a TinyImage Server: {error}") from None
            raise
        except (KeyError, TypeError, ValueError):
            raise NotAServer(f"{self.url} is not a TinyImage Server") from None

    async def formats(self) -> list[str]:
        """The formats that can be asked for, `same` included; [] if the server does not say."""
        fields = await self._known_fields()
        return [] if fields is None else fields.formats

    async def compress(
        self,
        picture: str | os.PathLike[str] | bytes,
        *,
        format: str | Iterable[str] | None = None,
        q: int | str | None = None,
        progress: Progress = unheard,
        **options: OptionValue,
    ) -> Result:
        """A picture, compressed. It is sent only if the server does not have the result, or if
        `preset`, `batch` or `webhook` is asked for.

        Args:
            picture: the path of a file, or the bytes of one.
            format: of the result; `same` for that of the picture; `auto`, or several in a list or
                with commas, for that which gives the smallest file. None for the server's default,
                webp, or that of a `preset`.
            q: the quality, 1 to 100 or `auto`; None for the server's default.
            progress: hears each step.
            options: those of the API, such as `width=640`, `fit="cover"`, `keep=["copyright"]`,
                `max_bytes=200_000`.

        Raises:
            OSError: if the file cannot be read.
            SourceChanged: if it changes meanwhile.
            InvalidOption: if the server does not know an option, or not with this value, or if it
                cannot be sent here: `widths` has several results.
            Refused: if the server refuses the picture; KeyRefused if it refuses the key.
            ConversionFailed: if it cannot convert the picture.
            BadResult: if what it sends is not whole.
            Unreachable: if it cannot be reached.
        """
        conversion = Conversion.of(format, q, options)
        await self.check_conversion(conversion)
        source = await asyncio.to_thread(read_source, picture)
        wait = WAIT_SECONDS if progress is unheard else SHOWN_SECONDS
        return await self.compress_source(source, conversion, progress=progress, wait_seconds=wait)

    async def compress_source(
        self,
        source: Source,
        conversion: Conversion,
        *,
        progress: Progress = unheard,
        wait_seconds: int = WAIT_SECONDS,
    ) -> Result:
        """As `compress`, of a picture that has been read, with a checked conversion.

        Args:
            wait_seconds: how long the server may wait with each status.
        """
        return await Way(self._link, source, conversion, progress, wait_seconds).go()

    async def check_conversion(self, conversion: Conversion) -> None:
        """See that the server understands what is asked for.

        Raises:
            InvalidOption: if it does not.
        """
        asked = frozenset(conversion.fields.items())
        if asked not in self._checked:
            if (fields := await self._known_fields()) is not None:
                fields.check(conversion)
            self._checked.add(asked)

    async def _known_fields(self) -> Fields | None:
        async with self._knows_fields:
            if self._fields is None:
                answer = await self._link.get("docs/openapi.json")
                try:
                    self._fields = Fields(json_of(answer))
                except (KeyError, TypeError, AttributeError):
                    return None  # an older server, or a proxy that keeps its docs back
            return self._fields

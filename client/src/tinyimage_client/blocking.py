"""The client for programs without asyncio."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Self

from anyio.from_thread import start_blocking_portal

from tinyimage_client.asynchronous import PATIENCE, AsyncClient
from tinyimage_client.conversion import OptionValue
from tinyimage_client.progress import Progress, unheard
from tinyimage_client.result import Result
from tinyimage_client.server import About


class Client:
    """A TinyImage Server. Threads may share it."""

    def __init__(self, url: str, key: str | None = None, *, patience: float = PATIENCE) -> None:
        """As `AsyncClient`."""
        self._stack = ExitStack()
        self._client = AsyncClient(url, key, patience=patience)
        self._portal = self._stack.enter_context(start_blocking_portal())
        self._stack.callback(self._portal.call, self._client.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Of the server, with a slash at its end."""
        return self._client.url

    def close(self) -> None:
        """Close the connections, and end the thread that they are in."""
        self._stack.close()

    def about(self) -> About:
        """As `AsyncClient.about`."""
        return self._portal.call(self._client.about)

    def formats(self) -> list[str]:
        """As `AsyncClient.formats`."""
        return self._portal.call(self._client.formats)

    def compress(
        self,
        picture: str | os.PathLike[str] | bytes,
        *,
        format: str | Iterable[str] | None = None,
        q: int | str | None = None,
        progress: Progress = unheard,
        **options: OptionValue,
    ) -> Result:
        """As `AsyncClient.compress`. `progress` is called in another thread."""

        async def compress() -> Result:
            return await self._client.compress(
                picture, format=format, q=q, progress=progress, **options
            )

        return self._portal.call(compress)

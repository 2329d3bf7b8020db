"""A storage for tests, which block."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import IO, Any, Generic, TypeVar

from app.core.storage.interface import Content, Storage

S = TypeVar("S", bound=Storage)
T = TypeVar("T")


class Blocking(Generic[S]):
    """A storage, and a loop for it. Its end closes both."""

    def __init__(self, storage: S) -> None:
        self.storage = storage
        self._runner = asyncio.Runner()

    def __enter__(self) -> Blocking[S]:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.closing(self._runner):
            self.run(self.storage.close())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def check(self) -> None:
        self.run(self.storage.check())

    def put(self, key: str, data: bytes | IO[bytes], content: Content | None = None) -> None:
        self.run(self.storage.put(key, data, content))

    def get(self, key: str) -> bytes:
        return self.run(self.storage.get(key))

    def read(self, key: str, start: int, end: int) -> bytes:
        """A part of an object, from its stream."""

        async def collect() -> bytes:
            return b"".join([part async for part in self.storage.stream(key, start, end)])

        return self.run(collect())

    def there(self, key: str) -> bool:
        return self.run(self.storage.stat(key)) is not None

    def delete(self, keys: Sequence[str]) -> None:
        self.run(self.storage.delete(keys))

    def keys(self, prefix: str = "") -> list[str]:
        """Of all objects below the prefix, in their order."""

        async def collect() -> list[str]:
            return [info.key async for page in self.storage.list(prefix) for info in page]

        return sorted(self.run(collect()))

    def delete_staged(self, seconds: float) -> tuple[int, int]:
        return self.run(self.storage.delete_staged(seconds))

"""Objects in Redis, for machines that share nothing else."""

from __future__ import annotations

import contextlib
import secrets
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, ClassVar, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core.errors import StorageError, StorageFull
from app.core.picture.paths import ORIGINALS
from app.core.picture.retention import GRACE_SECONDS, INDEX_SECONDS
from app.core.redis.client import connect_async
from app.core.storage import redis_ledger as ledger
from app.core.storage.interface import (
    LIST_PAGE,
    START_CHECK,
    Content,
    ObjectInfo,
    ObjectNotFound,
    as_file,
    bytes_left,
)

CHUNK_SIZE = 256 * 1024 - 64
"""Bytes of one value in Redis. With its header it just fits into a block of 256 KB of Redis's
allocator; the next larger ones are 320 KB."""

DEFAULT_LIMIT = 256 * 1024**2
"""Bytes of all objects, if neither the settings nor Redis itself has a limit."""

LEASE_SECONDS = 60.0
"""After this a killed writer's partial object expires; a living writer renews it with each
chunk."""

DELETED_AT_ONCE = 200
"""Objects in one step, during which Redis serves no other client."""

CONNECTIONS = 4
"""Connections of a web process, beside those of the queue. Small plans of Redis allow 20 in all."""

TURN_SECONDS = 30
"""How long a step waits for a connection: 50 large uploads at once take turns."""


class RedisStorage:
    """A Storage with a limit on its bytes, whose objects expire."""

    def __init__(
        self,
        url: str,
        *,
        max_age_seconds: float,
        limit: int = 0,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """
        Args:
            max_age_seconds: how long a result is kept; here it stays somewhat longer, like its job.
            limit: bytes of all objects; 0 for half of Redis's `maxmemory`.
        """
        self._redis = connect_async(url, connections=CONNECTIONS, turn_seconds=TURN_SECONDS)
        self._scripts = {text: self._redis.register_script(text) for text in ledger.SCRIPTS}
        self._limit = limit
        self._lease = int(lease_seconds * 1000)
        self._ended = int((max_age_seconds + GRACE_SECONDS) * 1000)
        self._waiting = self._ended + INDEX_SECONDS * 1000

    async def check(self) -> None:
        try:
            await self.put(START_CHECK, b"x")
            await self.delete([START_CHECK])
        except StorageFull:
            return  # existing objects can be served, and deleted
        except StorageError as error:
            # An unreachable or hanging Redis fails the next call, as with the queue.
            if not isinstance(error.__cause__, RedisConnectionError | RedisTimeoutError):
                raise StorageError(
                    f"the storage in Redis cannot be used: {error.__cause__}"
                ) from None

    async def put(
        self, key: str, data: bytes | bytearray | IO[bytes], content: Content | None = None
    ) -> None:
        file, id = as_file(data), secrets.token_hex(8)
        size = bytes_left(file)
        staged, chunks = ledger.staged_key(id), _chunks(size)
        lifetime = self._waiting if key.startswith(f"{ORIGINALS}/") else self._ended
        with _typed():
            try:
                reserve = [time.time(), size, self._limit, DEFAULT_LIMIT, self._lease]
                if not await self._run(ledger.RESERVE, [staged], reserve):
                    raise StorageFull("The storage is full")
                for number in range(chunks):
                    chunk = file.read(min(CHUNK_SIZE, size - number * CHUNK_SIZE))
                    if not await self._run(ledger.APPEND, [staged], [number, chunk, self._lease]):
                        raise _late()
                commit = [time.time(), size, key, id, chunks, lifetime]
                if not await self._run(ledger.COMMIT, [staged, ledger.object_key(key)], commit):
                    raise _late()
            except BaseException:
                with contextlib.suppress(RedisError):
                    await self._run(ledger.DROP, [staged], [])
                raise

    async def get(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in self.stream(key, 0, sys.maxsize)])

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start >= end:
            return
        name, first = ledger.object_key(key), start // CHUNK_SIZE
        with _typed():
            head = _Head.of(key, await self._redis.hmget(name, *_Head.FIELDS, first))
            end = min(end, head.size)
            for number in range(first, _chunks(end)):
                chunk = head.first
                if number > first:
                    chunk = head.chunk(await self._redis.hmget(name, "id", number))
                offset = number * CHUNK_SIZE
                yield chunk[max(start - offset, 0) : end - offset]

    async def stat(self, key: str) -> ObjectInfo | None:
        with _typed():
            return _info(key, await self._redis.hmget(ledger.object_key(key), *_INFO_FIELDS))

    async def delete(self, keys: Sequence[str]) -> None:
        with _typed():
            for start in range(0, len(keys), DELETED_AT_ONCE):
                names = map(ledger.object_key, keys[start : start + DELETED_AT_ONCE])
                await self._run(ledger.DROP, [*names], [])

    async def list(self, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
        """In the order of their names, also while others are put and deleted."""
        low, high = (f"[{prefix}/", f"({prefix}0") if prefix else ("-", "+")  # 0 comes after /
        with _typed():
            while names := await self._redis.zrangebylex(ledger.INDEX, low, high, 0, LIST_PAGE):
                keys = [name.decode() for name in cast(list[bytes], names)]
                async with self._redis.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.hmget(ledger.object_key(key), *_INFO_FIELDS)
                    found = map(_info, keys, await pipe.execute())
                yield [info for info in found if info]
                low = f"({keys[-1]}"

    async def delete_staged(self, seconds: float) -> tuple[int, int]:
        """They expire with their lease; here they are only uncounted."""
        with _typed():
            number, size = await self._run(ledger.FORGET_GONE, [], [time.time()])
        return number, size

    async def close(self) -> None:
        await self._redis.aclose()

    async def expire(self, key: str) -> None:
        arguments = [time.time(), self._ended]
        with _typed():
            await self._run(ledger.EXPIRE, [ledger.object_key(key)], arguments)

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        return await self._scripts[script](keys, arguments)


@dataclass(frozen=True, slots=True)
class _Head:
    """The fields that are read together with the first chunk."""

    FIELDS: ClassVar = ("id", "size")

    id: bytes
    size: int
    first: bytes

    @classmethod
    def of(cls, key: str, values: Sequence[Any]) -> _Head:
        id, size, first = values
        if id is None or size is None:
            raise ObjectNotFound(key)
        return cls(id, int(size), first or b"")

    def chunk(self, values: Sequence[Any]) -> bytes:
        """The chunk of this object.

        Raises:
            StorageError: if the object has gone meanwhile, or has been replaced.
        """
        id, chunk = cast("tuple[bytes | None, bytes | None]", values)
        if id != self.id or chunk is None:
            raise StorageError("The storage fails: what is read has just been deleted")
        return chunk


def _chunks(size: int) -> int:
    return -(-size // CHUNK_SIZE)


_INFO_FIELDS = ("size", "modified")


def _info(key: str, values: Sequence[Any]) -> ObjectInfo | None:
    size, modified = values
    if size is None or modified is None:
        return None
    return ObjectInfo(key, int(size), datetime.fromtimestamp(float(modified), UTC))


def _late() -> StorageError:
    return StorageError("The storage fails: it took too long to write")


@contextlib.contextmanager
def _typed() -> Iterator[None]:
    """Translate errors of Redis into ours."""
    try:
        yield
    except RedisError as error:
        # Of a script Redis 6 says it in the middle of its message, newer ones and Valkey as of any
        # other command.
        if isinstance(error, OutOfMemoryError) or "OOM command not allowed" in str(error):
            raise StorageFull("The storage is full") from error
        raise StorageError("The storage fails: Redis cannot be reached or refuses") from error

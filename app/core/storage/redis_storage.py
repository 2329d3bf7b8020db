"""Objects in Redis, for where there is nothing else that machines share."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, ClassVar, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core.errors import StorageError, StorageFull
from app.core.picture.retention import GRACE_SECONDS, INDEX_SECONDS
from app.core.redis.client import connect, connect_async
from app.core.storage import redis_ledger as ledger
from app.core.storage.interface import LIST_PAGE, START_CHECK, Content, ObjectInfo, ObjectNotFound
from app.core.storage.obstores import bytes_left

CHUNK_SIZE = 256 * 1024 - 64
"""Bytes of one value in Redis. With its header it just fits into a block of 256 KB of Redis's
allocator; the next larger ones are 320 KB."""

DEFAULT_LIMIT = 256 * 1024**2
"""Bytes of all objects, where neither the settings nor Redis itself has a limit."""

LEASE_SECONDS = 60.0
"""After which what a killed writer has left is gone; a living one renews it with each chunk."""

DELETED_AT_ONCE = 200
"""Objects in one step, for which all others wait."""

CONNECTIONS = 4
"""Of a web process, beside those of the queue. Small plans of Redis allow 20 in all."""

TURN_SECONDS = 30
"""How long a step waits for one of them: 50 large uploads that come at once take turns."""


class RedisStorage:
    """A Storage whose objects go by themselves, and that holds so many bytes and no more."""

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
            max_age_seconds: how long a result is kept; here it stays somewhat longer, as its job.
            limit: bytes of all objects; 0 for half of what Redis may hold.
        """
        self._redis = connect(url)
        self._async = connect_async(url, connections=CONNECTIONS, turn_seconds=TURN_SECONDS)
        self._scripts = {text: self._redis.register_script(text) for text in ledger.SCRIPTS}
        self._async_scripts = {text: self._async.register_script(text) for text in ledger.SCRIPTS}
        self._limit = limit
        self._lease = int(lease_seconds * 1000)
        self._ended = int((max_age_seconds + GRACE_SECONDS) * 1000)
        self._waiting = self._ended + INDEX_SECONDS * 1000

    def check(self) -> None:
        try:
            self.put(START_CHECK, b"x")
            self.delete([START_CHECK])
        except StorageFull:
            return  # what is there can be handed out, and deleted
        except StorageError as error:
            # One that is away, or hangs, is told of by who needs it next, as the queue does.
            if not isinstance(error.__cause__, RedisConnectionError | RedisTimeoutError):
                raise StorageError(
                    f"the storage in Redis cannot be used: {error.__cause__}"
                ) from None

    def put(self, key: str, data: bytes | bytearray, content: Content | None = None) -> None:
        upload = _Upload(key, len(data))
        with _typed():
            try:
                self._run(upload.reserve(self._limit, self._lease))
                for number in range(upload.chunks):
                    chunk = data[number * CHUNK_SIZE : (number + 1) * CHUNK_SIZE]
                    self._run(upload.append(number, chunk, self._lease))
                self._run(upload.commit(self._ended))
            except BaseException:
                with contextlib.suppress(RedisError):
                    self._run(upload.abort())
                raise

    async def put_stream(self, key: str, file: IO[bytes]) -> None:
        upload = _Upload(key, bytes_left(file))
        with _typed():
            try:
                await self._run_async(upload.reserve(self._limit, self._lease))
                for number in range(upload.chunks):
                    chunk = file.read(min(CHUNK_SIZE, upload.size - number * CHUNK_SIZE))
                    await self._run_async(upload.append(number, chunk, self._lease))
                await self._run_async(upload.commit(self._waiting))
            except BaseException:
                with contextlib.suppress(RedisError):
                    await self._run_async(upload.abort())
                raise

    def get(self, key: str) -> bytes:
        name, parts = ledger.object_key(key), []
        with _typed():
            head = _Head.of(key, self._redis.hmget(name, *_Head.FIELDS, 0))
            parts.append(head.first)
            for number in range(1, _chunks(head.size)):
                parts.append(head.chunk(self._redis.hmget(name, "id", number)))
        return b"".join(parts)

    async def get_bytes(self, key: str) -> bytes:
        name, parts = ledger.object_key(key), []
        with _typed():
            head = _Head.of(key, await self._async.hmget(name, *_Head.FIELDS, 0))
            parts.append(head.first)
            for number in range(1, _chunks(head.size)):
                parts.append(head.chunk(await self._async.hmget(name, "id", number)))
        return b"".join(parts)

    async def get_stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start >= end:
            return
        name, first = ledger.object_key(key), start // CHUNK_SIZE
        with _typed():
            head = _Head.of(key, await self._async.hmget(name, *_Head.FIELDS, first))
            end = min(end, head.size)
            for number in range(first, _chunks(end)):
                chunk = head.first
                if number > first:
                    chunk = head.chunk(await self._async.hmget(name, "id", number))
                offset = number * CHUNK_SIZE
                yield chunk[max(start - offset, 0) : end - offset]

    async def stat(self, key: str) -> ObjectInfo | None:
        with _typed():
            return _info(key, await self._async.hmget(ledger.object_key(key), *_INFO_FIELDS))

    def delete(self, keys: Sequence[str]) -> None:
        with _typed():
            for start in range(0, len(keys), DELETED_AT_ONCE):
                self._run(_drop(*keys[start : start + DELETED_AT_ONCE]))

    async def delete_async(self, key: str) -> None:
        with _typed():
            await self._run_async(_drop(key))

    def list(self, prefix: str) -> Iterator[list[ObjectInfo]]:
        """In the order of their names, also while others are put and deleted."""
        low, high = (f"[{prefix}/", f"({prefix}0") if prefix else ("-", "+")  # 0 comes after /
        with _typed():
            while True:
                names = cast(
                    list[bytes],
                    self._redis.zrangebylex(ledger.INDEX, low, high, start=0, num=LIST_PAGE),
                )
                if not names:
                    return
                keys = [name.decode() for name in names]
                with self._redis.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.hmget(ledger.object_key(key), *_INFO_FIELDS)
                    found = map(_info, keys, pipe.execute())
                    yield [info for info in found if info]
                low = f"({keys[-1]}"

    def delete_staged(self, seconds: float) -> tuple[int, int]:
        """They go by themselves when their lease is over; here they are only counted off."""
        with _typed():
            number, size = self._run(_Call(ledger.FORGET_GONE, [], [time.time()]))
        return number, size

    async def close(self) -> None:
        self._redis.close()
        await self._async.aclose()

    def expire(self, key: str) -> None:
        with _typed():
            self._run(_Call(ledger.EXPIRE, [ledger.object_key(key)], [time.time(), self._ended]))

    def _run(self, call: _Call) -> Any:
        return call.checked(self._scripts[call.script](call.keys, call.arguments))

    async def _run_async(self, call: _Call) -> Any:
        return call.checked(await self._async_scripts[call.script](call.keys, call.arguments))


@dataclass(frozen=True, slots=True)
class _Call:
    """A script with what it is to work on."""

    script: str
    keys: list[str]
    arguments: list[Any]
    refused: StorageError | None = None
    """What a 0 means; None if it means nothing."""

    def checked(self, answer: Any) -> Any:
        """The answer.

        Raises:
            StorageError: if it says no.
        """
        if answer == 0 and self.refused is not None:
            raise self.refused
        return answer


class _Upload:
    """An object on its way in."""

    def __init__(self, key: str, size: int) -> None:
        self.size = size
        self.chunks = _chunks(size)
        self._key = key
        self._id = secrets.token_hex(8)
        self._staged = ledger.staged_key(self._id)

    def reserve(self, limit: int, lease: int) -> _Call:
        arguments = [time.time(), self.size, limit, DEFAULT_LIMIT, lease]
        full = StorageFull("The storage is full")
        return _Call(ledger.RESERVE, [self._staged], arguments, full)

    def append(self, number: int, chunk: bytes | bytearray, lease: int) -> _Call:
        return _Call(ledger.APPEND, [self._staged], [number, bytes(chunk), lease], _late())

    def commit(self, lifetime: int) -> _Call:
        keys = [self._staged, ledger.object_key(self._key)]
        arguments = [time.time(), self.size, self._key, self._id, self.chunks, lifetime]
        return _Call(ledger.COMMIT, keys, arguments, _late())

    def abort(self) -> _Call:
        return _Call(ledger.DROP, [self._staged], [])


@dataclass(frozen=True, slots=True)
class _Head:
    """What is read of an object together with its first chunk."""

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


def _drop(*keys: str) -> _Call:
    return _Call(ledger.DROP, [ledger.object_key(key) for key in keys], [])


def _late() -> StorageError:
    return StorageError("The storage fails: it took too long to write")


@contextlib.contextmanager
def _typed() -> Iterator[None]:
    """Raise what Redis raises as ours."""
    try:
        yield
    except RedisError as error:
        # Of a script Redis 6 says it in the middle of its message, newer ones and Valkey as of any
        # other command.
        if isinstance(error, OutOfMemoryError) or "OOM command not allowed" in str(error):
            raise StorageFull("The storage is full") from error
        raise StorageError("The storage fails: Redis cannot be reached or refuses") from error

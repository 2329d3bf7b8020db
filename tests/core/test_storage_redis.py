"""What is Redis's own: room, time to live, and what killed writers leave."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
from collections.abc import Iterator
from typing import cast

import pytest
import redis

from app.core.errors import StorageError, StorageFull
from app.core.picture.retention import GRACE_SECONDS, INDEX_SECONDS
from app.core.storage import redis_ledger as ledger
from app.core.storage.redis_storage import RedisStorage
from tests.service import until
from tests.storage import Blocking

HOUR = 3600
MB = 1_000_000


def _used(connection: redis.Redis) -> int:
    """The bytes that are counted, which are those of what is listed."""
    used = int(connection.get(ledger.USED) or 0)
    listed = cast(list[bytes], connection.zrange(ledger.EXPIRY, 0, -1))
    assert used == sum(int(member.split()[0]) for member in listed)
    return used


def _hashes(connection: redis.Redis) -> list[bytes]:
    return [
        key
        for key in cast(list[bytes], connection.keys(f"{ledger.STORAGE_PREFIX}:*"))
        if connection.type(key) == b"hash"
    ]


Opened = Blocking[RedisStorage]


@pytest.fixture
def small(redis_url: str) -> Iterator[Opened]:
    with Blocking(RedisStorage(redis_url, max_age_seconds=HOUR, limit=5 * MB)) as opened:
        yield opened


def test_what_would_exceed_the_limit_is_refused_and_takes_no_room(
    small: Opened, connection: redis.Redis
) -> None:
    small.put("a", bytes(3 * MB))
    with pytest.raises(StorageFull):
        small.put("b", bytes(2 * MB + 1))
    with pytest.raises(StorageFull):
        small.put("b", io.BytesIO(bytes(2 * MB + 1)))
    assert _used(connection) == 3 * MB
    small.put("b", bytes(2 * MB))
    small.delete(["a"])
    assert _used(connection) == 2 * MB
    small.put("c", bytes(2 * MB))
    small.put("c", bytes(MB))  # in place of the other, which stays until this one is there
    assert _used(connection) == 3 * MB
    small.delete(["b", "c", "nothing"])
    assert _used(connection) == 0
    assert connection.keys(f"{ledger.STORAGE_PREFIX}:*") == [ledger.USED.encode()]


def test_of_many_at_once_so_many_get_room_as_there_is(
    small: Opened, connection: redis.Redis
) -> None:
    async def one(number: int) -> bool:
        try:
            await small.storage.put(f"many/{number}", io.BytesIO(bytes(MB)))
        except StorageFull:
            return False
        return True

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(one(number) for number in range(30)))

    assert sum(small.run(all_of_them())) == 5
    assert _used(connection) == 5 * MB


@contextlib.contextmanager
def _maxmemory(connection: redis.Redis, size: int) -> Iterator[None]:
    connection.config_set("maxmemory", size)
    try:
        yield
    finally:
        connection.config_set("maxmemory", 0)


def test_without_a_limit_half_of_what_redis_may_hold_is_used(
    redis_url: str, connection: redis.Redis
) -> None:
    storage = Blocking(RedisStorage(redis_url, max_age_seconds=HOUR))
    storage.put("a", bytes(12 * MB))
    with _maxmemory(connection, 40 * MB):
        with pytest.raises(StorageFull):
            storage.put("b", bytes(9 * MB))
        storage.put("b", bytes(8 * MB))


def test_a_redis_that_is_full_is_a_full_storage_and_can_be_emptied(
    redis_url: str, connection: redis.Redis
) -> None:
    """Whoever filled it; it drops nothing (noeviction)."""
    storage = Blocking(RedisStorage(redis_url, max_age_seconds=HOUR, limit=1000 * MB))
    storage.put("a", bytes(3 * MB))
    taken = int(connection.info("memory")["used_memory"])
    with _maxmemory(connection, taken + 2 * MB):
        for _ in range(2):
            with pytest.raises(StorageFull):
                storage.put("b", bytes(6 * MB))
            with pytest.raises(StorageFull):
                storage.put("b", io.BytesIO(bytes(6 * MB)))
        assert _hashes(connection) == [ledger.object_key("a").encode()]
        assert _used(connection) == 3 * MB
        storage.check()
    with _maxmemory(connection, taken // 2):
        storage.delete(["a"])
    assert _used(connection) == 0


def test_what_a_killed_writer_has_begun_is_counted_until_it_is_gone(
    redis_url: str, connection: redis.Redis
) -> None:
    """A kill is a put of which the rest never comes."""

    class Killed(Exception):
        pass

    class Dying(RedisStorage):
        async def _run(self, script, keys, arguments):  # type: ignore[no-untyped-def]
            if script in (ledger.COMMIT, ledger.DROP):
                raise Killed
            return await super()._run(script, keys, arguments)

    dying = Blocking(Dying(redis_url, max_age_seconds=HOUR, limit=5 * MB, lease_seconds=1))
    with pytest.raises(Killed):
        dying.put("a", bytes(3 * MB))
    storage = Blocking(RedisStorage(redis_url, max_age_seconds=HOUR, limit=5 * MB))
    assert _used(connection) == 3 * MB
    with pytest.raises(StorageFull):
        storage.put("b", bytes(3 * MB))
    until(lambda: not _hashes(connection), what="the lease is over")
    assert storage.keys() == []

    def put() -> bool:
        try:
            storage.put("b", bytes(3 * MB))
        except StorageFull:
            return False
        return True

    until(put, what="there is room again")
    assert _used(connection) == 3 * MB


def test_a_writer_that_was_away_for_longer_than_its_lease_is_told_so(
    redis_url: str, connection: redis.Redis
) -> None:
    class Away(RedisStorage):
        async def _run(self, script, keys, arguments):  # type: ignore[no-untyped-def]
            if script == ledger.COMMIT:
                connection.delete(keys[0])
            return await super()._run(script, keys, arguments)

    with pytest.raises(StorageError, match="took too long"):
        Blocking(Away(redis_url, max_age_seconds=HOUR)).put("a", bytes(MB))
    assert _hashes(connection) == []


def test_an_object_goes_by_itself_and_is_counted_off(
    redis_url: str, connection: redis.Redis
) -> None:
    storage = Blocking(RedisStorage(redis_url, max_age_seconds=1 - GRACE_SECONDS))
    storage.put("a", b"123")
    assert _used(connection) == 3
    until(lambda: not _hashes(connection), what="it is gone")
    assert storage.keys() == []
    until(lambda: storage.delete_staged(0) == (1, 3), what="it is counted off")
    assert _used(connection) == 0
    assert storage.keys() == []


def test_an_original_stays_while_a_job_may_wait_and_goes_as_a_result_after_it(
    redis_url: str, connection: redis.Redis
) -> None:
    storage = Blocking(RedisStorage(redis_url, max_age_seconds=HOUR))
    storage.put("originals/a", io.BytesIO(b"123"))
    storage.put("result", b"1")
    original, result = map(ledger.object_key, ("originals/a", "result"))
    ended = HOUR + GRACE_SECONDS
    assert ended - 60 < connection.ttl(result) <= ended
    assert ended + INDEX_SECONDS - 60 < connection.ttl(original) <= ended + INDEX_SECONDS
    storage.run(storage.storage.expire("originals/a"))
    storage.run(storage.storage.expire("nothing"))
    assert ended - 60 < connection.ttl(original) <= ended
    assert _used(connection) == 4


def test_a_clock_that_is_ahead_counts_nothing_off_that_is_there(
    small: Opened, connection: redis.Redis
) -> None:
    small.put("a", bytes(3 * MB))
    for member in cast(list[bytes], connection.zrange(ledger.EXPIRY, 0, -1)):
        connection.zadd(ledger.EXPIRY, {member: 1.0})
    assert small.delete_staged(0) == (0, 0)
    assert _used(connection) == 3 * MB


def test_a_redis_that_is_gone_is_told_at_once_and_keeps_nobody_from_starting() -> None:
    storage = Blocking(RedisStorage("redis://:secret@127.0.0.1:1", max_age_seconds=HOUR))
    with pytest.raises(StorageError) as error:
        storage.put("a", b"x")
    assert (error.value.code, error.value.status) == ("storage_unavailable", 503)
    assert "secret" not in f"{error.value} {error.value.__cause__}"
    storage.check()


def test_a_redis_that_does_not_answer_keeps_nobody_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.core.redis.client.SOCKET_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        storage = Blocking(RedisStorage(f"redis://127.0.0.1:{port}", max_age_seconds=HOUR))
        with pytest.raises(StorageError):
            storage.put("a", b"x")
        storage.check()

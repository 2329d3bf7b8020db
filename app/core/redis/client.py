"""The clients of Redis, opened in one place: for threads, for asyncio, and of a server process."""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeVar

import redis
import redis.asyncio
import redis.asyncio.retry
from redis.backoff import ExponentialBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from app.core.redis.commands import Question, answers_of, pack
from app.core.redis.pipelined import Pipelined
from app.core.redis.received import opened
from app.core.redis.transactions import Client

T = TypeVar("T")

SOCKET_TIMEOUT = 5
"""Seconds after which a command to Redis times out."""

HUNG_SECONDS = 1.0
"""How long questions fail at once after one has timed out."""

_DRIVER = DriverInfo(lib_version=redis.__version__)
"""What a connection says of itself. redis-py reads its own version out of the files of its
distribution, by a parser of mails, for each connection: 1 to 2 ms of CPU, and 1.8 MB of memory that
a forked process would share."""

_AGAIN = 1
"""How often a command that finds its connection closed is tried again, on a new one. A command that
has timed out is not tried again."""


def connect(url: str) -> redis.Redis:
    """A client with a pool of connections, for use from several threads. It connects when it is
    first asked something."""
    return Client.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        driver_info=_DRIVER,
        retry=Retry(_backoff(), _AGAIN, supported_errors=(RedisConnectionError,)),
    )


def connect_async(
    url: str,
    *,
    connections: int | None = None,
    turn_seconds: float = SOCKET_TIMEOUT,
    **options: Any,
) -> redis.asyncio.Redis:
    """The same for asyncio.

    Args:
        connections: how many at most; None for any number.
        turn_seconds: how long a command waits for one of them.
        options: further ones of redis-py.
    """
    settings = {
        "socket_timeout": SOCKET_TIMEOUT,
        "socket_connect_timeout": SOCKET_TIMEOUT,
        "driver_info": _DRIVER,
        "retry": redis.asyncio.retry.Retry(
            _backoff(), _AGAIN, supported_errors=(RedisConnectionError,)
        ),
        **options,
    }
    if connections is None:
        pool = redis.asyncio.ConnectionPool.from_url(url, **settings)
    else:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url, max_connections=connections, timeout=turn_seconds, **settings
        )
    return redis.asyncio.Redis.from_pool(pool)


class FailFastRedis:
    """The client of a server process, over one connection.

    While Redis hangs the first question times out; all others that wait fail with it, and for the
    next second further ones fail fast.
    """

    def __init__(self, url: str) -> None:
        # One time-out for the whole question replaces those for each command and answer.
        self._pool = connect_async(url, socket_timeout=None).connection_pool
        self._connection: Pipelined | None = None
        self._opening: asyncio.Task[Pipelined] | None = None
        self._hung_until = 0.0

    async def ask(self, question: Question[T]) -> T:
        """The answer.

        Raises:
            redis.RedisError: if Redis cannot be reached, or refuses.
        """
        now = time.monotonic()
        if now < self._hung_until:
            question.close()
            raise RedisTimeoutError("Redis did not answer a moment ago")
        ends = now + SOCKET_TIMEOUT
        try:
            batch = next(question)
            while True:
                packed, count = pack(batch)
                batch = question.send(answers_of(batch, await self._exchange(packed, count, ends)))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def _exchange(self, packed: bytes, count: int, ends: float) -> list[Any]:
        """The answers to commands, which are sent again on a new connection if theirs is lost."""
        failures = 0
        while True:
            try:
                connection = self._connection
                if connection is None or connection.ended.done():
                    connection = await self._open()
                answers = await connection.send(packed, count, ends)
                for answer in answers:
                    if isinstance(answer, RedisConnectionError):  # it serves nobody now
                        connection.close(answer)
                        raise answer
                return answers
            except RedisTimeoutError:
                self._hung_until = time.monotonic() + HUNG_SECONDS
                raise RedisTimeoutError(
                    f"Redis has not answered within {SOCKET_TIMEOUT} seconds"
                ) from None
            except RedisConnectionError:
                failures += 1
                if failures > _AGAIN:
                    raise
                await asyncio.sleep(_backoff().compute(failures))

    async def _open(self) -> Pipelined:
        """A new connection, one for all that ask for it at the same moment."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._connect(), name="connect to Redis")
            # Where nobody waits for it any more its error is not to be logged.
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._opening)

    async def _connect(self) -> Pipelined:
        connection = self._pool.make_connection()
        try:
            async with asyncio.timeout(SOCKET_TIMEOUT):
                self._connection = await opened(connection, Pipelined())
        except TimeoutError:
            await connection.disconnect(nowait=True)
            raise RedisTimeoutError("Redis has not accepted a connection in time") from None
        return self._connection

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._connection is not None:
            self._connection.close()


def _backoff() -> ExponentialBackoff:
    return ExponentialBackoff(cap=0.1, base=0.01)

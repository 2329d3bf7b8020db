"""The clients of Redis, opened in one place: for threads, for asyncio, and of a server process."""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeVar

import redis
import redis.asyncio
import redis.asyncio.retry
from redis.asyncio.connection import Connection
from redis.backoff import ExponentialBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from app.core.redis.commands import Question, ask_over
from app.core.redis.transactions import Client

T = TypeVar("T")

SOCKET_TIMEOUT = 5
"""Seconds after which a command to Redis times out."""

MAX_CONNECTIONS = 16
"""Connections of a server process for questions: further questions wait for one."""

HUNG_SECONDS = 1.0
"""How long questions fail at once after one has timed out."""

DRIVER = DriverInfo(lib_version=redis.__version__)
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
        driver_info=DRIVER,
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
        "driver_info": DRIVER,
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
    """The client of a server process, with a bounded number of connections.

    While Redis hangs the first question times out; for the next second all others fail fast,
    including those that waited for a connection.
    """

    def __init__(self, url: str) -> None:
        # One time-out for the whole question replaces those for each command and answer.
        self._pool = connect_async(url, socket_timeout=None).connection_pool
        self._free: list[Connection] = []
        self._room = asyncio.Semaphore(MAX_CONNECTIONS)
        self._hung_until = 0.0

    async def ask(self, question: Question[T]) -> T:
        """The answer.

        Raises:
            redis.RedisError: if Redis cannot be reached, or refuses.
        """
        async with self._room:
            if time.monotonic() < self._hung_until:
                raise RedisTimeoutError("Redis did not answer a moment ago")
            connection = self._free.pop() if self._free else self._pool.make_connection()
            try:
                async with asyncio.timeout(SOCKET_TIMEOUT):
                    return await ask_over(connection, question)
            except (TimeoutError, RedisTimeoutError):
                self._hung_until = time.monotonic() + HUNG_SECONDS
                await connection.disconnect(nowait=True)
                raise RedisTimeoutError(
                    f"Redis has not answered within {SOCKET_TIMEOUT} seconds"
                ) from None
            except ResponseError:  # all commands have been answered
                raise
            except BaseException:
                # An answer may still arrive, which must not reach another question.
                await connection.disconnect(nowait=True)
                raise
            finally:
                self._free.append(connection)

    async def close(self) -> None:
        """Give the connections back."""
        while self._free:
            await self._free.pop().disconnect()


def _backoff() -> ExponentialBackoff:
    return ExponentialBackoff(cap=0.1, base=0.01)

"""A connection to Redis for asyncio, whose answers are taken in the callback that receives them."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar, cast

import hiredis
from redis._parsers.base import BaseParser
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError

CLOSED = "Redis has closed the connection"

_INCOMPLETE = object()


class Received(asyncio.Protocol):
    """Parses what Redis sends. redis-py would wake a task for it, and wrap each answer in a
    time-out, a retry and a check of its own, which cost more than the answer itself."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=BaseParser.parse_error,
            notEnoughData=_INCOMPLETE,
        )
        self._transport: asyncio.Transport
        self._writer: asyncio.StreamWriter
        """Of redis-py, which has connected: it closes the connection when it is deleted."""
        self.ended = asyncio.get_running_loop().create_future()
        """Done with the reason when the connection is lost or closed."""

    def answered(self, answer: Any) -> None:
        """Take an answer, or a message."""
        raise NotImplementedError

    def lost(self, error: RedisError) -> None:
        """The connection has ended."""

    def take_over(self, writer: asyncio.StreamWriter) -> None:
        """Receive from here on what redis-py's connection would."""
        self._writer = writer
        self._transport = cast(asyncio.Transport, writer.transport)
        self._transport.set_protocol(self)

    def close(self, error: RedisError | None = None) -> None:
        """Close it, at once: nothing that may still come is an answer any more."""
        self._transport.abort()
        self.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not _INCOMPLETE:
                self.answered(answer)
        except InvalidResponse as error:
            self.close(RedisConnectionError(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        error = exc if isinstance(exc, RedisError) else RedisConnectionError(CLOSED)
        self.ended.set_result(error)
        self.lost(error)


R = TypeVar("R", bound=Received)


async def opened(connection: Connection, receiver: R) -> R:
    """The receiver of a connection that redis-py makes: to its address, with its password and
    certificate.

    Args:
        connection: a new one, which is of no further use.

    Raises:
        redis.RedisError: if Redis cannot be reached.
    """
    await connection.connect()
    writer = connection._writer
    assert writer is not None
    connection._reader = connection._writer = None  # it would close what it no longer reads
    receiver.take_over(writer)
    return receiver

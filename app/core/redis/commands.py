"""Questions to Redis that are written once, for a blocking client and for an asyncio client."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import hiredis
import redis
from redis.asyncio.connection import Connection
from redis.exceptions import ResponseError

T = TypeVar("T")

Command = tuple[Any, ...]
"""The name of a command and its arguments."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands that are sent in one round trip."""

    commands: Sequence[Command]
    atomic: bool = False
    """Whether they are one transaction."""


Question = Generator[Batch, list[Any], T]
"""Yields batches, receives the answers to each in the order of its commands, and returns the
result."""


def ask(client: redis.Redis, question: Question[T]) -> T:
    """The answer to a question.

    Raises:
        redis.RedisError: if Redis cannot be reached, or refuses a command.
    """
    try:
        batch = next(question)
        while True:
            batch = question.send(_send(client, batch))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def ask_over(connection: Connection, question: Question[T]) -> T:
    """The same over one connection of asyncio."""
    try:
        batch = next(question)
        while True:
            batch = question.send(await _exchange(connection, batch))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _send(client: redis.Redis, batch: Batch) -> list[Any]:
    if len(batch.commands) == 1:
        return [client.execute_command(*batch.commands[0])]
    with client.pipeline(transaction=batch.atomic) as pipe:
        for command in batch.commands:
            pipe.execute_command(*command)
        return pipe.execute()


async def _exchange(connection: Connection, batch: Batch) -> list[Any]:
    """As `_send`. A pipeline of redis-py would make objects, time-outs and statistics for each of
    its commands, which cost the web more than the rest of a question."""
    commands = batch.commands
    if batch.atomic:
        commands = [("MULTI",), *commands, ("EXEC",)]
    packed = b"".join(map(hiredis.pack_command, commands))

    async def send_and_read() -> list[Any]:
        await connection.send_packed_command(packed)
        return [await _read(connection) for _ in commands]

    async def disconnect(error: Exception) -> None:
        await connection.disconnect()

    answers = await connection.retry.call_with_retry(send_and_read, disconnect)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    if not batch.atomic:
        return answers
    results: list[Any] = answers[-1]
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


async def _read(connection: Connection) -> Any:
    """The next answer; an error from Redis counts as an answer too, as further ones follow."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error

"""Questions to Redis that are written once, for a client that blocks and for one of asyncio."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
import redis.asyncio

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
"""Yields batches, is sent the answers to each in the order of its commands, and returns what is
made of them."""


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


async def ask_async(client: redis.asyncio.Redis, question: Question[T]) -> T:
    """The same with asyncio."""
    try:
        batch = next(question)
        while True:
            batch = question.send(await _send_async(client, batch))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _send(client: redis.Redis, batch: Batch) -> list[Any]:
    if len(batch.commands) == 1:
        return [client.execute_command(*batch.commands[0])]
    with client.pipeline(transaction=batch.atomic) as pipe:
        for command in batch.commands:
            pipe.execute_command(*command)
        return pipe.execute()


async def _send_async(client: redis.asyncio.Redis, batch: Batch) -> list[Any]:
    if len(batch.commands) == 1:
        return [await client.execute_command(*batch.commands[0])]
    async with client.pipeline(transaction=batch.atomic) as pipe:
        for command in batch.commands:
            pipe.execute_command(*command)
        return await pipe.execute()

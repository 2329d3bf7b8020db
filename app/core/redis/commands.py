"""Questions to Redis that are written once, for a blocking client and for an asyncio client."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import hiredis
import redis

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


class Asker(Protocol):
    """Asks Redis, for asyncio."""

    async def ask(self, question: Question[T]) -> T:
        """The answer.

        Raises:
            redis.RedisError: if Redis cannot be reached, or refuses.
        """
        ...


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


def _send(client: redis.Redis, batch: Batch) -> list[Any]:
    if len(batch.commands) == 1:
        return [client.execute_command(*batch.commands[0])]
    with client.pipeline(transaction=batch.atomic) as pipe:
        for command in batch.commands:
            pipe.execute_command(*command)
        return pipe.execute()


def pack(batch: Batch) -> tuple[bytes, int]:
    """The commands of a batch as they are sent, and how many answers there will be."""
    commands = batch.commands
    if len(commands) == 1:
        return hiredis.pack_command(commands[0]), 1
    if batch.atomic:
        commands = [("MULTI",), *commands, ("EXEC",)]
    return b"".join(map(hiredis.pack_command, commands)), len(commands)


def answers_of(batch: Batch, answers: list[Any]) -> list[Any]:
    """The answers to the commands of a batch.

    Args:
        answers: to what `pack` made of it.

    Raises:
        ResponseError: if Redis refuses a command; the first of them.
    """
    _raise_first(answers)
    if not batch.atomic or len(batch.commands) == 1:
        return answers
    results: list[Any] = answers[-1]
    _raise_first(results)
    return results


def _raise_first(answers: Sequence[Any]) -> None:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer

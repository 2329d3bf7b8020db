"""Lookups of the same moment, answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from redis.exceptions import RedisError

K = TypeVar("K")
V = TypeVar("V")

AT_ONCE = 50
"""Questions in one read: more would block the loop while their answers are parsed, and delay the
questions that arrive meanwhile."""


class Lookups(Generic[K, V]):
    """One read at a time; questions that arrive meanwhile are answered by the next.

    So an answer is always read after its question, many at once cost little more than one, and a
    single question does not wait.
    """

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Sequence[V]]]) -> None:
        """
        Args:
            read: the answers to questions, in their order.
        """
        self._read = read
        self._waiting: list[tuple[K, asyncio.Future[V]]] = []
        self._is_reading = False
        self._task: asyncio.Task[None] | None = None

    async def get(self, question: K) -> V:
        """The answer.

        Raises:
            Exception: what `read` raises for this question.
        """
        if self._is_reading:
            future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
            self._waiting.append((question, future))
            return await future
        # The first one reads for itself, without a task.
        self._is_reading = True
        try:
            (answer,) = await self._read([question])
            return answer
        except RedisError as error:
            self._waiting, waiting = [], self._waiting
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            raise
        finally:
            self._is_reading = bool(self._waiting)
            if self._is_reading:
                self._task = asyncio.create_task(self._read_all(), name="lookups")

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                part, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                await self._answer([asked for asked in part if not asked[1].done()])
        finally:
            self._is_reading = False

    async def _answer(self, part: list[tuple[K, asyncio.Future[V]]]) -> None:
        if not part:
            return
        try:
            answers = await self._read([question for question, _ in part])
        except asyncio.CancelledError:
            for _, future in part:
                future.cancel()
            raise
        except Exception as error:
            if len(part) == 1 or isinstance(error, RedisError):
                for _, future in part:
                    if not future.done():
                        future.set_exception(error)
                return
            # A single failing one would keep all others from their answers.
            for asked in part:
                await self._answer([asked])
            return
        for (_, future), answer in zip(part, answers, strict=True):
            if not future.done():  # it is, if its caller was cancelled
                future.set_result(answer)

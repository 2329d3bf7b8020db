"""Batches of commands on one connection, which do not wait for one another's answers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, NamedTuple

import hiredis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core.redis.received import Received


class _Sent(NamedTuple):
    """A batch on its way."""

    answers: asyncio.Future[list[Any]]
    expected: int
    """How many answers there will be."""
    ends: float
    """When it has taken too long."""


class Pipelined(Received):
    """One connection. Redis answers in the order of the commands."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._sent: deque[_Sent] = deque()
        self._answers: list[Any] = []
        """Of the first batch, as far as they have come."""
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When the timer rings."""

    def send(self, packed: bytes, count: int, ends: float) -> asyncio.Future[list[Any]]:
        """Send commands.

        Args:
            packed: their bytes.
            count: how many there are.
            ends: when they have taken too long, by `time.monotonic`; then nothing more is expected
                of this connection.

        Returns:
            their answers, among which errors may be. It fails if the connection is lost, with
            RedisTimeoutError if that is for the time.
        """
        answers: asyncio.Future[list[Any]] = self._loop.create_future()
        self._sent.append(_Sent(answers, count, ends))
        self._transport.write(packed)
        # One timer for all: nearly every batch is answered long before it rings.
        if self._timer is None or ends < self._due:
            self._set_timer(ends)
        return answers

    def answered(self, answer: Any) -> None:
        if type(answer) is hiredis.PushNotification or not self._sent:  # of Redis's own accord
            return
        self._answers.append(answer)
        if len(self._answers) == self._sent[0].expected:
            answers, self._answers = self._answers, []
            future = self._sent.popleft().answers
            if not future.done():  # it is, if its caller was cancelled
                future.set_result(answers)

    def lost(self, error: RedisError) -> None:
        if self._timer is not None:
            self._timer.cancel()
        sent, self._sent = self._sent, deque()
        for batch in sent:
            if not batch.answers.done():
                batch.answers.set_exception(error)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_later(max(0.0, due - time.monotonic()), self._look)

    def _look(self) -> None:
        """End the connection if a batch has taken too long; or look again when one will have."""
        self._timer = None
        if not self._sent:
            return
        first = min(batch.ends for batch in self._sent)
        if first <= time.monotonic():
            self.close(RedisTimeoutError("Redis has not answered in time"))
        else:
            self._set_timer(first)

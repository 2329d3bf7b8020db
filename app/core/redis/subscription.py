"""Messages of one channel of Redis, as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import hiredis
from redis.exceptions import RedisError

from app.core.redis.commands import Command
from app.core.redis.received import CLOSED, Received


class Subscription(Received):
    """One connection that is subscribed to one channel."""

    def __init__(
        self,
        channel: str,
        begun: Callable[[], None],
        take: Callable[[bytes], None],
        silent_seconds: float,
    ) -> None:
        """
        Args:
            begun: called when all further messages will come.
            take: called with each message.
            silent_seconds: after which a silent Redis is asked for an answer, and after which
                the connection counts as lost if that does not come.
        """
        super().__init__()
        self._channel = channel
        self._begun = begun
        self._take = take
        self._silent_seconds = silent_seconds
        self._heard = 0.0
        self._asked = False
        self._timer: asyncio.TimerHandle | None = None

    def take_over(self, writer: asyncio.StreamWriter) -> None:
        super().take_over(writer)
        self._ask(("SUBSCRIBE", self._channel))

    def answered(self, answer: Any) -> None:
        self._heard, self._asked = time.monotonic(), False
        if isinstance(answer, RedisError):  # it may not subscribe
            self.close(answer)
        elif not isinstance(answer, list):  # to a ping
            pass
        elif answer[0] == b"message":
            self._take(answer[2])
        elif answer[0] == b"subscribe":
            self._begun()

    def lost(self, error: RedisError) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self, command: Command) -> None:
        self._transport.write(hiredis.pack_command(command))
        self._heard, self._asked = time.monotonic(), True
        self._set_timer(self._silent_seconds)

    def _set_timer(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Notice a connection that has died silently."""
        left = self._heard + self._silent_seconds - time.monotonic()
        if left > 0:
            self._set_timer(left)
        elif self._asked:
            self.close(RedisError(CLOSED))
        else:
            self._ask(("PING",))

"""The rate limit of pictures for each client: one count for all server processes, in Redis."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import limits
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from app.core.errors import RateLimited
from app.core.redis.client import connect_async

MAX_CONNECTIONS = 16

RATE_PREFIX = "tinyimage:rate"
"""What the counts of `limits.rate` begin with."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The state of a client's limit after its last picture."""

    limit: int
    window: int
    """Seconds."""
    remaining: int
    reset: int
    """Seconds until one more picture is allowed."""

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them, and as they were before it."""
        return {
            "RateLimit-Policy": f'"pictures";q={self.limit};w={self.window}',
            "RateLimit": f'"pictures";r={self.remaining};t={self.reset}',
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(int(time.time()) + self.reset),
        }


class RateLimit:
    """Counts pictures in a moving window, which never holds more than the limit.

    Args:
        rate: such as `100/minute`; "" for none.
        url: where Redis is.
    """

    def __init__(self, rate: str, url: str) -> None:
        self._item = limits.parse(rate) if rate else None
        self._client = connect_async(url, connections=MAX_CONNECTIONS)
        # The pool has the address; the one given here only selects the client library.
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=RATE_PREFIX,
            connection_pool=self._client.connection_pool,  # type: ignore[arg-type]
        )
        self._window = MovingWindowRateLimiter(storage)

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self._item is not None

    async def count(self, client: str) -> Usage | None:
        """Count one picture of the client.

        Returns:
            the state of its limit, or None if there is no limit.

        Raises:
            RateLimitExceeded: if it has reached the limit; this one does not count.
            redis.RedisError: if Redis cannot be reached.
        """
        if self._item is None:
            return None
        allowed = await self._window.hit(self._item, client)
        stats = await self._window.get_window_stats(self._item, client)
        usage = Usage(
            limit=self._item.amount,
            window=self._item.get_expiry(),
            remaining=max(0, stats.remaining),
            reset=max(1, math.ceil(stats.reset_time - time.time())),
        )
        if not allowed:
            raise RateLimitExceeded(usage)
        return usage

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


class RateLimitExceeded(RateLimited):
    """The client has reached its limit; `usage` says until when."""

    def __init__(self, usage: Usage) -> None:
        super().__init__(
            f"More than {usage.limit} pictures in {usage.window} seconds; try again", usage.reset
        )
        self.usage = usage

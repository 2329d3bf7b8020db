"""What the handlers of this API share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request

from app.core.errors import NotFound, TinyImageError
from app.core.storage.interface import ObjectNotFound
from app.web.errors import queue_unavailable
from app.web.guard.record import record_of
from app.web.guard.requests import Guard
from app.web.service.conversions import Conversions, Result
from app.web.service.sources import Sources
from app.web.service.spooling import Spooling, refuse
from app.web.tinify import errors
from app.web.tinify.accounts import Accounts
from app.web.tinify.deliver import AT_ONCE, Deliveries
from app.web.tinify.delivery import Delivery
from app.web.tinify.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One for each server process."""

    accounts: Accounts
    conversions: Conversions
    deliveries: Deliveries
    guard: Guard
    public_url: str | None
    sources: Sources
    spooling: Spooling
    work: Work
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    """For results that are sent elsewhere at once."""

    async def deliver(self, delivery: Delivery, result: Result) -> str:
        """Put a result where a client wants it. Returns its URL there.

        Raises:
            NotFound: if the result has gone meanwhile.
            InvalidOption: if it may not be put there.
            DeliveryFailed: if the server there does not take it, and why.
        """
        async with self.room:  # before it is read: a result may be large
            try:
                data = await self.conversions.read(result.job)
            except ObjectNotFound:
                raise NotFound("There is no such result") from None
            media_type = result.format.media_type
            return await self.deliveries.deliver(delivery, data, media_type)

    async def answered(
        self, request: Request, handling: Callable[[], Awaitable[HTTPResponse | None]]
    ) -> HTTPResponse | None:
        """What a handler answers, or the error that it raises, also while the body still comes."""
        try:
            try:
                return await handling()
            except RedisError as error:
                raise queue_unavailable(error) from None
        except TinyImageError as error:
            record_of(request).outcome = error.code
            await refuse(request, error, errors.respond, 2 * self.spooling.max_size)
            return None

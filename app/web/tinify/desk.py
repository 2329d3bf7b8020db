"""What the handlers of this API share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request

from app.core.errors import TinyImageError
from app.web.errors import queue_unavailable
from app.web.guard.record import record_of
from app.web.guard.requests import Guard
from app.web.serve.connection import has_body_left
from app.web.service.conversions import Conversions
from app.web.service.sources import Sources
from app.web.service.spooling import Spooling, answer_first
from app.web.tinify import errors
from app.web.tinify.accounts import Accounts
from app.web.tinify.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One for each server process."""

    accounts: Accounts
    conversions: Conversions
    guard: Guard
    public_url: str | None
    sources: Sources
    spooling: Spooling
    work: Work

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
            if not has_body_left(request):
                raise
            record_of(request).outcome = error.code
            response = errors.respond(request, error)
            await answer_first(request, response, 2 * self.spooling.max_size)
            return None

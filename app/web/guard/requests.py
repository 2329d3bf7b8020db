"""The steps before and after every request: its record, its key, its headers."""

from __future__ import annotations

from functools import lru_cache

from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import BaseHTTPResponse

from app.core.errors import TooManySockets, Unauthorized
from app.web.guard.address import client_network
from app.web.guard.auth import ApiKeys, given_key
from app.web.guard.headers import Cors, challenge_script, secure
from app.web.guard.rate import RateLimit, RateLimitExceeded, Usage
from app.web.guard.record import REQUEST_ID_HEADER, record_of
from app.web.guard.sockets import Sockets
from app.web.serve.connection import stay_http


class Guard:
    """Checks keys and limits.

    Every route needs the API key, if there are keys, but for those of open blueprints, those
    registered with `ctx_is_open=True`, and those with `ctx_checks_key=True`, which check the key
    themselves: before the body is read, or in a message.
    """

    def __init__(self, keys: ApiKeys, cors: Cors, rate: RateLimit, sockets: Sockets) -> None:
        self.keys = keys
        self.sockets = sockets
        self._cors = cors
        self._rate = rate
        self._open: set[str] = set()

    def open(self, blueprint: Blueprint) -> Blueprint:
        """The blueprint, whose routes need no key from here on."""
        self._open.add(blueprint.name)
        return blueprint

    def install(self, app: Sanic) -> None:  # type: ignore[type-arg]
        """See every request of the application and every answer."""
        app.register_middleware(self._before, "request")
        app.register_middleware(self._after, "response")

    def admit(self, request: Request, key: str | None = None) -> None:
        """Take the key of the request's headers.

        Args:
            key: one that its body has, where the headers have none.

        Raises:
            Unauthorized: if one is required, and it is missing or wrong.
        """
        if not self.keys.required:
            return
        if (given := given_key(request, basic=self._cors.allows(request))) is not None:
            key = given
        if key is None:
            raise Unauthorized("An API key is required")
        record_of(request).key = self.keys.owner(key)

    def key_of(self, request: Request) -> str | None:
        """The key in the request's headers, or None; that of Basic with any user."""
        return given_key(request, basic=self._cors.allows(request), user=None)

    async def count_picture(self, request: Request) -> None:
        """Count a picture of its sender; the answer's headers have the state of the limit.

        Raises:
            RateLimitExceeded: if it is one too many.
            redis.RedisError: if Redis cannot be reached.
        """
        if not self._rate.limited:
            return
        record = record_of(request)
        who = f"key:{record.key}" if record.key else f"address:{client_network(record.address)}"
        try:
            request.ctx.usage = await self._rate.count(who)
        except RateLimitExceeded as error:
            request.ctx.usage = error.usage
            raise

    async def _before(self, request: Request) -> HTTPResponse | None:
        record = record_of(request)
        blueprint, route = _names_of(request.route.name) if request.route else ("", "")
        record.route = route or None
        if response := self._cors.preflight(request):
            record.outcome = "preflight"
            return response
        if not request.head:  # it could not be read, so that there is no key to be asked for
            return None
        if route != "live":
            stay_http(request)
        rules = request.route.ctx if request.route else None
        is_open = blueprint in self._open or getattr(rules, "is_open", False)
        if not is_open and not getattr(rules, "checks_key", False):
            self.admit(request)
        elif route == "live":
            # A wrong key is refused before the upgrade; a missing one can still come in a message.
            if given_key(request, basic=self._cors.allows(request)) is not None:
                self.admit(request)
            if not self.sockets.free(record.address):
                raise TooManySockets("Too many open sockets; try again later")
        return None

    async def _after(self, request: Request, response: BaseHTTPResponse) -> None:
        record = record_of(request)
        secure(request, response)
        if response.status == 401:
            challenge_script(request, response)
        if cors := self._cors.headers(request):
            response.headers.extend(cors)
        if vary := getattr(request.ctx, "vary", None):
            response.headers.add("Vary", vary)
        response.headers[REQUEST_ID_HEADER] = record.id
        usage: Usage | None = getattr(request.ctx, "usage", None)
        if usage is not None:
            response.headers.update(usage.headers)
        record.status = response.status
        record.outcome = record.outcome or "ok"
        if not record.streamed:
            record.bytes_out = 0 if request.method == "HEAD" else len(response.body or b"")
            record.write()


@lru_cache
def _names_of(name: str) -> tuple[str, str]:
    """The blueprint and the route in the name of a route of Sanic's."""
    *_, blueprint, route = name.split(".")
    return blueprint, route

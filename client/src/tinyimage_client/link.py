"""Requests to a server that may be busy, or away for a while."""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx2

from tinyimage_client.errors import KeyRefused, NotAServer, Refused, Unreachable

CONNECT_SECONDS = 10.0

SILENCE_SECONDS = 90.0
"""How long a connection may say nothing; the server waits a minute at most with an answer."""

FIRST_SECONDS = 10.0
"""How long a server may be away before it has done anything for a picture: then it is not started
anew, but does not work, as without its Redis."""

LONGEST_PAUSE = 15.0
"""Seconds between two tries to reach a server that is away."""

LONGEST_WAIT = 86_400.0
"""Seconds that a server may ask a request to wait: one that asks for more is not waited for."""

_PASSES = {429, 502, 503, 504, 507}
"""After these the same request may succeed."""

_ALIVE = {"rate_limited", "queue_full"}
"""With these a server that works says when it has room: for as long as it takes."""

_DIGITS = 12
"""Of a number of seconds: those behind them would make it no smaller."""

Waits = Callable[[float, str], None]
"""Hears for how many seconds a request waits, and why."""


class Link:
    """The connections to one server."""

    def __init__(self, url: str, key: str | None, patience: float) -> None:
        """
        Args:
            url: of the server; what it has below a path ends there.
            key: the API key.
            patience: seconds for which a server may be away.

        Raises:
            ValueError: if the URL is none of HTTP, or has a key in it, or the key has line breaks.
        """
        self.url = checked_url(url)
        self._patience = patience
        self._reached = False
        self._works = False
        self._resumes = 0.0
        self._http = httpx2.AsyncClient(
            headers=_authorization(key),
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS, pool=None),
            # As many connections as its users have pictures under way.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, waits: Waits | None = None
    ) -> httpx2.Response:
        """The answer to a GET; also 404. Redirects are followed, without the key to other hosts.

        Args:
            waits: of a picture; None for what concerns no picture.

        Raises:
            Refused, Unreachable: if there is none.
        """

        def request() -> httpx2.Request:
            return self._http.build_request("GET", self.url + path, params=query)

        return await self._send(request, waits)

    async def post(
        self,
        path: str,
        content: Callable[[], AsyncIterator[bytes]],
        headers: Mapping[str, str],
        waits: Waits | None = None,
    ) -> httpx2.Response:
        """The answer to a POST.

        Args:
            content: the body, made anew for each try.

        Raises:
            Refused, Unreachable: if there is none.
        """

        def request() -> httpx2.Request:
            return self._http.build_request(
                "POST", self.url + path, content=content(), headers=headers
            )

        return await self._send(request, waits)

    async def _send(
        self, request: Callable[[], httpx2.Request], waits: Waits | None
    ) -> httpx2.Response:
        away_since, tries = None, 0
        while True:
            await self._turn(waits)
            began = time.monotonic()
            refusal: Refused | Unreachable
            try:
                built = request()
                # A redirected upload would be another request.
                follows = built.method == "GET"
                response = await self._http.send(built, follow_redirects=follows)
            except httpx2.TransportError as error:
                refusal = Unreachable(f"{self.url} cannot be reached: {in_words(error)}")
                if not self._reached:
                    raise refusal from None
            except httpx2.RequestError as error:
                raise NotAServer(f"{self.url}: {in_words(error)}") from None
            else:
                self._reached = True
                if response.status_code < 300 or response.status_code == HTTPStatus.NOT_FOUND:
                    # What it says of itself it may say without all that pictures need.
                    self._works = self._works or waits is not None
                    return response
                refusal = refusal_of(response)
                if response.status_code not in _PASSES:
                    raise refusal
            asked = refusal.retry_after if isinstance(refusal, Refused) else None
            if asked is not None and asked > LONGEST_WAIT:
                raise refusal
            if refusal.code in _ALIVE:
                away_since = None
            else:
                away_since = began if away_since is None else away_since
                away = time.monotonic() - away_since
                if not self._works and away > FIRST_SECONDS and self._patience < math.inf:
                    raise Unreachable(f"{self.url} cannot be used: {refusal}")
                if away > self._patience:
                    raise refusal
            tries += 1
            self._pause(min(LONGEST_PAUSE, 0.25 * 2 ** min(tries, 10)) if asked is None else asked)
            await self._turn(waits, str(refusal))

    def _pause(self, seconds: float) -> None:
        """Ask nothing before, whoever it is for: the server has told one for all."""
        self._resumes = max(self._resumes, time.monotonic() + seconds)

    async def _turn(self, waits: Waits | None, reason: str = "the server is busy") -> None:
        while (left := self._resumes - time.monotonic()) > 0:
            if waits is not None:
                waits(left, reason)
            await asyncio.sleep(left)


def refusal_of(response: httpx2.Response) -> Refused:
    """The error in an answer."""
    body = json_of(response)
    told = body if isinstance(body, dict) else {}
    code = str(told.get("error") or f"http_{response.status_code}")
    location = (
        f": it has moved to {response.headers['location']}"
        if response.has_redirect_location
        else ""
    )
    message = str(told.get("message") or f"the server answers {response.status_code}{location}")
    kind = KeyRefused if response.status_code == HTTPStatus.UNAUTHORIZED else Refused
    wait = seconds_until(response.headers.get("retry-after"))
    if wait is not None and wait > LONGEST_WAIT and response.status_code in _PASSES:
        message += f" (it asks to wait for {wait / LONGEST_WAIT:,.0f} days)"
    return kind(response.status_code, code, message, wait)


def json_of(response: httpx2.Response) -> Any:
    """The body as JSON data; None if it is none."""
    try:
        return response.json()
    except ValueError:
        return None


def seconds_until(value: str | None) -> float | None:
    """The seconds of a `Retry-After`, which has a number or a date (RFC 9110, section 10.2.3);
    None if there are none."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:_DIGITS])
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def in_words(error: Exception) -> str:
    """What went wrong with a request, in one line."""
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def checked_url(url: str) -> str:
    """The address, with a slash at its end.

    Raises:
        ValueError: if it is none of a server.
    """
    try:
        parsed = httpx2.URL(url.strip())
    except httpx2.InvalidURL as error:
        raise ValueError(f"the address of the server: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(
            f"the address of the server should be such as http://localhost:8080 (it is {url!r})"
        )
    if parsed.userinfo:
        raise ValueError("a key does not belong in the address of the server")
    if parsed.query or parsed.fragment:
        raise ValueError("the address of the server should have no query")
    return str(parsed).rstrip("/") + "/"


def _authorization(key: str | None) -> dict[str, str]:
    if not key:
        return {}
    if not key.isprintable():
        raise ValueError("the API key should have no line breaks or control characters")
    # Not X-API-Key: this header is not sent on to the host of a redirect.
    return {"Authorization": f"Bearer {key}"}


def rounded_up(seconds: float) -> int:
    """Whole seconds, for people."""
    return max(1, math.ceil(seconds))

"""The security headers of every answer, and the sites that may use this server from a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sanic import HTTPResponse, Request
from sanic.response import BaseHTTPResponse, empty

from app.core.errors import BEARER_CHALLENGE

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "X-Frame-Options": "DENY",
}
"""An answer is data: it must not run, load or be framed."""

DOWNLOADS = ("/download/", "/output/")
"""Where results are."""

ALLOWED_METHODS = "GET, HEAD, POST, DELETE, OPTIONS"
ALLOWED_HEADERS = (
    "Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Range, "
    "If-Unmodified-Since, Last-Event-ID, Prefer, Range, X-API-Key, X-Request-ID"
)
EXPOSED_HEADERS = (
    "Accept-Ranges, Compression-Count, Content-Disposition, Content-Length, Content-Range, ETag, "
    "Image-Height, Image-Width, Location, Preference-Applied, "
    "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-RateLimit-Limit, "
    "X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID"
)
PREFLIGHT_SECONDS = 600


class Cors:
    """Cross-origin requests of the allowed sites (WHATWG Fetch, "CORS protocol").

    Credentials are never allowed: a key is put into a header by the page itself.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._all = "*" in origins
        self._origins = frozenset(origins)

    def allows(self, request: Request) -> bool:
        """Whether the request comes from no page, from our page, or from an allowed site."""
        origin = request.headers.get("origin")
        if origin is None or self._all or origin.lower() in self._origins:
            return True
        _, _, host = origin.lower().partition("://")
        return bool(host) and host == request.headers.get("host", "").lower()

    def preflight(self, request: Request) -> HTTPResponse | None:
        """The answer to a preflight request of an allowed site, or None."""
        if (
            request.method != "OPTIONS"
            or "access-control-request-method" not in request.headers
            or not self._grant(request)
        ):
            return None
        return empty(
            headers={
                "Access-Control-Allow-Methods": ALLOWED_METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            }
        )

    def headers(self, request: Request) -> Mapping[str, str]:
        """The headers of the answer on cross-origin use."""
        if not self._origins:
            return {}
        vary = {} if self._all else {"Vary": "Origin"}
        grant = self._grant(request)
        if grant is None:
            return vary
        return {
            **vary,
            "Access-Control-Allow-Origin": grant,
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        }

    def _grant(self, request: Request) -> str | None:
        origin = request.headers.get("origin")
        if origin is None:
            return None
        if self._all:
            return "*"
        return origin if origin.lower() in self._origins else None


def challenge_script(request: Request, response: BaseHTTPResponse) -> None:
    """Leave Basic out of a challenge to a script: with it a browser opens its own password dialog,
    and the script waits."""
    by_script = request.headers.get("x-requested-with", "").lower() == "xmlhttprequest"
    if by_script and "WWW-Authenticate" in response.headers:
        response.headers["WWW-Authenticate"] = BEARER_CHALLENGE


def secure(request: Request, response: BaseHTTPResponse) -> None:
    """Add the security headers that the answer has not set itself."""
    headers = response.headers
    for name, value in SECURITY.items():
        headers.setdefault(name, value)
    # Any site may show a result, as before; all else needs our own page or CORS.
    site = "cross-origin" if (request.path or "").startswith(DOWNLOADS) else "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", site)

"""Where an output is, in the form that each client can follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OFFICIAL = "tinify/"
"""What the User-Agent of the official clients begins with, and of WordPress."""

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")

_HOST = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Located:
    """The two forms of one address."""

    location: str
    """For the header `Location`."""
    url: str
    """For `output.url`, which has a host wherever one is known."""


def locate(path: str, headers: Mapping[str, str], scheme: str, public_url: str | None) -> Located:
    """The address of what is at `path`.

    Over https both forms are whole. Over http most official clients put their own endpoint before
    what does not begin with https, so they get a `Location` without a host; all others take it as
    it is.

    Args:
        headers: of the request, asked for without regard to case.
        scheme: of the connection.
        public_url: the setting, which wins over what the request says.
    """
    base = public_url.rstrip("/") if public_url else _base(headers, scheme)
    whole = f"{base}{path}"
    is_secure = whole.startswith("https://")
    official = headers.get("user-agent", "").lower().startswith(OFFICIAL)
    return Located(path if official and not is_secure else whole, whole)


def _base(headers: Mapping[str, str], scheme: str) -> str:
    """Scheme, host and path prefix as the client has them; "" without a valid host."""
    # What a client says of itself is told to itself alone, so a proxy's word needs no proof.
    forwarded = _first(headers.get("x-forwarded-proto", "")).lower()
    if forwarded in ("http", "https"):
        scheme = forwarded
    for name in ("x-forwarded-host", "host"):
        host = _first(headers.get(name, ""))
        if _HOST.fullmatch(host):
            return f"{scheme}://{host}{_prefix(headers)}"
    return ""


def _prefix(headers: Mapping[str, str]) -> str:
    """The path that a proxy has taken off, as Traefik and Spring name it; "" if it names none."""
    prefix = _first(headers.get("x-forwarded-prefix", "")).rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""


def _first(value: str) -> str:
    return value.partition(",")[0].strip()

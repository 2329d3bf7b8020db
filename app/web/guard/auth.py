"""API keys: where a request has one, and its name."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from sanic import Request

from app.core.config.access import ApiKey
from app.core.errors import Unauthorized

BASIC_USER = "api"
"""The user of Basic: the key is the password."""


class ApiKeys:
    """The keys of the settings, as digests."""

    def __init__(self, keys: Mapping[str, ApiKey]) -> None:
        self._digests = {name: _digest(key.key.get_secret_value()) for name, key in keys.items()}

    @property
    def required(self) -> bool:
        """Whether there are keys: without them the server is open."""
        return bool(self._digests)

    def owner(self, key: str) -> str:
        """The name of the key.

        All are compared, each in constant time, so that the duration reveals nothing.

        Raises:
            Unauthorized: if there is no such key.
        """
        given, owner = _digest(key), None
        for name, digest in self._digests.items():
            if hmac.compare_digest(given, digest):
                owner = name
        if owner is None:
            raise Unauthorized("The API key is unknown")
        return owner


def given_key(request: Request, *, basic: bool, user: str | None = BASIC_USER) -> str | None:
    """The key in the request's headers, or None.

    Args:
        basic: whether the Basic scheme counts: a browser sends remembered credentials by itself,
            even for a page of another site.
        user: the user of Basic; None for any.
    """
    if key := request.headers.get("x-api-key"):
        return str(key).strip()
    scheme, _, value = str(request.headers.get("authorization", "")).partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic" and basic:
        try:
            decoded = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return ""
        given_user, _, password = decoded.partition(":")
        return password if user in (None, given_user) else ""
    return None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()

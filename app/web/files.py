"""Pages for people: their files, and what a browser may do on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

CACHE_SECONDS = 365 * 24 * 3600
"""For files that are asked for with their version."""

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # Icons in the stylesheet, and pictures that a page has at hand.
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}

_FORMS = {"form-action": "'self'", "frame-src": "'self'"}
"""Of a page whose downloads the browser is to save itself: it sends a form into a frame."""


def policy(*, forms: bool) -> str:
    """What a page may do: no inline script or style, and nothing from or to another host.

    Args:
        forms: whether it may send forms to this server.
    """
    given = {**_POLICY, **_FORMS} if forms else _POLICY
    return "; ".join(f"{name} {sources}" for name, sources in given.items())


def version_of(files: Iterable[Path]) -> str:
    """A name for these files as they are now."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cache_control(*, named: bool) -> str:
    """How long a cache may keep a file.

    Args:
        named: whether the request names its version: then it never changes.
    """
    return f"public, max-age={CACHE_SECONDS}, immutable" if named else "no-cache"

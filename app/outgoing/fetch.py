"""A file by its URL."""

from __future__ import annotations

import time
from urllib.parse import urljoin

from app.outgoing.exchange import Request, exchange
from app.outgoing.rules import MAX_REDIRECTS, OutgoingError, Rules

_REDIRECTS = (301, 302, 303, 307, 308)


def fetch(url: str, rules: Rules, max_bytes: int) -> bytes:
    """The file as the server has it.

    Raises:
        OutgoingError: if the file cannot be had; the message tells the client why.
    """
    deadline = time.monotonic() + rules.seconds
    for _ in range(MAX_REDIRECTS + 1):
        with exchange(Request(url, headers={"Accept": "image/*"}), rules, deadline) as answer:
            if answer.status in _REDIRECTS and "location" in answer.headers:
                try:
                    url = urljoin(url, answer.headers["location"].strip())
                except ValueError:
                    raise OutgoingError("The server redirects to what is not a URL") from None
                continue
            if answer.status != 200:
                raise OutgoingError(f"Server responded with {answer.status}")
            # Nothing is inflated: a few bytes may become any number.
            coding = answer.headers.get("content-encoding", "").strip().lower()
            if coding not in ("", "identity"):
                raise OutgoingError("The server's answer is compressed, which was not asked for")
            return answer.read(max_bytes)
    raise OutgoingError(f"There are more than {MAX_REDIRECTS} redirects")

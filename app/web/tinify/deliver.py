"""A result sent to a bucket of the client's.

In the web process, in a few threads: a job's arguments are in Redis, in its append-only file and in
what is copied of it, and the client's secrets are to be in none of these. So they are in the memory
of one request and nowhere else. Not by obstore, as that looks up the name of the server by itself:
an endpoint that a client names would be checked at one address and sent to at another.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlsplit

from app.core.errors import DeliveryFailed, InvalidOption
from app.outgoing.exchange import Request, exchange
from app.outgoing.rules import OutgoingError, Refused, Rules
from app.web.tinify.delivery import Delivery

AT_ONCE = 4
"""Results that a process sends at once; it bounds its threads and their memory."""

_ANSWER_SIZE = 64 * 1024
"""Bytes of an answer that are read; S3's errors have some hundred."""
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")


class Deliveries:
    """Sends results, for one event loop."""

    def __init__(self, rules: Rules, *, own_endpoints: bool) -> None:
        """
        Args:
            rules: where requests may go.
            own_endpoints: whether a client may name a server; else Amazon's and Google's alone.
        """
        self._rules = rules
        self._own_endpoints = own_endpoints
        # Threads of its own: a server that hangs holds one on after its client has gone, and those
        # of the loop are for the storage.
        self._threads = ThreadPoolExecutor(AT_ONCE, "delivery")

    async def deliver(self, delivery: Delivery, data: bytes, media_type: str) -> str:
        """Put the bytes where the delivery says. Once begun it goes on to its end, also if the
        client goes away.

        Returns:
            the URL of the object, which is there.

        Raises:
            InvalidOption: if the endpoint is not one that may be sent to.
            DeliveryFailed: if the server does not take it, and why.
        """
        if delivery.own_endpoint and not self._own_endpoints:
            raise InvalidOption("'store.endpoint' is not allowed here")
        put = asyncio.get_running_loop().run_in_executor
        await put(self._threads, _put, delivery, data, media_type, self._rules)
        return delivery.url


def _put(delivery: Delivery, data: bytes, media_type: str, rules: Rules) -> None:
    headers = {**delivery.headers, "content-type": media_type}
    if delivery.region:
        headers = signed(delivery, headers, data, datetime.now(UTC))
    else:
        headers["authorization"] = f"Bearer {delivery.secret}"
    request = Request(delivery.url, "PUT", headers, data)
    try:
        with exchange(request, rules, time.monotonic() + rules.seconds) as answer:
            if answer.status not in (200, 201):
                message = _MESSAGE.search(answer.read(_ANSWER_SIZE).decode("utf-8", "replace"))
                said = unescape(message[1]) if message else ""
                raise DeliveryFailed(said or f"Server responded with {answer.status}")
    except Refused as error:
        raise InvalidOption(f"'store.endpoint': {error}") from None
    except OutgoingError as error:
        raise DeliveryFailed(str(error)) from None


def signed(
    delivery: Delivery, headers: dict[str, str], data: bytes, moment: datetime
) -> dict[str, str]:
    """The headers of a PUT with AWS's signature, version 4 (Amazon S3 API Reference, "Signature
    calculations for the Authorization header").

    Args:
        headers: by names in lower case.
    """
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(data).hexdigest()
    host = urlsplit(delivery.endpoint).netloc.lower()
    default = {"http": ":80", "https": ":443"}[urlsplit(delivery.endpoint).scheme]
    headers = {
        **headers,
        "host": host.removesuffix(default),
        "x-amz-content-sha256": digest,
        "x-amz-date": stamp,
    }
    names = ";".join(sorted(headers))
    lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers)]
    request = "\n".join(("PUT", delivery.path, "", "".join(lines), names, digest))
    scope = f"{stamp[:8]}/{delivery.region}/s3/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashed))
    key = f"AWS4{delivery.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    del headers["host"]  # the connection has it
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={delivery.key_id}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return headers

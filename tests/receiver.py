"""A receiver of webhooks on loopback, which verifies as docs/webhooks.md says and misbehaves on
demand."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.service import until
from tests.serving import serving

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMu"
OTHER_SECRET = "whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHRlc3RzLi4u"


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes
    time: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.event["data"])

    def is_signed_by(self, secret: str) -> bool:
        try:
            return bool(Webhook(secret).verify(self.body, dict(self.headers)) == self.event)
        except WebhookVerificationError:
            return False


class Receiver:
    """What has come, and what is answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[Received] = []
        self.answers: list[Callable[[BaseHTTPRequestHandler], None] | int] = []
        """For the next requests, a status or what is done instead; afterwards 204."""
        self.always: Callable[[BaseHTTPRequestHandler], None] | int = 204
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def take(self, request: Received) -> Callable[[BaseHTTPRequestHandler], None] | int:
        """Note a request. Returns what is answered."""
        with self._lock:
            self.received.append(request)
            return self.answers.pop(0) if self.answers else self.always

    def wait(self, count: int, seconds: float = 30.0) -> list[Received]:
        """What has come, once it is so many."""
        until(lambda: len(self.received) >= count, seconds, f"{count} webhooks")
        return list(self.received)

    def of(self, md5: str, count: int = 1) -> list[Received]:
        """What has come of a picture, once it is so many."""

        def found() -> list[Received]:
            there = [each for each in list(self.received) if md5.encode() in each.body]
            return there if len(there) >= count else []

        return until(found, what=f"{count} webhooks of {md5}")

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer nothing."""
        self.stopped.wait()

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """Send a head that never ends."""
        while not self.stopped.wait(0.05):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def drip_body(self, handler: BaseHTTPRequestHandler) -> None:
        """Send a body that never ends."""
        handler.send_response(200)
        handler.end_headers()
        while not self.stopped.wait(0.05):
            handler.wfile.write(b"a")


def closes(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""


def answers(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer so, with these headers."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": "0", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return answer


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.receiver.take(Received(self.path, headers, body, time.time()))
        with contextlib.suppress(OSError):  # the other side has had enough
            (answers(answer) if isinstance(answer, int) else answer)(self)

    def do_GET(self) -> None:
        self.receiver.take(Received(self.path, {}, b"GET", time.time()))
        answers(200)(self)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """One that runs."""
    handler: type[_Handler] = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    handler.receiver = running = Receiver(server.server_port)
    with serving(server, running.stopped):
        yield running


def webhook_settings(
    endpoints: Mapping[str, Mapping[str, Any]] | None = None, **further: Any
) -> dict[str, Any]:
    """Settings of the environment, which allow loopback."""
    named = {"WEBHOOKS__ENDPOINTS": json.dumps(endpoints)} if endpoints else {}
    settings = {"FETCH__ALLOWED_NETWORKS": "127.0.0.1/32", **named}
    return settings | {f"WEBHOOKS__{name.upper()}": value for name, value in further.items()}

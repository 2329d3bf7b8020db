"""A server on loopback that answers as servers should not."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.serving import serving

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
BOMB = 100 * 1024**2
"""Bytes that /bomb would be, inflated."""


class Host:
    """What has been asked of it, and where it is."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port = server.server_port
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopped = threading.Event()
        self.files: dict[str, bytes] = {}
        """What is below /files/."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    host: Host

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.host.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        kind, _, rest = self.path.removeprefix("/").partition("/")
        with contextlib.suppress(OSError):  # the other side has had enough
            getattr(self, f"_{kind.partition('?')[0]}")(rest)

    def do_PUT(self) -> None:
        self.host.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _picture(self, rest: str) -> None:
        self._answer(200, PICTURE, Set_Cookie="a=b")

    def _files(self, rest: str) -> None:
        data = self.host.files.get(rest.partition("?")[0])
        self._answer(404) if data is None else self._answer(200, data)

    def _once_silent(self, rest: str) -> None:
        """A file, from the second time on."""
        if [path for path, _ in self.host.requests].count(self.path) == 1:
            self.host.stopped.wait()
        self._files(rest)

    def _status(self, rest: str) -> None:
        self._answer(int(rest.partition("?")[0]))

    def _redirects(self, rest: str) -> None:
        left = int(rest)
        self._answer(302, Location=f"/redirects/{left - 1}" if left > 1 else "/picture")

    def _to(self, rest: str) -> None:
        self._answer(307, Location=rest)

    def _announced(self, rest: str) -> None:
        self._answer(200, b"", Content_Length="1000000000000")

    def _short(self, rest: str) -> None:
        self._answer(200, PICTURE, Content_Length=str(len(PICTURE) + 1))

    def _bomb(self, rest: str) -> None:
        self._answer(200, gzip.compress(bytes(BOMB)), Content_Encoding="gzip")

    def _endless(self, rest: str) -> None:
        self._begin()
        while not self.host.stopped.is_set():
            self.wfile.write(bytes(64 * 1024))

    def _slow(self, rest: str) -> None:
        self._begin()
        while not self.host.stopped.wait(0.05):
            self.wfile.write(b"a")

    def _drips(self, rest: str) -> None:
        """A head that never ends."""
        while not self.host.stopped.wait(0.05):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _silent(self, rest: str) -> None:
        self.host.stopped.wait()

    def _first_silent(self, rest: str) -> None:
        if len(self.host.requests) == 1:
            self.host.stopped.wait()
        self._answer(200, PICTURE)

    def _begin(self) -> None:
        self.send_response(200)
        self.end_headers()


@contextlib.contextmanager
def host() -> Iterator[Host]:
    """One that runs."""
    handler: type[_Handler] = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.host = running = Host(server)
    with serving(server, running.stopped):
        yield running

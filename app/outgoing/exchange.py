"""One request and its answer, over a connection to an address that was checked."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from app.outgoing.rules import OutgoingError, Refused, Rules, TooLarge

T = TypeVar("T")

_PART = 64 * 1024
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
"""What is not escaped: it is in a URL as it should be, or none of our business."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Nothing is added to it that tells of a user, as cookies or a password."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


class _Watch:
    """Ends a connection when its time is over, whatever waits for it."""

    def __init__(self, deadline: float) -> None:
        self.expired = False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(max(0, deadline - time.monotonic()), self._expire)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()
        if self.socket is not None:
            self.socket.close()

    def _expire(self) -> None:
        self.expired = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


class Answer:
    """The answer of the server, as it comes."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in response.getheaders()}

    def read(self, max_bytes: int) -> bytes:
        """The body as it was sent, not decompressed.

        Raises:
            TooLarge: if it is larger.
            OutgoingError: if it was cut off.
        """
        too_large = f"The answer is larger than {max_bytes} bytes"
        if (self._response.length or 0) > max_bytes:
            raise TooLarge(too_large)
        body = bytearray()
        while part := self._response.read(min(_PART, max_bytes + 1 - len(body))):
            body += part
            if len(body) > max_bytes:
                raise TooLarge(too_large)
        if self._response.length:
            raise OutgoingError(_CUT_OFF)
        return bytes(body)


_CUT_OFF = "The server's answer was cut off"


@contextmanager
def exchange(request: Request, rules: Rules, deadline: float) -> Iterator[Answer]:
    """Send a request, and have the answer.

    Args:
        deadline: by `time.monotonic`, when all of it ends.

    Raises:
        Refused: if the request may not go there.
        OutgoingError: if it comes to nothing, and why.
    """
    late = OutgoingError(f"The server took longer than {rules.seconds:g} seconds")
    with _Watch(deadline) as watch:
        try:
            yield Answer(_send(request, rules, deadline, watch))
        except OutgoingError:
            if watch.expired:
                raise late from None
            raise
        except (http.client.IncompleteRead, ConnectionError):
            raise late if watch.expired else OutgoingError(_CUT_OFF) from None
        except TimeoutError:
            raise late from None
        except ssl.SSLCertVerificationError:
            raise OutgoingError("The server's certificate is not valid") from None
        except (OSError, http.client.HTTPException, ValueError):
            failed = OutgoingError("The server's answer cannot be understood")
            raise late if watch.expired else failed from None
        if watch.expired:
            raise late


def _send(
    request: Request, rules: Rules, deadline: float, watch: _Watch
) -> http.client.HTTPResponse:
    target, policy = rules.target(request.url)
    addresses = _in_time(lambda: rules.addresses(target, policy), deadline)
    watch.socket = _connected(rules, addresses, policy, deadline)
    watch.socket.settimeout(_left(deadline))
    if target.scheme == "https":
        watch.socket = _trusted().wrap_socket(
            watch.socket, server_hostname=target.host, do_handshake_on_connect=False
        )
        watch.socket.do_handshake()
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.auto_open = 0  # it would look the name up
    connection.sock = watch.socket
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.putrequest(
        request.method, quote(path, safe=_PRINTABLE), skip_host=True, skip_accept_encoding=True
    )
    host = f"[{target.host}]" if ":" in target.host else target.host
    port = "" if target.port == _DEFAULT_PORTS[target.scheme] else f":{target.port}"
    headers = {"Host": host + port, "User-Agent": "TinyImage-Server", "Accept-Encoding": "identity"}
    for name, value in {**headers, "Connection": "close", **request.headers}.items():
        connection.putheader(name, value)
    if request.body is not None:
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body)
    return connection.getresponse()


def _connected(rules: Rules, addresses: Any, policy: Any, deadline: float) -> socket.socket:
    from ssrfguard import BlockedAddressError, connect

    seconds = min(rules.connect_seconds, _left(deadline))
    tries = min(len(addresses), policy.max_connection_attempts)
    try:
        return connect(addresses, policy=policy, timeout=seconds / tries)
    except BlockedAddressError:
        raise Refused("The connection leads to another address") from None
    except OSError:
        raise OutgoingError("Cannot connect to the server") from None


def _left(deadline: float) -> float:
    """Seconds that are left.

    Raises:
        TimeoutError: if there are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _in_time(call: Callable[[], T], deadline: float) -> T:
    """What `call` returns. It runs in a thread, as a silent name server holds up its caller for
    longer than any deadline.

    Raises:
        TimeoutError: if it takes too long; the thread ends by itself.
    """
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=run, name="resolver", daemon=True).start()
    try:
        value, error = answers.get(timeout=_left(deadline))
    except Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine, or of `SSL_CERT_FILE`."""
    return ssl.create_default_context()

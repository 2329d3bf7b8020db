"""The access log: one line for each request, and for each picture of a socket."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter

from sanic import Request

from app.core.config.logs import log_event
from app.web.guard.address import client_address

logger = logging.getLogger("app.access")

REQUEST_ID_HEADER = "X-Request-ID"

SOCKET_METHOD = "WS"
"""The method in the line of a picture of a socket."""

SECRET_PATHS = ("/keys/",)
"""After these prefixes a path has an API key, which must not be logged."""

_SANE_ID = re.compile(r"[A-Za-z0-9._:@/+=-]{1,128}")
"""Ids that are accepted from a client or a proxy, without characters that need quoting."""


_NOT_LOGGED = {"streamed", "written", "began", "route", "count", "seconds"}


@dataclass(slots=True)
class Record:
    """One line of the access log. It holds no picture, no query and no header's value."""

    id: str
    method: str
    path: str
    address: str
    key: str | None = None
    """The name of the API key."""
    md5: str | None = None
    outcome: str | None = None
    """The outcome: an error's code, a job's state, or `ok`."""
    status: int | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    streamed: bool = False
    """Whether it is written at the end of a stream, not when the answer is made."""
    written: bool = False
    began: float = field(default_factory=time.perf_counter)
    route: str | None = None
    """The name of its route; None while it is unknown, and if it has none."""
    count: Callable[[Record], None] | None = None
    """Called when it ends."""
    seconds: float = 0.0
    """How long it took, once it has ended."""

    def write(self) -> None:
        """Log the line, once."""
        if self.written:
            return
        self.written = True
        self.seconds = time.perf_counter() - self.began
        if self.count is not None:
            self.count(self)
        line = dict(zip(_LOGGED, _logged(self), strict=True))
        line["milliseconds"] = round(self.seconds * 1000, 1)
        level = logging.ERROR if self.status == 500 else logging.INFO
        log_event(logger, level, f"{self.method} {self.path}", line)


_LOGGED = [field.name for field in fields(Record) if field.name not in _NOT_LOGGED]
_logged = attrgetter(*_LOGGED)


def record_of(request: Request) -> Record:
    """The request's record, made when it is first asked for."""
    record: Record | None = getattr(request, "record", None)
    if record is None:
        given = request.headers.get(REQUEST_ID_HEADER)
        record = request.record = Record(  # type: ignore[attr-defined]
            id=given if given and _SANE_ID.fullmatch(given) else _new_id(),
            method=request.method,
            path=_printable(request.path),
            address=client_address(request),
            count=request.app.ctx.instruments.count,
        )
    return record


def _new_id() -> str:
    # It keeps no secret. The system's random numbers cost a call, and a change of threads with it.
    return f"{random.getrandbits(64):016x}"


def _printable(path: str | None) -> str:
    path = path or "*"
    if path.startswith(SECRET_PATHS):
        path = f"{path[: path.index('/', 1)]}/-"
    return ascii(path)[1:-1][:512]

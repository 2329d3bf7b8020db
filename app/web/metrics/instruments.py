"""The counts of requests and sockets of this web instance, over all its processes.

Several processes share a folder: each keeps its numbers in files of its own there, and a
scraped process adds all of them up (the multiprocess mode of prometheus-client).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from app.process.temporary import TemporaryFolder
from app.web.guard.record import SOCKET_METHOD, Record

PREFIX = "tinyimage-web-"

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which prometheus-client looks for the folder."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""The label of any other method, and of a path without a route: invented names never become
labels."""

LASTING_ROUTES = frozenset({"live", "events"})
"""Those of sockets and event streams, which last as long as pictures take."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram of requests, in seconds."""


@dataclass(frozen=True, slots=True)
class Share:
    """Where one of several processes keeps its numbers."""

    folder: Path
    slot: int
    """Its number among them. A restarted process continues the numbers of the one before, so that
    there are never more files than processes."""


class SharedFolder:
    """The folder of several processes, from before the first is started to after the last."""

    def __init__(self) -> None:
        self._temporary = TemporaryFolder(PREFIX)
        self._owner = os.getpid()

    def share(self, slot: int) -> Share:
        """The share of the process with this number."""
        return Share(self._temporary.folder, slot)

    def forget(self, slot: int) -> None:
        """Remove the open requests and sockets of an ended process; its totals still count."""
        mark_process_dead(slot, str(self._temporary.folder))

    def close(self) -> None:
        """Delete the folder."""
        self._temporary.close()

    def close_if_orphaned(self) -> None:
        """Delete the folder if the process that made it was killed."""
        if os.getppid() != self._owner:
            self.close()


_Meter = TypeVar("_Meter", bound=Counter | Histogram)


class _Children(dict[tuple[object, ...], _Meter]):
    """The meters of one kind by the values of their labels, as `labels` gives them, which makes a
    tuple of strings and takes a lock each time."""

    def __init__(self, kind: _Meter) -> None:
        super().__init__()
        self._labels = cast(Callable[..., _Meter], kind.labels)

    def __missing__(self, labels: tuple[object, ...]) -> _Meter:
        child = self[labels] = self._labels(*labels)
        return child


class Instruments:
    """The counters of one process."""

    def __init__(self, share: Share | None = None) -> None:
        """
        Args:
            share: where its numbers are kept; None keeps them in memory, for one process alone.
        """
        self._share = share
        # Chosen here and not by the environment, which is read when the library is imported.
        if share is None:
            values.ValueClass = values.MutexValue
        else:
            os.environ[FOLDER_VARIABLE] = str(share.folder)
            values.ValueClass = values.MultiProcessValue(lambda: share.slot)
        self._registry = registry = CollectorRegistry()

        def counters(name: str, what: str, *labels: str) -> _Children[Counter]:
            return _Children(Counter(name, what, labels, registry=registry))

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(name, what, multiprocess_mode="livesum", registry=registry)

        self._requests = counters(
            "tinyimage_http_requests_total",
            "Answered requests, by route, method and status; a socket counts at its end",
            *("route", "method", "status"),
        )
        self._seconds = _Children(
            Histogram(
                "tinyimage_http_request_duration_seconds",
                "Seconds from a request's head to the end of its answer; sockets and streams aside",
                ("route",),
                buckets=BOUNDS,
                registry=registry,
            )
        )
        self._received = counters(
            "tinyimage_http_request_bytes_total",
            "Received bytes of bodies and of socket messages",
            "route",
        )
        self._sent = counters(
            "tinyimage_http_response_bytes_total",
            "Sent bytes of bodies and of socket messages",
            "route",
        )
        self._in_flight = gauge(
            "tinyimage_http_requests_in_flight",
            "Requests being answered, without sockets and event streams",
        )
        self._sockets = gauge("tinyimage_sockets_open", "Open sockets and event streams")
        self._pictures = counters(
            "tinyimage_socket_pictures_total", "Answered socket messages, by outcome", "outcome"
        )

    def begin_request(self) -> None:
        """Count a request as being answered."""
        self._in_flight.inc()

    def end_request(self) -> None:
        """Count it as answered, in whatever way."""
        self._in_flight.dec()

    @contextlib.contextmanager
    def socket(self) -> Iterator[None]:
        """Count a socket or an event stream as open, and its request as ended."""
        self._in_flight.dec()
        self._sockets.inc()
        try:
            yield
        finally:
            self._sockets.dec()
            self._in_flight.inc()

    def count(self, record: Record) -> None:
        """Count an ended request or picture."""
        route = record.route or OTHER
        if record.method == SOCKET_METHOD:
            self._pictures[(record.outcome or OTHER,)].inc()
        else:
            method = record.method if record.method in METHODS else OTHER
            self._requests[route, method, record.status].inc()
            if route not in LASTING_ROUTES:
                self._seconds[(route,)].observe(record.seconds)
        if record.bytes_in:
            self._received[(route,)].inc(record.bytes_in)
        if record.bytes_out:
            self._sent[(route,)].inc(record.bytes_out)

    def collector(self) -> Collector:
        """All numbers, those of the other processes too. Reading them blocks for a moment."""
        if self._share is None:
            return self._registry
        return MultiProcessCollector(None, path=str(self._share.folder))

"""A folder that is watched: what comes into it is compressed."""

from __future__ import annotations

import asyncio
import contextlib
import math
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

from tinyimage_client.command.outcome import Outcome
from tinyimage_client.command.placement import InPlace, Placement
from tinyimage_client.command.plan import Item, failed, item_of, no_file, walk
from tinyimage_client.command.report import Report
from tinyimage_client.command.whole import looks_whole
from tinyimage_client.command.work import Worker
from tinyimage_client.errors import SourceChanged
from tinyimage_client.files import Version

SETTLED_SECONDS = 1.0
"""A file that has its end, and has not changed for so long, is whole."""

UNFINISHED_SECONDS = 10.0
"""The same for a file without the end of its format: it may never get one."""

TICK = 0.25
"""Seconds between two looks at files that are not whole yet."""

AGAIN_SECONDS = 1.0
"""How long after a change all is looked through once more."""

LOOK_SECONDS = 30.0
"""How often all is looked through even if nothing was told: network drives tell nothing."""


@dataclass
class _Arrival:
    """A file that may still be written."""

    version: Version
    since: float


class Watch:
    """The pictures of a folder, each compressed once for each content it gets."""

    def __init__(
        self, folder: Path, placement: Placement, format: str, worker: Worker, report: Report
    ) -> None:
        self._folder = folder
        self._placement = placement
        self._format = format
        self._worker = worker
        self._report = report
        self._known: dict[Path, Version] = {}
        """What needs nothing more."""
        self._arrivals: dict[Path, _Arrival] = {}
        self._next_look = -math.inf

    async def run(self, stop: asyncio.Event, jobs: int) -> None:
        """Compress what is there and what comes, until told to stop; then end what was begun.

        Raises:
            OSError: if the folder cannot be watched.
            KeyRefused, NotAServer: which end all.
        """
        lanes = asyncio.Semaphore(jobs)

        async def do(item: Item) -> None:
            async with lanes:
                if not stop.is_set():
                    self._end(item, await self._compress(item))

        changes = awatch(
            self._folder,
            watch_filter=None,
            stop_event=stop,
            debounce=400,
            rust_timeout=int(TICK * 1000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        async with asyncio.TaskGroup() as group:
            async for changed in changes:
                # The first time comes when the folder is being watched: nothing falls in between.
                if changed or time.monotonic() > self._next_look:
                    self._look(told=bool(changed))
                for item in self._whole():
                    self._report.begin(1)
                    group.create_task(do(item))

    async def _compress(self, item: Item) -> Outcome:
        return await self._worker.compress(item, self._report.start(item))

    def _end(self, item: Item, outcome: Outcome) -> None:
        if outcome.version is not None and isinstance(self._placement, InPlace):
            self._known[item.source] = outcome.version  # it is our own
        elif outcome.code == SourceChanged.code:
            self._known.pop(item.source, None)  # it is still being written
        self._report.end(item, outcome)

    def _look(self, *, told: bool) -> None:
        """Look through the folder.

        Args:
            told: whether something in it has changed.

        Raises:
            OSError: if it is not there any more.
        """
        now, at_first = time.monotonic(), self._next_look == -math.inf
        # Of what comes into a new folder before that is watched too, nothing is told.
        self._next_look = now + (AGAIN_SECONDS if told else LOOK_SECONDS)
        self._folder.stat()
        others: list[Outcome] = []
        for path in walk(self._folder, self._placement, others):
            with contextlib.suppress(OSError):  # gone by now
                version = Version.of(path.stat())
                if self._known.get(path) == version or path in self._arrivals:
                    continue
                if at_first and self._has_result(path, version):
                    self._known[path] = version
                else:
                    self._arrivals[path] = _Arrival(version, now)

    def _has_result(self, path: Path, version: Version) -> bool:
        """Whether the picture has been compressed by an earlier watch."""
        for target in self._placed(path).own_places:
            with contextlib.suppress(OSError):
                if target != path and target.stat().st_mtime_ns >= version.modified:
                    return True
        return False

    def _placed(self, path: Path) -> Item:
        return item_of(path, self._folder.absolute(), self._placement, self._format)

    def _whole(self) -> Iterator[Item]:
        """The arrivals that are whole by now."""
        for path, arrival in list(self._arrivals.items()):
            now = time.monotonic()
            try:
                status = path.stat()
                version = Version.of(status)
                if not stat.S_ISREG(status.st_mode):
                    # To open a named pipe would wait for its other side.
                    del self._arrivals[path]
                    self._known[path] = version
                    self._report.end(None, no_file(path))
                    continue
                if version != arrival.version:
                    self._arrivals[path] = _Arrival(version, now)
                    continue
                quiet = now - arrival.since
                if quiet < SETTLED_SECONDS:
                    continue
                if quiet < UNFINISHED_SECONDS and not looks_whole(path):
                    continue
            except FileNotFoundError:
                del self._arrivals[path]
                continue
            except OSError as error:
                del self._arrivals[path]
                self._report.end(None, failed(path, error))
                continue
            del self._arrivals[path]
            self._known[path] = version
            yield self._placed(path)

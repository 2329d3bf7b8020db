"""One picture: compressed, and its result put where it belongs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tinyimage_client.asynchronous import AsyncClient
from tinyimage_client.command.ledger import Ledger
from tinyimage_client.command.outcome import Outcome, Status
from tinyimage_client.command.places import Places, Taken
from tinyimage_client.command.plan import Item, failed
from tinyimage_client.command.settings import Overwrite, Settings
from tinyimage_client.command.sizes import show_size
from tinyimage_client.errors import (
    BadResult,
    ConversionFailed,
    KeyRefused,
    Refused,
    SourceChanged,
    TinyImageError,
)
from tinyimage_client.files import Attributes, Version, write_whole
from tinyimage_client.progress import Progress
from tinyimage_client.result import Result
from tinyimage_client.source import FileSource, read_source


class Skip(Exception):
    """The picture is left as it is. The message says why."""

    def __init__(
        self, code: str, reason: str, target: Path | None, result: Result | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.target = target
        self.result = result


class Unfit(TinyImageError):
    """A file that is not sent, or not replaced."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Worker:
    """Does with pictures what the settings ask for."""

    def __init__(
        self,
        client: AsyncClient,
        settings: Settings,
        *,
        max_size: int,
        wait_seconds: int,
        ledger: Ledger | None,
        places: Places,
    ) -> None:
        """
        Args:
            max_size: bytes of the largest picture that the server takes.
            wait_seconds: how long the server may wait with each status.
            ledger: of results that have replaced their originals; None where none do.
            places: of the results.
        """
        self._client = client
        self._settings = settings
        self._max_size = max_size
        self._wait_seconds = wait_seconds
        self._ledger = ledger
        self._places = places

    async def compress(self, item: Item, progress: Progress) -> Outcome:
        """What has become of the picture.

        Raises:
            KeyRefused, Unreachable, NotAServer: which end all.
        """
        target = item.target
        try:
            if target is not None:
                self._places.take(target, item.source)
            source, status = await asyncio.to_thread(self._read, item)
            result = await self._client.compress_source(
                source,
                self._settings.conversion,
                progress=progress,
                wait_seconds=self._wait_seconds,
            )
            target = item.place(result.format)
            self._check_worth(target, result)
            if item.target is None:  # else that was seen before the picture was read
                self._check_absent((target,), item.source, result)
            self._places.take(target, item.source)
            version = await asyncio.to_thread(self._put, target, source, status, result)
            is_new = version is not None or self._settings.dry_run
            return Outcome(
                *(item.source, Status.WRITTEN if is_new else Status.UNCHANGED, target),
                *(result.original_bytes, result.bytes, result.sent),
                version=version,
            )
        except Skip as skip:
            before = skip.result.original_bytes if skip.result else 0
            after = skip.result.bytes if skip.result else 0
            sent = skip.result is not None and skip.result.sent
            return Outcome(
                *(item.source, Status.SKIPPED, skip.target, before, after, sent),
                code=skip.code,
                reason=str(skip),
            )
        except KeyRefused:
            raise
        except (Refused, ConversionFailed, BadResult, SourceChanged, Taken, Unfit) as error:
            return Outcome(
                *(item.source, Status.FAILED, target), code=error.code, reason=str(error)
            )
        except OSError as error:
            return failed(item.source, error)

    def _read(self, item: Item) -> tuple[FileSource, os.stat_result]:
        """The picture, and the status of its file.

        Raises:
            Skip: if it is not to be compressed.
            OSError, TinyImageError: if it cannot be.
        """
        if self._settings.in_place:
            _check_replaceable(item.source)
        else:
            self._check_absent(item.own_places, item.source)
        status = item.source.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unfit("not_a_file", "not a regular file")
        if status.st_size > self._max_size:
            size, most = show_size(status.st_size), show_size(self._max_size)
            raise Unfit("size_exceeded", f"it has {size}, and the server takes {most}")
        if status.st_size == 0:
            raise Unfit("not_an_image", "the file is empty")
        source = read_source(item.source)
        assert isinstance(source, FileSource)
        if self._ledger is not None and source.md5 in self._ledger:
            raise Skip("compressed", "it has been compressed before", item.target)
        return source, status

    def _check_absent(
        self, targets: Iterable[Path], source: Path, result: Result | None = None
    ) -> None:
        """See that no file is where the result may go, if none is to be replaced.

        Raises:
            Skip: if there is one.
        """
        if self._settings.overwrite is not Overwrite.NEVER:
            return
        for target in targets:
            # Where another's result of this run is, or an original, this picture's is not.
            if os.path.lexists(target) and self._places.is_free(target, source):
                raise Skip("exists", f"{target.name} exists", target, result)

    def _check_worth(self, target: Path, result: Result) -> None:
        """See that the result saves as much as it has to.

        Raises:
            Skip: if it does not.
        """
        settings = self._settings
        least = settings.min_savings
        if least is not None and not least.reached(result.original_bytes, result.bytes):
            raise Skip("savings", f"it saves less than {least}", target, result)
        if settings.in_place and not settings.resizes and result.bytes >= result.original_bytes:
            raise Skip("savings", "it does not get smaller", target, result)

    def _put(
        self, target: Path, source: FileSource, status: os.stat_result, result: Result
    ) -> Version | None:
        """Put the result where it belongs. Returns what the file now is;
        None if it is as it was.

        Raises:
            Skip: if a file is there that stays.
            OSError, SourceChanged: if that is not possible. What was there is as it was.
        """
        settings = self._settings
        if not settings.in_place:
            self._check_due(target, result)
        if settings.dry_run:
            return None
        if not settings.in_place:
            if _has(target, result.data):
                return None
            _check_replaceable(target)
            target.parent.mkdir(parents=True, exist_ok=True)
        # Who has saved another version meanwhile keeps it.
        source.check()
        attributes = Attributes.of(status, keep_dates=settings.keep_dates)
        version = write_whole(target, result.data, attributes)
        if self._ledger is not None:
            self._ledger.add(result.data)
        return version

    def _check_due(self, target: Path, result: Result) -> None:
        """See that a file that is where the result goes may be replaced.

        Raises:
            Skip: if it stays.
        """
        overwrite = self._settings.overwrite
        if overwrite is Overwrite.NEVER and os.path.lexists(target):  # since the picture was read
            raise Skip("exists", f"{target.name} exists", target, result)
        with contextlib.suppress(FileNotFoundError):
            if overwrite is Overwrite.BIGGER and target.stat().st_size <= result.bytes:
                raise Skip("exists", f"{target.name} exists, and is not larger", target, result)


def _check_replaceable(path: Path) -> None:
    """See that a file, if there is one, may be replaced by another.

    Raises:
        Unfit: if it is not an ordinary file, or is read-only.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(status.st_mode):
        raise Unfit("symbolic_link", f"{path.name} is a symbolic link, and is not replaced")
    if not stat.S_ISREG(status.st_mode):
        raise Unfit("not_a_file", f"{path.name} is not a regular file")
    # Replacing asks for rights to the folder alone, and root may do anything.
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise Unfit("read_only", f"{path.name} is read-only")


def _has(path: Path, data: bytes) -> bool:
    """Whether the file has these bytes."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        return (
            stat.S_ISREG(status.st_mode)
            and status.st_size == len(data)
            and path.read_bytes() == data
        )
    return False

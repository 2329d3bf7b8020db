"""Deletes jobs older than `max_age` together with their files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.core.jobs.job import PictureJob
from app.core.jobs.queue import PictureQueue
from app.core.picture import paths
from app.core.picture.retention import source_seconds
from app.core.storage import ObjectInfo, Storage

logger = logging.getLogger(__name__)

AT_ONCE = 500
"""Objects looked at in one go, which takes some tenths of a second; with the other file of each job
these are no more than the 1,000 that S3 deletes in one request."""

ORPHAN_SECONDS = 900
"""The least age at which a file without a job is deleted: a new original has none for a moment.
Also of what a killed writer has left, which another may just be writing, and of a file that was
fetched."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The counts of a cleanup."""

    jobs: int = 0
    files: int = 0
    freed: int = 0
    """Bytes."""

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.jobs + other.jobs, self.files + other.files, self.freed + other.freed)


async def sweep(
    queue: PictureQueue,
    storage: Storage,
    max_age_seconds: float,
    stopping: Callable[[], bool] = lambda: False,
) -> Swept:
    """Delete jobs that ended `max_age_seconds` ago with their files, and files without a job.

    A job is deleted before its files: from then on status, repeated upload and download agree
    that it is gone, and the same picture sent again gets a job and files of its own. If
    the cleanup is interrupted between the two, the next one deletes the files without a job.

    The client of the queue blocks, as nothing else runs meanwhile.

    Args:
        stopping: called every second or so; once it is true, the rest is left to the next sweep.
    """
    swept = Swept()
    now = time.time()
    for prefix in (paths.ORIGINALS, paths.RESULTS):
        async for page in storage.list(prefix):
            old = [info for info in page if now - info.modified.timestamp() > max_age_seconds]
            for start in range(0, len(old), AT_ONCE):
                if stopping():
                    return swept
                part = old[start : start + AT_ONCE]
                swept += await _sweep_part(queue, storage, part, now, max_age_seconds)
    swept += await _sweep_sources(storage, now, max_age_seconds, stopping)
    swept += await _sweep_fetched(storage, now)
    files, freed = await storage.delete_staged(ORPHAN_SECONDS)
    return swept + Swept(files=files, freed=freed)


async def _sweep_sources(
    storage: Storage, now: float, max_age: float, stopping: Callable[[], bool]
) -> Swept:
    """Delete uploads by their age alone: nothing names one any more that is so old. Each has a name
    of its own, so none that comes meanwhile is meant."""
    oldest = now - source_seconds(max_age)
    swept = Swept()
    async for page in storage.list(paths.SOURCES):
        if stopping():
            break
        old = [info for info in page if info.modified.timestamp() < oldest]
        await storage.delete([info.key for info in old])
        swept += Swept(files=len(old), freed=sum(info.size for info in old))
    return swept


async def _sweep_fetched(storage: Storage, now: float) -> Swept:
    """Delete what was fetched for somebody who has not taken it. Each has a key of its own."""
    swept = Swept()
    async for page in storage.list(paths.FETCHED):
        old = [info for info in page if now - info.modified.timestamp() > ORPHAN_SECONDS]
        await storage.delete([info.key for info in old])
        swept += Swept(files=len(old), freed=sum(info.size for info in old))
    return swept


async def _sweep_part(
    queue: PictureQueue, storage: Storage, part: list[ObjectInfo], now: float, max_age: float
) -> Swept:
    owned = [(info, owner) for info in part if (owner := paths.owner(info.key))]
    ids = list(dict.fromkeys(owner.job_id for _, owner in owned))
    found = dict(
        zip(ids, queue.remove_where(ids, lambda job: _is_expired(job, now, max_age)), strict=True)
    )
    gone: dict[str, ObjectInfo | None] = {}
    for info, owner in owned:
        job, removed = found[owner.job_id]
        if job is None or job.token != owner.token:
            if now - info.modified.timestamp() > max(max_age, ORPHAN_SECONDS):
                gone[info.key] = info
        elif removed:
            gone[info.key] = info
    for job, removed in found.values():
        # The other file of the same job may be on another page, or be a little younger.
        if job and removed:
            gone.setdefault(job.original_key, None)
            gone.setdefault(job.result_key, None)
    await storage.delete(sorted(gone))
    return Swept(
        jobs=sum(removed for _, removed in found.values()),
        files=len(gone),
        freed=sum(info.size for info in gone.values() if info),
    )


def _is_expired(job: PictureJob, now: float, max_age: float) -> bool:
    ended = job.ended or job.submitted
    return job.finished and (ended is None or now - ended.timestamp() > max_age)

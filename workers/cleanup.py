"""Deletes jobs older than `max_age` together with their files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis

from app.core.jobs.job import PictureJob
from app.core.jobs.queue.questions import Questions
from app.core.picture import paths
from app.core.picture.retention import source_seconds
from app.core.redis.commands import ask
from app.core.storage.interface import ObjectInfo, Storage

logger = logging.getLogger(__name__)

AT_ONCE = 500
"""Objects looked at in one go, which takes some tenths of a second; with the other file of each job
these are no more than the 1,000 that S3 deletes in one request."""

ORPHAN_SECONDS = 900
"""The least age at which a file without a job is deleted: a new original has none for a moment.
Also of what a killed writer has left, which another may just be writing, and of a file that was
fetched."""

_Removed = dict[str, tuple[PictureJob | None, bool]]
"""Of each id the job as it was read, and whether it was deleted."""


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
    connection: redis.Redis,
    questions: Questions,
    storage: Storage,
    max_age_seconds: float,
    stopping: Callable[[], bool] = lambda: False,
) -> Swept:
    """Delete jobs that ended `max_age_seconds` ago with their files, and files without a job.

    A job is deleted before its files: from then on status, repeated upload and download agree
    that it is gone, and the same picture sent again gets a job and files of its own. If
    the cleanup is interrupted between the two, the next one deletes the files without a job.

    Args:
        connection: a client that blocks, as nothing else runs meanwhile.
        stopping: called every second or so; once it is true, the rest is left to the next sweep.
    """
    swept = Swept()
    now = time.time()
    oldest = now - max_age_seconds

    def remove(job_ids: list[str]) -> _Removed:
        removed = questions.remove_where(job_ids, lambda job: _ended_before(job, oldest))
        return dict(zip(job_ids, ask(connection, removed), strict=True))

    for prefix in (paths.ORIGINALS, paths.RESULTS):
        async for page in storage.list(prefix):
            old = _older(page, oldest)
            for start in range(0, len(old), AT_ONCE):
                if stopping():
                    return swept
                part = old[start : start + AT_ONCE]
                orphaned = now - max(max_age_seconds, ORPHAN_SECONDS)
                swept += await _sweep_part(remove, storage, part, orphaned)
    for prefix, age in (
        (paths.SOURCES, source_seconds(max_age_seconds)),
        (paths.FETCHED, ORPHAN_SECONDS),
    ):
        swept += await _sweep_by_age(storage, prefix, now - age, stopping)
    files, freed = await storage.delete_staged(ORPHAN_SECONDS)
    return swept + Swept(files=files, freed=freed)


def _older(page: Sequence[ObjectInfo], moment: float) -> list[ObjectInfo]:
    return [info for info in page if info.modified.timestamp() < moment]


async def _sweep_by_age(
    storage: Storage, prefix: str, oldest: float, stopping: Callable[[], bool]
) -> Swept:
    """Delete by their age alone uploads that nothing names any more, and what was fetched for
    somebody who has not taken it. Each has a key of its own, so none that comes meanwhile is
    meant."""
    swept = Swept()
    async for page in storage.list(prefix):
        if stopping():
            break
        old = _older(page, oldest)
        await storage.delete([info.key for info in old])
        swept += Swept(files=len(old), freed=sum(info.size for info in old))
    return swept


async def _sweep_part(
    remove: Callable[[list[str]], _Removed],
    storage: Storage,
    part: list[ObjectInfo],
    orphaned: float,
) -> Swept:
    owned = [(info, owner) for info in part if (owner := paths.owner(info.key))]
    found = remove(list(dict.fromkeys(owner.job_id for _, owner in owned)))
    gone: dict[str, ObjectInfo | None] = {}
    for info, owner in owned:
        job, removed = found[owner.job_id]
        if job is None or job.token != owner.token:
            if info.modified.timestamp() < orphaned:
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


def _ended_before(job: PictureJob, moment: float) -> bool:
    ended = job.ended or job.submitted
    return ended is None or ended.timestamp() < moment

"""What is older than `max_age` goes: the job and its files together."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from app.core import keys
from app.core.queue import PictureJob, PictureQueue
from app.core.storage import ObjectInfo, Storage

logger = logging.getLogger(__name__)

ORPHAN_SECONDS = 900
"""The least age at which a file without a job is deleted: a new original has none for a moment.
Also of what a killed writer has left, which another may just be writing."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a cleanup has deleted."""

    jobs: int = 0
    files: int = 0
    freed: int = 0
    """Bytes."""

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.jobs + other.jobs, self.files + other.files, self.freed + other.freed)


def sweep(queue: PictureQueue, storage: Storage, max_age_seconds: float) -> Swept:
    """Delete jobs that ended `max_age_seconds` ago with their files, and files without a job.

    A job is deleted before its files: from that moment status, repeat upload and download agree
    that there is nothing, and whoever sends the picture again gets a job and files of its own.
    """
    swept = Swept()
    now = time.time()
    for prefix in (keys.ORIGINALS, keys.RESULTS):
        for page in storage.list(prefix):
            old = [info for info in page if now - info.modified.timestamp() > max_age_seconds]
            swept += _sweep_page(queue, storage, old, now, max_age_seconds)
    files, freed = storage.delete_staged(ORPHAN_SECONDS)
    return swept + Swept(files=files, freed=freed)


def _sweep_page(
    queue: PictureQueue, storage: Storage, page: list[ObjectInfo], now: float, max_age: float
) -> Swept:
    owned = [(info, owner) for info in page if (owner := keys.owner(info.key))]
    jobs = queue.get_many(owner.job_id for _, owner in owned)
    removed: dict[keys.Owner, bool] = {}
    gone: list[ObjectInfo] = []
    for (info, owner), job in zip(owned, jobs, strict=True):
        if job is None or job.token != owner.token:
            if now - info.modified.timestamp() > max(max_age, ORPHAN_SECONDS):
                gone.append(info)
        elif _is_expired(job, now, max_age):
            if owner not in removed:
                removed[owner] = queue.remove(job)
            if removed[owner]:
                gone.append(info)
    deleted = {info.key for info in gone}
    for (_, owner), job in zip(owned, jobs, strict=True):
        # The other file of the same job may stand on another page, or be a little younger.
        if job and removed.get(owner):
            deleted |= {job.original_key, job.result_key}
    storage.delete(sorted(deleted))
    return Swept(
        jobs=sum(removed.values()), files=len(deleted), freed=sum(info.size for info in gone)
    )


def _is_expired(job: PictureJob, now: float, max_age: float) -> bool:
    ended = job.ended or job.submitted
    return job.finished and (ended is None or now - ended.timestamp() > max_age)

"""Batches as answers tell them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from app.core.errors import NotFound
from app.core.jobs.batches import Count
from app.core.jobs.fetched import links
from app.core.jobs.fetched.links import Link
from app.core.jobs.job import PictureJob
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.picture.batch import MAX_MEMBERS, Batch
from app.core.redis.client import FailFastRedis
from app.web.service.following import Following

TOLD_SECONDS = 1.0
"""How often the counts of a batch are told at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of a batch."""

    job: PictureJob | Link
    path: str
    """Its name, with its folders, as the client had it: not a safe one."""


class Batches:
    """The batches, over all servers. Every call raises redis.RedisError if Redis cannot be
    reached."""

    def __init__(
        self, redis: FailFastRedis, queue: AsyncPictureQueue, following: Following
    ) -> None:
        self._redis = redis
        self._queue = queue
        self._following = following

    async def count(self, batch: Batch) -> Count:
        """Its members by their state.

        Raises:
            NotFound: if it has none, or is another owner's.
        """
        count = await self._queue.count(batch)
        if not count.total:
            raise NotFound("There is no such batch")
        return count

    async def entries(self, batch: Batch, first: int = 0, number: int = MAX_MEMBERS) -> list[Entry]:
        """Its members in the order in which they were added, without those that are gone.

        Args:
            first: the place of the first, from 0.
            number: how many at most.
        """
        found = await self._queue.members(batch, first, number)
        jobs = iter(await self._queue.get_many([id for id, _ in found if not links.is_id(id)]))
        entries = []
        for id, path in found:
            job: PictureJob | Link | None
            if links.is_id(id):
                job = await self._redis.ask(links.look_up(id))
            else:
                job = next(jobs)
            if job is not None:
                entries.append(Entry(job, path))
        return entries

    async def watch(self, batch: Batch) -> AsyncGenerator[Count, None]:
        """Its counts, now and each time that they have changed, at most every `TOLD_SECONDS`, until
        no member is unfinished or the server stops.

        Raises:
            NotFound: if it has no members.
        """
        told: Count | None = None
        async for _ in self._following.rings(batch.id, TOLD_SECONDS):
            count = await self._queue.count(batch)
            if not count.total and told is None:
                raise NotFound("There is no such batch")
            if count != told:
                told = count
                yield count
            if not count.unfinished:
                return


def counts_of(batch: Batch, count: Count) -> dict[str, Any]:
    """How answers name a batch: its name and its counts."""
    return {
        "batch": batch.name,
        "total": count.total,
        "unfinished": count.unfinished,
        "done": count.done,
        "failed": count.failed,
    }

"""Many pictures that are done, made without converting them."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from rq.job import Job, JobStatus
from rq.registry import FinishedJobRegistry
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.utils import utcformat

from app.core.jobs import keys
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from bench.errors import BenchError
from bench.fleet.site import MAX_AGE_SECONDS, Site
from bench.fleet.waiting import FILENAME, TOKEN
from imaging.formats import Format

AT_ONCE = 500

OLD_SECONDS = MAX_AGE_SECONDS + 3600
YOUNG_SECONDS = 3600.0

FILE = b"x" * 512
"""Stands in for a picture: to delete a larger file takes the disk longer, and us not."""


@dataclass(frozen=True, slots=True)
class _Template:
    """A job that a worker has really done; the others are its copies."""

    job: Job
    ttl: int


def finish_many(site: Site, count: int) -> float:
    """Have `count` pictures done, every other of them longer ago than `upload.max_age`, each with
    an original and a result. Workers run already.

    Returns:
        the bytes of Redis that each takes.
    """
    template = _template(site)
    before = site.used_memory()
    numbers = iter(range(count))
    while part := list(islice(numbers, AT_ONCE)):
        with site.connection.pipeline(transaction=False) as pipe:
            for number in part:
                age = OLD_SECONDS if number % 2 else YOUNG_SECONDS
                conversion = _conversion(number)
                ended = datetime.now(UTC) - timedelta(seconds=age)
                job_id = conversion.job_id
                arguments = {
                    "conversion": conversion.to_dict(),
                    "token": TOKEN,
                    "filename": FILENAME,
                }
                data: tuple[object, ...] = (keys.CONVERT_FUNCTION, None, [], arguments)
                key = Job.key_for(job_id)
                for kind in (Job.key_for, Result.get_key):
                    pipe.copy(kind(template.job.id), kind(job_id))
                pipe.hset(
                    key,
                    mapping={
                        "data": zlib.compress(json.dumps(data).encode()),
                        "ended_at": utcformat(ended),
                    },
                )
                registry = FinishedJobRegistry.key_template.format(template.job.origin)
                pipe.zadd(registry, {job_id: time.time() + template.ttl})
                pipe.zadd(keys.picture_jobs(conversion.md5), {job_id: ended.timestamp()})
                pipe.expire(keys.picture_jobs(conversion.md5), template.ttl)
            pipe.execute()
        for number in part:
            _store(site, number)
    return (site.used_memory() - before) / count


def _conversion(number: int) -> Conversion:
    return Conversion(hashlib.md5(f"done {number}".encode()).hexdigest(), Format.WEBP, 0)


def _store(site: Site, number: int) -> None:
    """The files; those of an old job are old."""
    conversion = _conversion(number)
    for key in (paths.original(conversion, TOKEN), paths.result(conversion, TOKEN)):
        path = site.folder / "output" / key
        try:
            path.write_bytes(FILE)
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            path.write_bytes(FILE)
        if number % 2:
            then = time.time() - OLD_SECONDS
            os.utime(path, (then, then))


def _template(site: Site) -> _Template:
    conversion = Conversion("f" * 32, Format.WEBP, 0)
    site.put(paths.original(conversion, TOKEN), FILE)
    site.queue.submit(conversion, Submission(FILENAME, 1_300_000), token=TOKEN)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = Job.fetch(conversion.job_id, connection=site.connection, serializer=JSONSerializer)
        if job.get_status() is JobStatus.FINISHED:
            ttl = site.connection.ttl(job.key)
            return _Template(job, int(ttl))
        time.sleep(0.05)
    raise BenchError("no worker has done the first picture")

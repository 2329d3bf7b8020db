"""The keys of RQ in Redis, as a test that looks behind the API needs them."""

from __future__ import annotations

from rq import Queue, Worker
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry

WORKERS = Worker.redis_workers_keys
"""The set of the keys of all workers."""


def job(id: str) -> str:
    """The hash of a job; of all jobs for `*`."""
    return Job.key_for(id)


def worker(name: str) -> str:
    """The hash of a worker; of all for `*`."""
    return f"{Worker.redis_worker_namespace_prefix}{name}"


def queue(name: str) -> str:
    """The list of the ids of what waits."""
    return f"{Queue.redis_queue_namespace_prefix}{name}"


def intermediate(name: str) -> str:
    """The list of what a worker of the queue has taken and not yet started."""
    return IntermediateQueue.get_intermediate_queue_key(queue(name))


def finished(name: str) -> str:
    """The sorted set of the jobs of a queue that are done."""
    return FinishedJobRegistry.key_template.format(name)


def failed(name: str) -> str:
    """The sorted set of the jobs of a queue that have failed."""
    return FailedJobRegistry.key_template.format(name)

"""A job moved from one of RQ's lists to a queue, in one step."""

from __future__ import annotations

import redis
from rq import Queue
from rq.job import Job

from app.core.jobs.new_job import queue_key
from app.core.redis.commands import Command

_MOVE = """
if redis.call("LREM", KEYS[1], 1, ARGV[1]) == 0 or redis.call("EXISTS", KEYS[3]) == 0 then
    return 0
end
redis.call(ARGV[2], KEYS[2], ARGV[1])
redis.call("HSET", KEYS[3], "origin", ARGV[3])
redis.call("SADD", KEYS[4], KEYS[2])
return 1
"""
"""Redis runs a script atomically: a worker has taken the job before, and it is not in the list, or
finds it in the other queue. The job names its queue (`origin`), as RQ looks for it there."""


def move(
    connection: redis.Redis, job_id: str, source: str, queue: Queue, *, front: bool = False
) -> bool:
    """Move a job to the end of `queue`, or to its front.

    Args:
        source: the key of the list that it is in.

    Returns:
        whether it was in the list. An entry without a job is removed.
    """
    command = move_command(job_id, source, queue.name, front=front)
    return bool(connection.execute_command(*command))


def move_command(job_id: str, source: str, queue: str, *, front: bool = False) -> Command:
    """The command for that, with the name of the queue; it answers 1 if the job was moved."""
    names = [
        source,
        queue_key(queue),
        Job.key_for(job_id),
        Queue.redis_queues_keys,
    ]
    return ("EVAL", _MOVE, len(names), *names, job_id, "LPUSH" if front else "RPUSH", queue)

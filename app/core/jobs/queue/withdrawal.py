"""Waiting jobs taken out of their queue, each in one step and only while nobody else wants it."""

from __future__ import annotations

from collections.abc import Iterable

from rq.job import Job, JobStatus

from app.core.jobs import keys
from app.core.jobs.counted.counts import withdrawn_count
from app.core.jobs.events import Event, Step
from app.core.jobs.job import PictureJob
from app.core.jobs.queue.removal import own_keys
from app.core.jobs.webhooks.deliveries import MAX_RECIPIENTS, RECIPIENTS, notes
from app.core.picture.recipients import Recipient
from app.core.redis.commands import Command

_OTHERS = "others"
"""A field of the job's hash beside those of RQ, which reads it not and leaves it: how many requests
have been answered with this job since it was made by the first."""

_JOIN = """
-- KEYS: the job
-- ARGV: the field that counts, the field of the recipients, how many there may be, their notes,
--       then each status of a job that has ended
if redis.call("HEXISTS", KEYS[1], "data") == 0 then
    return 0
end
if ARGV[4] ~= "" then
    local status = redis.call("HGET", KEYS[1], "status")
    for n = 5, #ARGV do
        if status == ARGV[n] then
            return 0
        end
    end
    local noted = redis.call("HGET", KEYS[1], ARGV[2]) or ""
    for note in string.gmatch(ARGV[4], "[^\\n]+\\n") do
        if not string.find("\\n" .. noted, "\\n" .. note, 1, true) then
            noted = noted .. note
        end
    end
    local _, number = string.gsub(noted, "\\n", "")
    if number > tonumber(ARGV[3]) then
        return -1
    end
    redis.call("HSET", KEYS[1], ARGV[2], noted)
end
return redis.call("HINCRBY", KEYS[1], ARGV[1], 1)
"""
"""Its end reads the recipients in a script too: a later request finds that it has ended."""

_ENDED = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)

FULL = -1
"""The answer to a request whose recipients would be too many."""

_WITHDRAW = """
-- KEYS: the job, what else is its own (4), the index of its picture, the counts, the queues
-- ARGV: its id, its data as read, the field, the channel, the event, the name of the count
if (redis.call("HGET", KEYS[1], "data") or "") ~= ARGV[2]
    or redis.call("HEXISTS", KEYS[1], ARGV[3]) == 1 then
    return 0
end
local waits = 0
for n = 8, #KEYS do
    waits = waits + redis.call("LREM", KEYS[n], 1, ARGV[1])
end
if waits == 0 then
    return 0
end
redis.call("DEL", KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call("ZREM", KEYS[6], ARGV[1])
redis.call("HINCRBY", KEYS[7], ARGV[6], 1)
redis.call("PUBLISH", ARGV[4], ARGV[5])
return 1
"""
"""Redis runs a script atomically: a worker has taken the job before, and it is in no queue, or does
not find it; another request has joined it before, or finds that it is gone."""

_WITHDRAW_FETCH = """
-- KEYS: the job, what else is its own (4), the queues
-- ARGV: its id, the channel, the event
local waits = 0
for n = 6, #KEYS do
    waits = waits + redis.call("LREM", KEYS[n], 1, ARGV[1])
end
if waits == 0 then
    return 0
end
redis.call("DEL", unpack(KEYS, 1, 5))
redis.call("PUBLISH", ARGV[2], ARGV[3])
return 1
"""
"""No other request is answered with the job of a fetch: each has one of its own."""


def join_command(job_id: str, recipients: Iterable[Recipient]) -> Command:
    """The command that notes one more request for a job, and the recipients of its events; it
    answers 0 if the job is gone, or there are recipients and it has ended, and `FULL` if it would
    have too many."""
    arguments = (_OTHERS, RECIPIENTS, MAX_RECIPIENTS, notes(recipients), *_ENDED)
    return ("EVAL", _JOIN, 1, Job.key_for(job_id), *arguments)


def withdraw_command(job: PictureJob, data: bytes, queues: tuple[str, ...]) -> Command:
    """The command that takes a job out of its queue and deletes it; it answers 1 if it did: the job
    waited, is this submission, and no other request has joined it.

    Args:
        data: the field of this name, as the job was read.
        queues: the lists of the queues that it may be in.
    """
    id = job.conversion.job_id
    names = (*own_keys(id), keys.picture_jobs(job.conversion.md5), keys.COUNTS, *queues)
    arguments = (
        id,
        data,
        _OTHERS,
        keys.EVENTS_CHANNEL,
        Event(id, Step.FAILED).dumps(),
        withdrawn_count(job.conversion.named),
    )
    return ("EVAL", _WITHDRAW, len(names), *names, *arguments)


def withdraw_fetch_command(job_id: str, queues: tuple[str, ...]) -> Command:
    """The command that takes a fetch out of its queue and deletes it; it answers 1 if it did: no
    worker had taken it.

    Args:
        queues: the lists of the queues that it may be in.
    """
    names = (*own_keys(job_id), *queues)
    arguments = (job_id, keys.EVENTS_CHANNEL, Event(job_id, Step.FAILED).dumps())
    return ("EVAL", _WITHDRAW_FETCH, len(names), *names, *arguments)

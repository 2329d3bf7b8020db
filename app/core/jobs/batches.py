"""Batches in Redis: which jobs they have, and how many of these are unfinished or have failed.

A job's membership is noted in the transaction that accepts it, and each further transaction that
changes the state of a job settles the counts of its batches: it looks at the job as it is then. So
the counts hold whichever process is killed when, and a settlement may be done twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rq import Queue
from rq.job import Job

from app.core.errors import SizeExceeded, Unavailable
from app.core.jobs import keys
from app.core.jobs.times import rfc3339
from app.core.jobs.webhooks.deliveries import (
    ENQUEUE,
    MAX_RECIPIENTS,
    QUEUE_KEY,
    delivery_parts,
    notes,
)
from app.core.picture.batch import MAX_MEMBERS, Member, clean_path
from app.core.picture.batch import Batch as Named
from app.core.picture.recipients import Recipient
from app.core.picture.retention import GRACE_SECONDS, INDEX_SECONDS
from app.core.redis.commands import Batch, Command, Question

MAX_BATCHES = 1_000
"""Of one job: its end settles them all in one script, while Redis serves no other client."""

_SETTLE = (
    ENQUEUE
    + """
local JOB, OF_JOB, BATCH, CHANNEL, QUEUE, QUEUES = unpack(KEYS, 1, 6)
local TTL, LONG, EVENT, TIME, BEFORE, AFTER = unpack(ARGV, 1, 6)

local function count(key)
    local total, open = redis.call("ZCARD", key), redis.call("SCARD", key .. ":open")
    local failed = redis.call("SCARD", key .. ":failed")
    return total, open, total - open - failed, failed
end

local fired = 0

local function tell(batch)
    local key = BATCH .. batch
    local total, open, done, failed = count(key)
    if total == 0 or open > 0 or BEFORE == "" then
        return
    end
    fired = fired + 1
    local name = string.sub(batch, 24)
    local text = string.format(
        '{"type":"batch.done","timestamp":"%s","data":{"batch":"%s","total":%d,"done":%d,' ..
        '"failed":%d}}', TIME, name, total, done, failed)
    local noted = redis.call("HGET", key .. ":facts", "recipients") or ""
    local after, about = AFTER .. cjson.encode(text) .. "}]", "batch.done " .. name .. " → "
    enqueue(noted, "batch.done", EVENT .. fired, JOB, BEFORE, after, about, FIELDS, QUEUE, QUEUES)
end

local function keep(batch, step)
    local key = BATCH .. batch
    local total, open = count(key)
    if total == 0 then
        redis.call("DEL", key, key .. ":open", key .. ":failed", key .. ":paths", key .. ":facts")
    else
        local seconds = open > 0 and LONG or TTL
        for _, part in ipairs({"", ":open", ":failed", ":paths", ":facts"}) do
            redis.call("EXPIRE", key .. part, seconds)
        end
    end
    redis.call("PUBLISH", CHANNEL, cjson.encode({job = batch, step = step}))
end

local function settle(id)
    local status = redis.call("HGET", JOB .. id, "status")
    if status == "finished" and string.sub(id, 1, 6) == "fetch-" then
        status = false
    end
    for _, batch in ipairs(redis.call("SMEMBERS", OF_JOB .. id)) do
        local key = BATCH .. batch
        local before = redis.call("SCARD", key .. ":open")
        local step = "processing"
        if not status then
            redis.call("ZREM", key, id)
            redis.call("SREM", key .. ":open", id)
            redis.call("SREM", key .. ":failed", id)
            redis.call("HDEL", key .. ":paths", id)
            redis.call("SREM", OF_JOB .. id, batch)
        elseif status == "finished" then
            redis.call("SREM", key .. ":open", id)
            redis.call("SREM", key .. ":failed", id)
        elseif status == "failed" or status == "stopped" or status == "canceled" then
            redis.call("SREM", key .. ":open", id)
            redis.call("SADD", key .. ":failed", id)
        else
            redis.call("SREM", key .. ":failed", id)
            redis.call("SADD", key .. ":open", id)
        end
        if before > 0 and redis.call("SCARD", key .. ":open") == 0 then
            step = "done"
            tell(batch)
        end
        keep(batch, step)
    end
end
"""
)

_END = (
    """
if redis.call("EXISTS", KEYS[2] .. ARGV[7]) == 0 then
    return 0
end
local FIELDS = {unpack(ARGV, 8)}
"""
    + _SETTLE
    + """
settle(ARGV[7])
return fired
"""
)

_NOTE = (
    """
-- Further ARGV: the id, the batch, its path, the time, the notes of recipients, the most of these
local FIELDS = {unpack(ARGV, 13)}
"""
    + _SETTLE
    + """
local id, batch, path, moment, given, most = unpack(ARGV, 7, 12)
if redis.call("HEXISTS", JOB .. id, "data") == 0 then
    return 0
end
local key = BATCH .. batch
redis.call("ZADD", key, "NX", moment, id)
redis.call("HSET", key .. ":paths", id, path)
redis.call("SADD", OF_JOB .. id, batch)
redis.call("EXPIRE", OF_JOB .. id, LONG)
local noted = redis.call("HGET", key .. ":facts", "recipients") or ""
local _, number = string.gsub(noted, "\\n", "")
for note in string.gmatch(given, "[^\\n]+\\n") do
    if number < tonumber(most) and not string.find("\\n" .. noted, "\\n" .. note, 1, true) then
        noted, number = noted .. note, number + 1
    end
end
redis.call("HSET", key .. ":facts", "recipients", noted)
settle(id)
if fired == 0 then
    tell(batch)  -- of a picture that was done already
end
return 1
"""
)


@dataclass(frozen=True, slots=True)
class Count:
    """The members of a batch, by their state."""

    total: int
    unfinished: int
    failed: int

    @property
    def done(self) -> int:
        """The number of jobs that are done."""
        return self.total - self.unfinished - self.failed


@dataclass(frozen=True, slots=True)
class Settling:
    """How batches are kept by one service.

    Args:
        max_age_seconds: how long a batch is kept after the end of its last job.
        tells: whether anybody may be told of the end of one.
    """

    max_age_seconds: float
    tells: bool = True

    def note(self, member: Member, job_id: str, recipients: Iterable[Recipient] = ()) -> Command:
        """The command that takes a job into a batch; it answers 0 if the job is gone. In the
        transaction that accepts the job, after that."""
        return self._command(
            _NOTE,
            job_id,
            member.batch.id,
            clean_path(member.path),
            datetime.now(UTC).timestamp(),
            notes(recipients),
            MAX_RECIPIENTS,
        )

    def settle(self, job_id: str) -> Command:
        """The command that counts a job anew in its batches. In each transaction that changes its
        state, after that; nothing for a job in no batch."""
        return self._command(_END, job_id)

    def _command(self, script: str, *arguments: object) -> Command:
        ttl = int(self.max_age_seconds) + GRACE_SECONDS
        before, after, fields = delivery_parts() if self.tells else ("", "", ())
        time = rfc3339(datetime.now(UTC))
        names = (
            Job.key_for(""),
            keys.batches_of(""),
            keys.batch(""),
            keys.EVENTS_CHANNEL,
            QUEUE_KEY,
            Queue.redis_queues_keys,
        )
        event = f"evt_{secrets.token_hex(12)}b"
        head = (ttl, ttl + INDEX_SECONDS, event, time, before, after)
        return ("EVAL", script, len(names), *names, *head, *arguments, *fields)


def check_room(member: Member, job_id: str) -> Question[None]:
    """See whether one more job has room in a batch. Simultaneous uploads may exceed the limit by
    their number.

    Raises:
        SizeExceeded: if not.
        Unavailable: if the job is in too many batches.
    """
    key, of_job = keys.batch(member.batch.id), keys.batches_of(job_id)
    size, known, batches = yield Batch([("ZCARD", key), ("ZSCORE", key, job_id), ("SCARD", of_job)])
    if known is not None:
        return
    if size >= MAX_MEMBERS:
        raise SizeExceeded(f"The batch has {size} pictures already; at most {MAX_MEMBERS}")
    if batches >= MAX_BATCHES:
        raise Unavailable(f"This picture is in {batches} batches already")


def count(batch: Named) -> Question[Count]:
    """The members of a batch; none if it is unknown."""
    key = keys.batch(batch.id)
    (total, unfinished, failed) = yield Batch(
        [("ZCARD", key), ("SCARD", f"{key}:open"), ("SCARD", f"{key}:failed")], atomic=True
    )
    return Count(total, unfinished, failed)


def members(batch: Named, first: int, number: int) -> Question[list[tuple[str, str]]]:
    """The ids of members and their paths, in the order in which they were added.

    Args:
        first: the place of the first, from 0.
        number: how many at most.
    """
    key = keys.batch(batch.id)
    (ids,) = yield Batch([("ZRANGE", key, first, first + number - 1)])
    if not ids:
        return []
    (paths,) = yield Batch([("HMGET", f"{key}:paths", *ids)])
    return [(id.decode(), (path or b"").decode()) for id, path in zip(ids, paths, strict=True)]

"""Messages on their way to their recipients: one RQ job each, with the id of the event.

A job of a picture keeps its recipients in its hash, beside the fields of RQ, which leaves them. The
transaction that ends it enqueues their deliveries, in a script: a recipient that joined before is
told, and none joins later.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Any

from rq import Queue
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.utils import now, utcformat

from app.core.jobs import keys
from app.core.jobs.new_job import NewJob, queue_key
from app.core.jobs.webhooks.messages import Message
from app.core.picture.recipients import Recipient
from app.core.redis.commands import Command

RECIPIENTS = "recipients"
"""The field of a hash that holds the notes of recipients."""

MAX_RECIPIENTS = 100
"""Of one job: its end enqueues them all in one script, while Redis serves no other client."""

PUT_BACK = 5
"""How often a delivery is put back because its worker died; such a try does not count."""

DELIVERED_SECONDS = 3600
"""How long RQ lists a delivery that has succeeded: each takes 1 KB, and there may be a million in a
day."""

FAILED_SECONDS = 7 * 24 * 3600
"""How long one that has failed for good can be sent again."""

RUN_SECONDS = 120
"""After which RQ's own worker would end a delivery; ours ends it by `webhooks.timeout`."""

ENQUEUE = """
-- Enqueues a job for each recipient in the notes that wants events of this kind; answers how many.
-- Its id begins with `event`, its data is `before`, the recipient and `after`, its description
-- `about` and the label; the other fields and their values are `fields`.
local function enqueue(notes, kind, event, jobs, before, after, about, fields, queue, queues)
    local told = 0
    for events, label, recipient in string.gmatch(notes, "(%S+) (%S+) ([^\\n]+)\\n") do
        if string.find("," .. events .. ",", "," .. kind .. ",", 1, true) then
            told = told + 1
            local id = event .. "_" .. told
            redis.call("HSET", jobs .. id, "data", before .. recipient .. after,
                       "description", about .. label, unpack(fields))
            redis.call("RPUSH", queue, id)
        end
    end
    if told > 0 then
        redis.call("SADD", queues, queue)
    end
    return told
end
"""
"""A function for scripts that tell of an event."""

_TELL = (
    ENQUEUE
    + """
-- KEYS: the queue, the set of queues, the hash that holds the notes (none if they are given)
-- ARGV: the notes or the field, then as `enqueue` takes them
local notes = ARGV[1]
if KEYS[3] then
    notes = redis.call("HGET", KEYS[3], ARGV[1]) or ""
end
local kind, event, jobs, before, after, about = unpack(ARGV, 2, 7)
local fields = {unpack(ARGV, 8)}
return enqueue(notes, kind, event, jobs, before, after, about, fields, KEYS[1], KEYS[2])
"""
)

_DUE = """
-- KEYS: what is put off, the queue
-- ARGV: the time, the prefix of jobs, the same time as RQ writes it, how many at most
local due = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", ARGV[1], "LIMIT", 0, ARGV[4])
for _, id in ipairs(due) do
    redis.call("ZREM", KEYS[1], id)
    local key = ARGV[2] .. id
    if redis.call("EXISTS", key) == 1 then
        redis.call("HSET", key, "status", "queued", "enqueued_at", ARGV[3])
        redis.call("RPUSH", KEYS[2], id)
    end
end
return redis.call("ZRANGE", KEYS[1], 0, 0, "WITHSCORES")[2]
"""
"""One script, as between two steps a delivery could be lost."""

_DUE_AT_ONCE = 100

QUEUE_KEY = queue_key(keys.WEBHOOKS_QUEUE)
SCHEDULED_KEY = ScheduledJobRegistry.key_template.format(keys.WEBHOOKS_QUEUE)
"""Where deliveries wait for their next try."""


def notes(recipients: Iterable[Recipient]) -> str:
    """The recipients as a hash keeps them, each once; "" for none."""
    return "".join(dict.fromkeys(recipient.note for recipient in recipients))


def tell_noted(message: Message, key: str) -> Command:
    """The command that enqueues a delivery to each recipient noted in the field `RECIPIENTS` of the
    hash `key` that wants such events; it answers how many these are. For a transaction."""
    return _tell(message, RECIPIENTS, key)


def tell(message: Message, recipients: Iterable[Recipient]) -> Command:
    """The same for these recipients."""
    return _tell(message, notes(recipients))


def due_command(moment: float) -> Command:
    """The command that puts what is due into the queue; it answers when the next is, None if none
    is put off.

    Args:
        moment: seconds since the epoch.
    """
    arguments = (moment, Job.key_for(""), utcformat(now()), _DUE_AT_ONCE)
    return ("EVAL", _DUE, 2, SCHEDULED_KEY, QUEUE_KEY, *arguments)


def delivery_parts() -> tuple[str, str, list[Any]]:
    """A delivery as a script writes it: what its data has before the recipient and between that and
    the payload, and its other fields and their values, in turn. The description is not among
    them."""
    job = NewJob.waiting(
        keys.DELIVER_FUNCTION,
        keys.DELIVER_FAILURE_FUNCTION,
        PUT_BACK,
        origin=keys.WEBHOOKS_QUEUE,
        timeout=RUN_SECONDS,
        result_ttl=DELIVERED_SECONDS,
        failure_ttl=FAILED_SECONDS,
    )
    fields = job.to_dict()
    del fields["data"], fields["description"]
    pairs = [part for pair in fields.items() for part in pair]
    return f'[{json.dumps(keys.DELIVER_FUNCTION)},null,[],{{"to":', ',"payload":', pairs


def _tell(message: Message, notes: str, *source: str) -> Command:
    before, between, fields = delivery_parts()
    arguments = (
        notes,
        message.type,
        f"evt_{secrets.token_hex(12)}",
        Job.key_for(""),
        before,
        f"{between}{json.dumps(message.text)}}}]",
        f"{message.type} {message.subject} → ",
        *fields,
    )
    names = (QUEUE_KEY, Queue.redis_queues_keys, *source)
    return ("EVAL", _TELL, len(names), *names, *arguments)

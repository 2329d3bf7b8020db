"""The counts of the workers of all machines, in Redis, as workers have no port.

A picture is counted in the transaction that ends its job: once, whichever process is killed when.
The counts last as long as Redis's data.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import redis
from redis.client import Pipeline

from app.core.errors import Where, codes_at
from app.core.jobs import keys
from imaging.formats import Format

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram of conversions, in seconds: a thumbnail takes some milliseconds,
and `limits.conversion_timeout` is 60 s by default."""

NO_ERROR = "none"
OTHER = "other"
"""The label of unknown names: data in Redis never becomes a new label."""

_BEYOND = "inf"


class Delivery(StrEnum):
    """The outcome of a try to deliver a message."""

    DELIVERED = "delivered"  # the recipient has it
    RETRIED = "retried"  # it is tried again
    FAILED = "failed"  # it has failed for good


class Restart(StrEnum):
    """Why a decoder was replaced."""

    CRASHED = "crashed"  # it ended in the middle of a picture
    TIMED_OUT = "timed_out"  # a picture took too long
    WORN = "worn"  # it had done its share of pictures, or held too much memory
    DIED = "died"  # it was found dead between two pictures


@dataclass(slots=True)
class Done:
    """The successful conversions of one format."""

    count: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    bytes_saved: int = 0
    """Bytes saved by results that are smaller than their originals."""
    milliseconds: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """The number in each interval up to a bound of `BOUNDS`; the last is above all bounds."""


@dataclass(slots=True)
class Counts:
    done: dict[str, Done] = field(default_factory=lambda: defaultdict(Done))
    """By format."""
    failed: dict[tuple[str, str], int] = field(default_factory=dict)
    """By format and error code."""
    withdrawn: dict[str, int] = field(default_factory=dict)
    """By format: jobs that were taken back before a worker had them."""
    restarts: dict[str, int] = field(default_factory=dict)
    """By reason."""
    deliveries: dict[str, int] = field(default_factory=dict)
    """By what became of each try."""


def count_done(pipeline: Pipeline, meta: Mapping[str, Any]) -> None:
    """Count a successful conversion, in the transaction that records it.

    Args:
        meta: of its job; a missing number is not counted.
    """
    format = _format(meta.get("format"))
    size_in, size_out = _number(meta.get("size_in")), _number(meta.get("size_out"))
    milliseconds = _number(meta.get("milliseconds"))
    bound = bisect_left(BOUNDS, milliseconds / 1000)
    numbers = {
        "in": size_in,
        "out": size_out,
        "saved": max(0, size_in - size_out),
        "ms": milliseconds,
        f"le:{BOUNDS[bound] if bound < len(BOUNDS) else _BEYOND}": 1,
    }
    for name, number in numbers.items():
        pipeline.hincrby(keys.COUNTS, f"done:{format}:{name}", number)


def count_failed(pipeline: Pipeline, meta: Mapping[str, Any]) -> None:
    """Count a failed conversion, in the transaction that records it."""
    code = meta.get("error_code")
    known = code if code in codes_at(Where.CONVERSION) else OTHER
    pipeline.hincrby(keys.COUNTS, f"failed:{_format(meta.get('format'))}:{known}", 1)


def count_delivery(pipeline: Pipeline, outcome: Delivery) -> None:
    """Count a try to deliver a message, in the transaction that records its outcome."""
    pipeline.hincrby(keys.COUNTS, f"webhook:{outcome}", 1)


def withdrawn_count(name: str) -> str:
    """The field of the counts for jobs of a format that were withdrawn.

    Args:
        name: of the format; `OTHER` counts what is not one.
    """
    return f"withdrawn:{_format(name)}"


def count_restarts(connection: redis.Redis, restarts: Mapping[Restart, int]) -> None:
    """Count decoders that were replaced."""
    with connection.pipeline() as pipeline:
        for reason, number in restarts.items():
            pipeline.hincrby(keys.COUNTS, f"restart:{reason}", number)
        pipeline.execute()


def parse_counts(fields: Mapping[bytes, bytes]) -> Counts:
    """The counts of the hash `keys.COUNTS`; unknown fields are ignored.

    A missing count is 0: Prometheus does not see the first increase of a count that begins with 1.
    """
    counts = Counts()
    for known in Format:
        counts.done[known] = Done()
        counts.failed |= {(known, code): 0 for code in codes_at(Where.CONVERSION)}
    counts.withdrawn |= dict.fromkeys(Format, 0)
    counts.restarts |= dict.fromkeys(Restart, 0)
    counts.deliveries |= dict.fromkeys(Delivery, 0)
    errors = (*codes_at(Where.CONVERSION), OTHER)
    for key, value in fields.items():
        name = key.decode("ascii", "replace").split(":")
        number = _number(value)
        match name:
            case ["done", format, "le", bound] if format in _FORMATS and bound in _BOUNDS:
                counts.done[format].buckets[_BOUNDS[bound]] = number
                counts.done[format].count += number
            case ["done", format, what] if format in _FORMATS and what in _NUMBERS:
                setattr(counts.done[format], _NUMBERS[what], number)
            case ["failed", format, code] if format in _FORMATS and code in errors:
                counts.failed[format, code] = number
            case ["withdrawn", format] if format in _FORMATS:
                counts.withdrawn[format] = number
            case ["restart", reason] if reason in set(Restart):
                counts.restarts[reason] = number
            case ["webhook", outcome] if outcome in set(Delivery):
                counts.deliveries[outcome] = number
    return counts


_FORMATS = {*Format, OTHER}
_BOUNDS = {str(bound): index for index, bound in enumerate((*BOUNDS, _BEYOND))}
_NUMBERS = {
    "in": "bytes_in",
    "out": "bytes_out",
    "saved": "bytes_saved",
    "ms": "milliseconds",
}


def _format(value: object) -> str:
    return value if isinstance(value, str) and value in set(Format) else OTHER


def _number(value: object) -> int:
    """A valid count; 0 for anything else."""
    try:
        return max(0, round(float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0

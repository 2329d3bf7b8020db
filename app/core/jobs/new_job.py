"""A job as it is written before a worker has it."""

from __future__ import annotations

from typing import Any

from rq.job import Job


class NewJob(Job):
    """A job that no worker has taken yet."""

    def to_dict(self, include_meta: bool = True, include_result: bool = True) -> dict[str, Any]:
        """Its fields in Redis, without empty ones: RQ treats them as missing, and seven of
        them would take a fifth of the job's memory."""
        fields = super().to_dict(include_meta, include_result)
        return {name: value for name, value in fields.items() if value != ""}

"""What a worker may run: the functions of `workers.tasks` and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rq.exceptions import DeserializationError
from rq.job import Job

from app.core import keys

FUNCTIONS = frozenset({keys.CONVERT_FUNCTION, keys.CLEANUP_FUNCTION})
CALLBACKS = frozenset({keys.FAILURE_FUNCTION})


class NotOurs(Exception):
    """The job names a function that is none of ours."""


class CheckedJob(Job):
    """A job as a worker reads it from Redis. RQ imports and calls whatever function a job names, so
    whoever could write to Redis could run code here."""

    def restore(self, raw_data: Any) -> Any:
        """Read the job, without what RQ would call or ask on its behalf and we never use."""
        restored = super().restore(raw_data)
        self._success_callback_name = None
        self._stopped_callback_name = None
        if self._failure_callback_name not in CALLBACKS:
            self._failure_callback_name = None
        self.webhooks = []
        if not self.is_ours:
            self.retries_left = None
        return restored

    @property
    def is_ours(self) -> bool:
        """Whether it is one of `FUNCTIONS`."""
        try:
            # With an instance RQ takes the function from that.
            return self.func_name in FUNCTIONS and self.instance is None
        except DeserializationError:
            return False

    @property
    def func(self) -> Callable[..., Any]:
        """The function to run.

        Raises:
            NotOurs: if it is not in `FUNCTIONS`.
        """
        if not self.is_ours:
            raise NotOurs(f"{self.func_name} is no function of ours")
        function: Callable[..., Any] = super().func
        return function

"""Jobs of pictures made and read over a client that blocks: for the benches, and for the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import redis

from app.core.jobs.job import PictureJob
from app.core.jobs.queue import reading
from app.core.jobs.queue.questions import Questions
from app.core.redis.commands import Question, ask

P = ParamSpec("P")
T = TypeVar("T")


class PictureQueue:
    """Conversions as RQ jobs. All calls block; `AsyncPictureQueue` is for asyncio.

    Args:
        settings: as `Questions` takes them.
    """

    def __init__(self, connection: redis.Redis, **settings: Any) -> None:
        self.connection = connection
        self.questions = Questions(**settings)
        self.submit = self._asked(self.questions.submit)
        self.promote = self._asked(self.questions.promote)
        self.remove_where = self._asked(self.questions.remove_where)
        self.places = self._asked(reading.places)
        self.get_many = self._asked(reading.get_many)

    def get(self, job_id: str) -> PictureJob | None:
        """The job; None if the id is unknown."""
        return self.get_many([job_id])[0]

    def find(self, md5: str) -> list[PictureJob]:
        """All jobs of the picture, the oldest first."""
        return ask(self.connection, reading.find_many([md5]))[0]

    def _asked(self, question: Callable[P, Question[T]]) -> Callable[P, T]:
        """The call that asks such a question, with its arguments."""

        def call(*given: P.args, **named: P.kwargs) -> T:
            return ask(self.connection, question(*given, **named))

        return call

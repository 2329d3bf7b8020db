"""Questions that are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import redis

from app.core.jobs.queue.lookups import AT_ONCE, Lookups


class Source:
    """Says 10 times the number, once it is let."""

    def __init__(self) -> None:
        self.read: list[list[int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.down = False

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.read.append(list(numbers))
        await asyncio.sleep(0)  # a round trip is never over at once
        await self.free.wait()
        if self.down:
            raise redis.ConnectionError("gone")
        if any(number < 0 for number in numbers):
            raise ValueError("makes no sense")
        return [10 * number for number in numbers]


def test_who_asks_while_another_asks_is_answered_in_one_reading() -> None:
    async def scenario() -> None:
        source = Source()
        lookups = Lookups(source)
        assert await asyncio.gather(*map(lookups.get, (1, 2, 3, 2))) == [10, 20, 30, 20]
        assert source.read == [[1], [2, 3, 2]]
        assert await lookups.get(3) == 30

    asyncio.run(scenario())


def test_who_asks_during_a_reading_is_answered_by_the_next() -> None:
    """What was read before it was asked may be out of date."""

    async def scenario() -> None:
        source = Source()
        lookups = Lookups(source)
        source.free.clear()
        first = asyncio.create_task(lookups.get(1))
        while not source.read:
            await asyncio.sleep(0)
        later = [asyncio.create_task(lookups.get(n)) for n in (1, 2)]
        await asyncio.sleep(0)
        source.free.set()
        assert await asyncio.gather(first, *later) == [10, 10, 20]
        assert source.read == [[1], [1, 2]]

    asyncio.run(scenario())


def test_a_thousand_are_read_in_parts() -> None:
    async def scenario() -> None:
        source = Source()
        lookups = Lookups(source)
        assert await asyncio.gather(*map(lookups.get, range(1000))) == list(range(0, 10_000, 10))
        assert [number for part in source.read for number in part] == list(range(1000))
        assert max(map(len, source.read)) == AT_ONCE

    asyncio.run(scenario())


def test_one_that_makes_no_sense_keeps_nobody_else_from_an_answer() -> None:
    async def scenario() -> None:
        lookups = Lookups(Source())
        answers = await asyncio.gather(*map(lookups.get, (1, -1, 2)), return_exceptions=True)
        assert [answers[0], answers[2]] == [10, 20]
        assert isinstance(answers[1], ValueError)

    asyncio.run(scenario())


def test_without_redis_all_are_told_at_once() -> None:
    async def scenario() -> None:
        source = Source()
        source.down = True
        lookups = Lookups(source)
        answers = await asyncio.gather(*map(lookups.get, range(3)), return_exceptions=True)
        assert all(isinstance(answer, redis.ConnectionError) for answer in answers)
        assert len(source.read) == 1
        source.down = False
        assert await lookups.get(1) == 10

    asyncio.run(scenario())


def test_one_who_goes_takes_no_answer_from_others() -> None:
    async def scenario() -> None:
        source = Source()
        lookups = Lookups(source)
        source.free.clear()
        gone, stays = (asyncio.create_task(lookups.get(n)) for n in (1, 1))
        while not source.read:
            await asyncio.sleep(0)
        gone.cancel()
        source.free.set()
        assert await stays == 10
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(scenario())

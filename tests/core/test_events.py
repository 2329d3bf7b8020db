"""Following jobs over pub/sub."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from redis.asyncio.connection import AbstractConnection

from app.core.jobs.events import Bell, Event, Events, Recorded, Step, publish
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.conversion import Conversion
from imaging.formats import Format
from tests.conftest import running_redis


def _client_count(connection: redis.Redis) -> int:
    return len(connection.client_list(_type="pubsub"))


async def _rings(bell: Bell) -> float:
    """Seconds until the bell rings."""
    began = time.monotonic()
    await bell.wait(10)
    return time.monotonic() - began


async def _hears_again(bell: Bell, url: str) -> None:
    """Who follows the job "a" is told to look once Redis is there, and then of its end."""
    # Steps may have been missed, so the bell rings by itself.
    assert await _rings(bell) < 9
    with redis.Redis.from_url(url) as connection:
        publish(connection, "a", Step.DONE)
    while not bell.final:
        assert await _rings(bell) < 9


def test_only_who_follows_a_job_is_told_of_it(redis_url: str, connection: redis.Redis) -> None:
    async def scenario() -> None:
        events = Events(redis_url)
        await events.start()
        with events.follow("a") as one, events.follow("a") as two, events.follow("b") as other:
            publish(connection, "a", Step.DONE)
            assert await _rings(one) < 5
            assert await _rings(two) < 5
            assert (one.final, two.final, other.final) == (True, True, False)
        assert events.waiting == 0
        await events.stop()

    asyncio.run(scenario())


def test_a_thousand_followers_are_one_connection(redis_url: str, connection: redis.Redis) -> None:
    async def scenario() -> None:
        others = _client_count(connection)  # the web that tests of this process share has one
        events = Events(redis_url)
        await events.start()
        followed = [events.follow(f"job-{n}") for n in range(1000)]
        bells = [follow.__enter__() for follow in followed]
        assert _client_count(connection) == others + 1
        for n in range(1000):
            publish(connection, f"job-{n}", Step.PROCESSING)
        for bell in bells:
            assert await _rings(bell) < 5
        for follow in followed:
            follow.__exit__(None, None, None)
        assert events.waiting == 0
        await events.stop()

    asyncio.run(scenario())


def test_it_stops_though_the_client_swallows_a_cancellation(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    swallowed: list[BaseException] = []

    async def scenario() -> None:
        connects = asyncio.Event()

        async def swallow_first(self: AbstractConnection) -> None:
            connects.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError as error:
                if swallowed:
                    raise
                swallowed.append(error)
                raise redis.ConnectionError("not made") from None

        monkeypatch.setattr(AbstractConnection, "connect", swallow_first)
        events = Events(redis_url)
        starting = asyncio.create_task(events.start())
        await connects.wait()
        await asyncio.wait_for(events.stop(), 20)
        starting.cancel()

    asyncio.run(scenario())
    assert swallowed


def test_a_connection_that_has_died_silently_is_made_again(
    redis_url: str, connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.jobs.events.HEALTH_CHECK_SECONDS", 0.2)

    async def scenario() -> None:
        silent = asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(1024):
                silent.set()
            writer.close()

        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        made = [server.sockets[0].getsockname()[1]]
        connect = AbstractConnection.connect

        async def connect_there_first(self: AbstractConnection) -> None:
            if not made:
                await connect(self)  # type: ignore[no-untyped-call]
                return
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", made.pop())

        monkeypatch.setattr(AbstractConnection, "connect", connect_there_first)
        events = Events(redis_url)
        await events.start()  # returns once it is subscribed
        assert silent.is_set()
        await asyncio.sleep(0.5)  # a silent Redis that answers pings is kept
        with events.follow("a") as bell:
            publish(connection, "a", Step.DONE)
            assert await _rings(bell) < 5
        await events.stop()
        server.close()

    asyncio.run(scenario())


def test_who_may_have_missed_a_step_is_told_to_read_the_job() -> None:
    async def scenario() -> None:
        bell, done = Bell(), Event("a", Step.DONE)
        bell.ring(Event("a", Step.PROCESSING))
        bell.ring(done)
        bell.ring(Event("b", Step.FAILED))
        assert await bell.next_of("a", 60) == done  # the last one
        assert await bell.next_of("a", 0.01) is None
        bell.ring(done)
        bell.ring(None)
        assert await bell.next_of("a", 60) is None  # what is read now is newer
        assert await bell.next_of("a", 0.01) is None
        waits = asyncio.create_task(bell.next_of("a", 60))
        await asyncio.sleep(0)
        bell.ring(Event("b", Step.DONE))
        await asyncio.sleep(0)
        bell.ring(done)
        assert await waits == done

    asyncio.run(scenario())


def test_an_event_of_another_submission_says_nothing_of_a_job() -> None:
    job = PictureJob(
        Conversion("0" * 32, Format.WEBP, 80), "token", JobState.QUEUED, "a.png", None, None
    )
    id, ended = job.conversion.job_id, datetime.now(UTC)
    done = Event(id, Step.DONE, Recorded("token", ended, {"size_out": 7}))
    told = done.after(job)
    assert told is not None
    assert (told.state, told.ended, told.facts.result_bytes) == (JobState.DONE, ended, 7)
    for other in (
        Event(id, Step.DONE, Recorded("other", ended)),
        Event(id, Step.DONE, Recorded("token")),
        Event(id, Step.DONE),
        Event(id, Step.FAILED, Recorded("token")),
        Event(id, Step.RETRYING, Recorded("token")),
    ):
        assert other.after(job) is None


def test_nonsense_on_the_channel_is_passed_over(redis_url: str, connection: redis.Redis) -> None:
    async def scenario() -> None:
        events = Events(redis_url)
        await events.start()
        with events.follow("a") as bell:
            step = '{"job": "a", "step": "done", '
            ended = ('{"token": "t", "ended": "?"}', '{"token": "t", "ended": 1}')
            messages = ["", "{}", "[1]", '{"job": "a", "step": "?"}']
            messages += [f'{step}"recorded": {each}}}' for each in ("[1]", '"x"', "{}", *ended)]
            for nonsense in (*map(str.encode, messages), b"\xff"):
                connection.publish("tinyimage:events", nonsense)
            publish(connection, "a", Step.FAILED)
            assert await _rings(bell) < 5
        await events.stop()

    asyncio.run(scenario())


def test_a_lost_connection_is_made_again_and_everyone_is_told_to_look(tmp_path: Path) -> None:
    async def scenario() -> None:
        with running_redis(tmp_path) as embedded:
            events = Events(embedded.url)
            await events.start()
            with events.follow("a") as bell:
                assert embedded.process is not None
                embedded.process.kill()
                await asyncio.to_thread(embedded.process.wait)
                await asyncio.to_thread(embedded.start)
                await _hears_again(bell, embedded.url)
            await events.stop()

    asyncio.run(scenario())


def test_a_server_without_redis_starts_and_hears_of_it_once_it_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        with running_redis(tmp_path) as embedded:
            assert embedded.process is not None
            embedded.process.kill()
            embedded.process.wait()
            events = Events(embedded.url)
            with events.follow("a") as bell:
                await events.start()
                assert "next try in" in caplog.text
                await asyncio.to_thread(embedded.start)
                await _hears_again(bell, embedded.url)
            await events.stop()

    asyncio.run(scenario())

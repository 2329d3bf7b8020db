"""The one connection of a server process for its questions to Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from app.core.redis import client as client_module
from app.core.redis.client import FailFastRedis
from app.core.redis.commands import Batch, Command, Question
from tests.conftest import running_redis


def _asks(*commands: Command, atomic: bool = False) -> Question[list[Any]]:
    return (yield Batch(commands, atomic=atomic))


def _asks_in_turn(commands: Sequence[Command]) -> Question[list[Any]]:
    answers = []
    for command in commands:
        answers += yield Batch([command])
    return answers


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[FailFastRedis]:
    client = FailFastRedis(url)
    try:
        yield client
    finally:
        await client.close()


def test_questions_at_the_same_moment_share_a_connection_and_get_their_own_answers(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        with running_redis(tmp_path) as embedded, redis.Redis.from_url(embedded.url) as other:
            before = len(other.client_list())
            async with _client(embedded.url) as client:
                asked = [
                    client.ask(_asks(("ECHO", f"{n}"), ("ECHO", f"{n}!"), atomic=n % 2 == 0))
                    for n in range(100)
                ]
                asked.append(client.ask(_asks_in_turn([("INCR", "turns")] * 3)))
                *pairs, turns = await asyncio.gather(*asked)
                assert pairs == [[b"%d" % n, b"%d!" % n] for n in range(100)]
                assert turns == [1, 2, 3]
                assert len(other.client_list()) == before + 1

    asyncio.run(scenario())


def test_a_refused_command_is_told_to_its_caller_alone(redis_url: str) -> None:
    async def scenario() -> None:
        async with _client(redis_url) as client:
            answers = await asyncio.gather(
                client.ask(_asks(("SET", "a", "text"))),
                client.ask(_asks(("INCR", "a"), ("ECHO", "x"))),
                client.ask(_asks(("ECHO", "x"), ("INCR", "a"), atomic=True)),
                client.ask(_asks(("ECHO", "y"), ("NOSUCH",), atomic=True)),
                client.ask(_asks(("ECHO", "z"))),
                return_exceptions=True,
            )
        assert [answers[0], answers[4]] == [[b"OK"], [b"z"]]
        assert all(isinstance(answer, redis.ResponseError) for answer in answers[1:4])
        assert "unknown command" in str(answers[3])

    asyncio.run(scenario())


def test_the_answer_to_a_cancelled_question_reaches_no_other(redis_url: str) -> None:
    async def scenario() -> None:
        async with _client(redis_url) as client:
            await client.ask(_asks(("PING",)))
            gone = asyncio.create_task(client.ask(_asks(("ECHO", "gone"), ("ECHO", "too"))))
            stays = asyncio.create_task(client.ask(_asks(("ECHO", "stays"))))
            await asyncio.sleep(0)  # both are sent
            gone.cancel()
            assert await stays == [b"stays"]
            assert await client.ask(_asks(("ECHO", "later"))) == [b"later"]
            assert gone.cancelled()

    asyncio.run(scenario())


def test_questions_whose_connection_is_lost_are_asked_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        with running_redis(tmp_path) as embedded, redis.Redis.from_url(embedded.url) as other:
            async with _client(embedded.url) as client:
                (own,) = await client.ask(_asks(("CLIENT", "ID")))
                other.execute_command("CLIENT", "PAUSE", 5000, "WRITE")
                asked = [asyncio.create_task(client.ask(_asks(("INCR", n)))) for n in "ab"]
                while not other.info("clients")["blocked_clients"]:
                    await asyncio.sleep(0.01)
                other.execute_command("CLIENT", "KILL", "ID", own)
                other.execute_command("CLIENT", "UNPAUSE")
                assert await asyncio.gather(*asked) == [[1], [1]]
                assert (await client.ask(_asks(("CLIENT", "ID"))))[0] != own

    asyncio.run(scenario())


def test_while_redis_hangs_one_time_out_is_waited_for_and_all_others_fail_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "SOCKET_TIMEOUT", 1.0)

    async def scenario() -> None:
        with running_redis(tmp_path) as embedded:
            async with _client(embedded.url) as client:
                await client.ask(_asks(("PING",)))
                assert embedded.process is not None
                os.kill(embedded.process.pid, signal.SIGSTOP)
                try:
                    began = time.monotonic()
                    first = asyncio.create_task(client.ask(_asks(("ECHO", "first"))))
                    await asyncio.sleep(0.7)
                    second = asyncio.create_task(client.ask(_asks(("ECHO", "second"))))
                    answers = await asyncio.gather(first, second, return_exceptions=True)
                    waited = time.monotonic() - began
                    assert all(isinstance(answer, redis.TimeoutError) for answer in answers)
                    assert 0.9 < waited < 1.6, "the second waits no second of its own"
                    with pytest.raises(redis.TimeoutError, match="a moment ago"):
                        await client.ask(_asks(("ECHO", "third")))
                finally:
                    os.kill(embedded.process.pid, signal.SIGCONT)
                monkeypatch.setattr(client_module, "SOCKET_TIMEOUT", 10.0)
                client._hung_until = 0.0  # the second has passed
                # Late answers, to what nobody waits for, belong to no later question.
                assert await client.ask(_asks(("ECHO", "fourth"))) == [b"fourth"]

    asyncio.run(scenario())


def test_without_redis_each_question_fails_soon(tmp_path: Path) -> None:
    async def scenario() -> None:
        with running_redis(tmp_path) as embedded:
            url = embedded.url
        async with _client(url) as client:
            for _ in range(2):
                with pytest.raises(redis.ConnectionError):
                    await asyncio.wait_for(client.ask(_asks(("PING",))), 10)

    asyncio.run(scenario())

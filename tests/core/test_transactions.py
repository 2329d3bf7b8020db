"""Transactions of our client: what redis-py's own give."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
import redis
from redis.client import Pipeline
from redis.exceptions import ResponseError, WatchError

from app.core.redis.client import connect
from app.core.redis.transactions import Transaction
from tests.service import until


@pytest.fixture
def ours(redis_url: str) -> Iterator[redis.Redis]:
    with contextlib.closing(connect(redis_url)) as client:
        yield client


def test_a_connection_says_what_library_it_is_of_without_a_look_at_its_files(
    monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: pytest.fail("it looked"))
    with contextlib.closing(connect(redis_url)) as client:
        info = client.client_info()
    assert (info["lib-name"], info["lib-ver"]) == ("redis-py", redis.__version__)


def _values(pipe: Pipeline) -> None:
    pipe.set("text", "é")
    pipe.hset("hash", mapping={"a": 1, "b": b"\xff", "c": 0.5})
    pipe.hgetall("hash")
    pipe.zadd("sorted", {"x": 1.5, "y": 2})
    pipe.zrange("sorted", 0, -1, withscores=True)
    pipe.sadd("set", "x", "y")
    pipe.smembers("set")
    pipe.get("missing")
    pipe.expire("text", 10)
    pipe.ttl("text")
    pipe.client_setname("ours")  # its name has a blank


def _nothing(pipe: Pipeline) -> None:
    pass


@pytest.mark.parametrize("stage", [_values, _nothing])
def test_a_transaction_answers_as_redis_py_does(
    ours: redis.Redis, connection: redis.Redis, stage: Callable[[Pipeline], None]
) -> None:
    given = []
    for client in (connection, ours):
        client.flushall()
        with client.pipeline() as pipe:
            stage(pipe)
            given.append(pipe.execute())
    assert isinstance(ours.pipeline(), Transaction)
    assert given[0] == given[1]


def test_other_work_is_done_between_sending_and_reading(
    ours: redis.Redis, connection: redis.Redis
) -> None:
    seen: list[object] = []

    def look() -> None:
        until(lambda: connection.get("key"), what="the commands are sent")
        seen.append(connection.get("key"))

    with ours.pipeline() as pipe:
        assert isinstance(pipe, Transaction)
        pipe.meanwhile = look
        pipe.set("key", "value")
        assert pipe.execute() == [True]
    assert seen == [b"value"]


@pytest.mark.parametrize("fault", ["queued", "run"])
def test_a_refused_command_is_told_and_the_connection_goes_on(
    ours: redis.Redis, fault: str
) -> None:
    ours.set("text", "x")
    with ours.pipeline() as pipe:
        pipe.set("before", 1)
        if fault == "queued":  # so that none of them runs
            pipe.execute_command("NOSUCH", "a")
        else:
            pipe.lpush("text", "x")
        pipe.set("after", 1)
        with pytest.raises(ResponseError, match=r"unknown command|WRONGTYPE"):
            pipe.execute()
    done = ours.mget("before", "after")
    assert done == ([None, None] if fault == "queued" else [b"1", b"1"])
    with ours.pipeline() as pipe:
        pipe.get("text")
        assert pipe.execute() == [b"x"]


def test_errors_are_among_the_answers_if_that_is_asked_for(ours: redis.Redis) -> None:
    ours.set("text", "x")
    with ours.pipeline() as pipe:
        pipe.lpush("text", "x")
        pipe.get("text")
        error, value = pipe.execute(raise_on_error=False)
    assert isinstance(error, ResponseError)
    assert value == b"x"


def test_a_watched_key_that_has_changed_ends_the_transaction(
    ours: redis.Redis, connection: redis.Redis
) -> None:
    with ours.pipeline() as pipe:
        pipe.watch("text")
        connection.set("text", "other")
        pipe.multi()
        pipe.set("text", "ours")
        with pytest.raises(WatchError):
            pipe.execute()
    assert ours.get("text") == b"other"


def test_a_connection_that_was_closed_is_opened_again(
    ours: redis.Redis, connection: redis.Redis
) -> None:
    for _ in range(2):
        with ours.pipeline() as pipe:
            pipe.incr("number")
            pipe.execute()
        connection.client_kill_filter(_type="normal", skipme=True)
    assert connection.get("number") == b"2"

"""`priority` of an upload: when, and not what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import redis
from websockets.sync.client import connect

from tests import rq_keys
from tests.pictures import md5, snapshot
from tests.web.alone import Web, web
from tests.web.sockets import message


def _waiting(connection: redis.Redis, queue: str) -> list[str]:
    jobs = cast(list[bytes], connection.lrange(rq_keys.queue(queue), 0, -1))
    return [job.decode() for job in jobs]


def test_a_picture_goes_into_the_queue_of_its_priority_and_no_answer_changes(
    alone: Web, connection: redis.Redis
) -> None:
    plain, wanted, later = (snapshot() for _ in range(3))
    answers = [
        alone.client.upload(plain, "jpg"),
        alone.client.upload(wanted, "jpg", priority=" Interactive "),
        alone.client.upload(later, "jpg", priority="bulk"),
    ]
    for data, answer in zip((plain, wanted, later), answers, strict=True):
        assert answer.status_code == 202
        assert answer.json() == {
            "message": "Your image is queued for processing",
            "md5": md5(data),
            "format": "jpg",
            "quality": 80,
        }
        named = {"md5": md5(data), "format": "jpg", "quality": 80}
        assert alone.client.status(md5(data)) == [{**named, "status": "queued"}]
        queue = alone.client.http.get(f"/queue/{md5(data)}").json()
        assert queue == [{**named, "filename": "cat.jpg"}]
    with connect(alone.ws_url) as ws:
        over_socket = snapshot()
        ws.send(message(over_socket, priority="bulk"))
        queued = json.loads(ws.recv(timeout=60))
        assert queued == {
            "status": "queued",
            "md5": md5(over_socket),
            "format": "webp",
            "quality": 0,
        }
    assert _waiting(connection, "interactive") == [f"{md5(d)}-jpg-80" for d in (plain, wanted)]
    bulk = [f"{md5(later)}-jpg-80", f"{md5(over_socket)}-webp-0"]
    assert _waiting(connection, "bulk") == bulk


@pytest.mark.parametrize("priority", ["high", "bulk,interactive", "0", "maintenance", "\x00"])
def test_what_is_no_priority_is_400(alone: Web, priority: str) -> None:
    data = snapshot()
    response = alone.client.upload(data, priority=priority)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_option"
    assert "priority should be one of interactive, bulk" in response.json()["message"]
    assert alone.client.status(md5(data)) == []


@pytest.mark.parametrize("priority", [1, True, [], ["bulk"], {"a": 1}, 1.5, "high"])
def test_what_is_no_priority_is_an_error_on_a_socket(alone: Web, priority: object) -> None:
    with connect(alone.ws_url) as ws:
        ws.send(message(snapshot(), priority=priority))
        answer = json.loads(ws.recv(timeout=60))
        assert (answer["status"], answer["message"]) == ("error", "invalid_option")
        assert "priority should be" in answer["detail"]


@pytest.mark.parametrize("nothing", ["", "  "])
def test_no_priority_is_interactive(alone: Web, connection: redis.Redis, nothing: str) -> None:
    data = snapshot()
    assert alone.client.upload(data, priority=nothing).status_code == 202
    with connect(alone.ws_url) as ws:
        ws.send(message(data, "jpg", priority=None))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"
    assert _waiting(connection, "interactive") == [f"{md5(data)}-webp-0", f"{md5(data)}-jpg-80"]


def test_a_bulk_picture_that_somebody_waits_for_moves_to_the_interactive_ones(
    alone: Web, connection: redis.Redis
) -> None:
    first, other, last = (snapshot() for _ in range(3))
    alone.client.upload(first)
    for data in (other, last):
        alone.client.upload(data, priority="bulk")
    assert alone.client.upload(last, priority="bulk").status_code == 202
    assert _waiting(connection, "bulk") == [f"{md5(data)}-webp-0" for data in (other, last)]
    for _ in range(2):
        assert alone.client.upload(last).status_code == 202
        assert _waiting(connection, "bulk") == [f"{md5(other)}-webp-0"]
        moved = [f"{md5(data)}-webp-0" for data in (first, last)]
        assert _waiting(connection, "interactive") == moved
    # It does not go back, and is the one job of its picture.
    assert alone.client.upload(last, priority="bulk").status_code == 202
    assert _waiting(connection, "interactive") == moved
    assert [job["status"] for job in alone.client.status(md5(last))] == ["queued"]
    with connect(alone.ws_url) as ws:
        ws.send(message(other))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"
    assert _waiting(connection, "bulk") == []
    assert len(_waiting(connection, "interactive")) == 3


def test_a_full_bulk_queue_refuses_no_interactive_picture_and_the_other_way_round(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    def upload(priority: str) -> int:
        data = snapshot()
        return running.client.upload(data, priority=priority).status_code

    with web(tmp_path, redis_url, LIMITS__MAX_QUEUE=2) as running:
        assert [upload("bulk") for _ in range(3)] == [202, 202, 503]
        assert [upload("interactive") for _ in range(3)] == [202, 202, 503]
        connection.delete(rq_keys.queue("bulk"))
        assert [upload(priority) for priority in ("interactive", "bulk")] == [503, 202]

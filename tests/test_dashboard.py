"""rq-dashboard beside the service: it reads well, and its buttons leave our answers right."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer
from websockets.sync.client import ClientConnection, connect

from tests import rq_keys
from tests.dashboard import QUEUE, Dashboard
from tests.pictures import md5, snapshot
from tests.service import Client, Process, until
from tests.web.alone import Web
from tests.web.sockets import message
from tests.workers.alone import workers


class Stack:
    """A web, an rq-dashboard, and workers when a test wants some."""

    def __init__(self, folder: Path, redis_url: str, running: Web, dashboard: Dashboard) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.web = running
        self.client: Client = running.client
        self.dashboard = dashboard

    def upload(self, filename: str, data: bytes | None = None) -> bytes:
        """A picture, queued."""
        data = snapshot() if data is None else data
        assert self.client.upload(data, "webp", filename=filename).status_code == 202
        return data

    def convert(self, *pictures: bytes) -> None:
        """Have one worker end all that waits."""
        with self.workers():
            for data in pictures:
                self.client.wait(md5(data))

    def workers(self) -> contextlib.AbstractContextManager[Process]:
        return workers(self.folder, self.redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1)

    @contextlib.contextmanager
    def lost_originals(self) -> Iterator[None]:
        """What is converted meanwhile fails."""
        originals = self.folder / "output/originals"
        originals.rename(self.folder / "aside")
        try:
            yield
        finally:
            (self.folder / "aside").rename(originals)

    def state(self, data: bytes) -> str | None:
        """The picture's status; None if it is unknown."""
        jobs = self.client.status(md5(data))
        return jobs[0]["status"] if jobs else None

    def is_unknown(self, data: bytes) -> bool:
        """Whether all three answers are 404."""
        answers = [
            self.client.http.get(f"/{path}/{md5(data)}").status_code
            for path in ("status", "queue", "download")
        ]
        assert self.state(data) is not None or answers == [404] * 3, answers
        return answers == [404] * 3

    def is_taken_again(self, *pictures: bytes) -> None:
        """Send pictures that were deleted once more, and see them done."""
        for data in pictures:
            assert self.client.upload(data, "webp").status_code == 202
            assert self.state(data) == "queued"
            assert self.client.http.get(f"/queue/{md5(data)}").status_code == 200
        self.convert(*pictures)
        for data in pictures:
            assert self.state(data) == "done"
            assert self.client.download(md5(data)).content[8:12] == b"WEBP"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, session_redis: Any) -> Iterator[Dashboard]:
    process = Dashboard(tmp_path_factory.mktemp("dashboard"), session_redis.url)
    try:
        yield process.ready()
    finally:
        process.http.close()
        process.terminate()


@pytest.fixture
def stack(alone: Web, redis_url: str, dashboard: Dashboard) -> Iterator[Stack]:
    yield Stack(alone.folder, redis_url, alone, dashboard)
    assert not alone.troubles()


def waiting(ws: ClientConnection, data: bytes) -> None:
    """Send a picture over a socket; it is queued."""
    ws.send(message(data))
    assert json.loads(ws.recv(timeout=30))["status"] == "queued"


def last(ws: ClientConnection) -> dict[str, Any]:
    """The last that a socket is told of its picture."""
    while (answer := json.loads(ws.recv(timeout=60)))["status"] not in ("done", "error"):
        pass
    return dict(answer)


def test_queues_workers_and_jobs_read_well(stack: Stack) -> None:
    data = stack.upload("beach.jpg")
    described = [job["description"] for job in stack.dashboard.jobs("queued")]
    assert described == ["beach.jpg → webp"]
    with stack.workers():
        stack.client.wait(md5(data))
        (worker,) = (w for w in stack.dashboard.read("workers")["workers"] if QUEUE in w["queues"])
        assert worker["name"].startswith(f"{socket.gethostname()}.")
        until(lambda: stack.dashboard.read("workers")["workers"][0]["state"] == "idle")
    shown = {queue["name"]: queue for queue in stack.dashboard.read("queues")["queues"]}
    assert shown[QUEUE]["finished_job_registry_count"] == 1
    job = stack.dashboard.read(f"job/{stack.dashboard.id_of('finished', 'beach')}")
    assert job["status"] == "finished"
    assert json.loads(job["metadata"])["size_in"] == len(data)
    for page in ("/", "/0/view/workers", f"/0/view/job/{job['id']}"):
        assert stack.dashboard.http.get(page).status_code == 200


@pytest.mark.parametrize("button", ["delete", "empty"])
def test_a_waiting_job_that_is_deleted_is_unknown_and_its_socket_is_told(
    stack: Stack, button: str
) -> None:
    data = snapshot()
    with connect(stack.web.ws_url, max_size=None) as ws:
        waiting(ws, data)
        if button == "delete":
            stack.dashboard.press(f"/job/{stack.dashboard.id_of('queued', 'cat')}/delete")
        else:
            stack.dashboard.press(f"/queue/{QUEUE}/queued/empty")
        assert stack.is_unknown(data)
        told = last(ws)
        assert (told["status"], told["message"]) == ("error", "processing_failed")
        assert told["md5"] == md5(data)
    stack.is_taken_again(data)


@pytest.mark.parametrize("button", ["delete", "empty"])
def test_a_finished_job_that_is_deleted_is_unknown(stack: Stack, button: str) -> None:
    data = stack.upload("beach.jpg")
    stack.convert(data)
    assert stack.client.download(md5(data)).status_code == 200
    stack.dashboard.remove("finished", "beach", button)
    assert stack.is_unknown(data)
    stack.is_taken_again(data)


@pytest.mark.parametrize("button", ["delete", "empty"])
def test_a_failed_job_that_is_deleted_is_unknown(stack: Stack, button: str) -> None:
    data = stack.upload("beach.jpg")
    with stack.lost_originals():
        stack.convert(data)
    assert stack.state(data) == "failed"
    stack.dashboard.remove("failed", "beach", button)
    assert stack.is_unknown(data)
    stack.is_taken_again(data)


@pytest.mark.parametrize("button", ["requeue", "requeue all"])
def test_a_failed_job_that_is_sent_again_waits_and_is_done(stack: Stack, button: str) -> None:
    pictures = [stack.upload(f"{number}.jpg") for number in range(2)]
    with stack.lost_originals():
        stack.convert(*pictures)
    assert [stack.state(data) for data in pictures] == ["failed"] * 2
    failed = stack.dashboard.jobs("failed")
    assert all("Traceback" not in job["description"] for job in failed)
    if button == "requeue":
        for job in failed:
            stack.dashboard.press(f"/job/{job['id']}/requeue")
    else:
        stack.dashboard.press(f"/requeue/{QUEUE}")
    for data in pictures:
        assert stack.state(data) == "queued"
        assert stack.client.http.get(f"/queue/{md5(data)}").json()[0]["md5"] == md5(data)
        assert stack.client.download(md5(data)).status_code == 404
    # Who sends it now gets the one that waits, over a socket too.
    assert stack.client.upload(pictures[0], "webp").status_code == 202
    with connect(stack.web.ws_url, max_size=None) as ws:
        waiting(ws, pictures[1])
        stack.convert(*pictures)
        assert last(ws)["status"] == "done"
    for data in pictures:
        assert stack.state(data) == "done"
        assert stack.client.download(md5(data)).content[8:12] == b"WEBP"
    assert len(stack.dashboard.jobs("finished")) == 2
    assert not stack.dashboard.jobs("failed")


def test_a_broken_picture_that_is_sent_again_fails_again_with_its_reason(stack: Stack) -> None:
    data = stack.upload("broken.jpg", b"\xff\xd8\xff\xe0" + os.urandom(500))
    stack.convert(data)
    id = stack.dashboard.id_of("failed", "broken")
    before = json.loads(stack.dashboard.read(f"job/{id}")["metadata"])["error"]
    stack.dashboard.press(f"/job/{id}/requeue")
    assert stack.state(data) == "queued"
    stack.convert(data)
    assert stack.state(data) == "failed"
    assert json.loads(stack.dashboard.read(f"job/{id}")["metadata"])["error"] == before


def test_a_job_that_is_sent_again_fails_with_its_new_reason(stack: Stack) -> None:
    data = stack.upload("beach.jpg")
    with stack.lost_originals():
        stack.convert(data)
    (first,) = stack.client.http.get(f"/status/{md5(data)}?details=true").json()
    assert first["error"]["message"] == "the original is gone; send the picture again"
    assert first["error"]["code"] == "interrupted"
    id = stack.dashboard.id_of("failed", "beach")
    with stack.workers() as pool:
        pool.freeze(1)
        stack.dashboard.press(f"/job/{id}/requeue")
        until(lambda: stack.state(data) == "processing")
        pool.destroy()
    stack.convert(data)  # the others find it abandoned
    assert stack.state(data) == "failed"
    (second,) = stack.client.http.get(f"/status/{md5(data)}?details=true").json()
    assert second["finished_at"] > first["finished_at"]
    metadata = json.loads(stack.dashboard.read(f"job/{id}")["metadata"])
    assert second["error"]["message"] == metadata["error"]
    assert metadata["error"] == "the worker stopped each time it converted the picture"
    assert second["error"]["code"] == "interrupted"


def test_a_compacted_queue_keeps_its_jobs(stack: Stack, connection: redis.Redis) -> None:
    pictures = [stack.upload(f"{number}.jpg") for number in range(3)]
    # What is left of a job that was deleted by hand is what the button is for.
    connection.lpush(rq_keys.queue(QUEUE), "nothing")
    stack.dashboard.press(f"/queue/{QUEUE}/compact")
    assert [job["description"][0] for job in stack.dashboard.jobs("queued")] == ["0", "1", "2"]
    assert [stack.state(data) for data in pictures] == ["queued"] * 3
    stack.convert(*pictures)
    assert [stack.state(data) for data in pictures] == ["done"] * 3


@pytest.mark.parametrize("button", ["delete", "empty"])
def test_a_job_that_is_deleted_while_it_runs_never_hangs(stack: Stack, button: str) -> None:
    data = snapshot()
    with stack.workers() as pool, connect(stack.web.ws_url, max_size=None) as ws:
        (decoder,) = pool.freeze(1)
        waiting(ws, data)
        until(lambda: stack.state(data) == "processing")
        if button == "delete":
            stack.dashboard.press(f"/job/{stack.dashboard.id_of('started', 'cat')}/delete")
        else:
            until(lambda: stack.dashboard.jobs("started"))
            stack.dashboard.press(f"/queue/{QUEUE}/started/empty")
        assert stack.state(data) is None
        decoder.resume()
        told = last(ws)
        assert told["status"] in ("done", "error")
        # The worker goes on, and the same picture can be had.
        other = snapshot()
        stack.upload("other.jpg", other)
        stack.client.wait(md5(other))
        stack.client.upload(data, "webp")
        assert stack.client.wait(md5(data))[0]["status"] == "done"
        assert stack.client.download(md5(data)).content[8:12] == b"WEBP"


def test_a_job_deleted_while_it_runs_and_sent_again_at_once_is_done_once_more(
    stack: Stack,
) -> None:
    data = snapshot()
    with stack.workers() as pool:
        (decoder,) = pool.freeze(1)
        stack.upload("beach.jpg", data)
        until(lambda: stack.state(data) == "processing")
        stack.dashboard.press(f"/job/{stack.dashboard.id_of('started', 'beach')}/delete")
        with connect(stack.web.ws_url, max_size=None) as ws:
            waiting(ws, data)  # the worker still has the first
            decoder.resume()
            assert last(ws)["status"] == "done"
        assert stack.client.wait(md5(data))[0]["status"] == "done"
        assert stack.client.download(md5(data)).content[8:12] == b"WEBP"


def test_what_a_killed_worker_leaves_of_a_deleted_job_keeps_no_picture_out(
    stack: Stack, connection: redis.Redis
) -> None:
    data = stack.upload("beach.jpg")
    id = stack.dashboard.id_of("queued", "beach")
    stack.dashboard.press(f"/job/{id}/delete")
    # Its heartbeat, for one that has just taken the job.
    connection.hset(Job.key_for(id), "last_heartbeat", "2026-01-01T00:00:00.000000Z")
    assert stack.is_unknown(data)
    stack.is_taken_again(data)


def test_a_cancelled_job_has_failed_and_can_be_sent_again(
    stack: Stack, connection: redis.Redis
) -> None:
    data = snapshot()
    with connect(stack.web.ws_url, max_size=None) as ws:
        waiting(ws, data)
        # rq-dashboard lists cancelled jobs and has no button for it; RQ's own commands do.
        id = stack.dashboard.id_of("queued", "cat")
        Job.fetch(id, connection=connection, serializer=JSONSerializer).cancel()
        assert stack.state(data) == "failed"
        assert stack.dashboard.jobs("canceled")
        assert last(ws)["message"] == "processing_failed"
    stack.is_taken_again(data)

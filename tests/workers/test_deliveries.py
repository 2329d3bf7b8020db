"""A message reaches its recipient at least once, or is listed as failed and can be sent again."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.jobs import keys
from app.core.jobs.webhooks.deliveries import QUEUE_KEY, SCHEDULED_KEY, tell
from app.core.jobs.webhooks.messages import Message
from app.core.picture.priority import Priority
from app.core.picture.recipients import EventType, Recipient
from bench.launch import ROOT
from tests import rq_keys
from tests.dashboard import Dashboard
from tests.pictures import md5, snapshot, unique
from tests.receiver import SECRET, Receiver, answers, receiver, webhook_settings
from tests.service import Process, environment, until
from tests.web.alone import web

FAILED = rq_keys.failed(keys.WEBHOOKS_QUEUE)
FINISHED = rq_keys.finished(keys.WEBHOOKS_QUEUE)
QUICK = {"any": "true", "secret": SECRET, "timeout": "2"}


@pytest.fixture(name="receiver")
def _receiver() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@contextlib.contextmanager
def worker(folder: Path, redis_url: str, **webhooks: str) -> Iterator[Process]:
    """`python -m workers --queues webhooks`."""
    settings = webhook_settings(None, **{**QUICK, **webhooks})
    env = environment(folder, REDIS__URL=redis_url, **settings)
    process = Process(["workers", "--queues", keys.WEBHOOKS_QUEUE], env)
    try:
        yield process
    finally:
        process.terminate()


def send(connection: Any, *urls: str) -> str:
    """Enqueue one message to these URLs. Returns what tells it from others."""
    subject = secrets.token_hex(16)
    message = Message(EventType.IMAGE_DONE, subject, datetime.now(UTC), {"md5": subject})
    recipients = [Recipient(url=url) for url in urls]
    assert connection.execute_command(*tell(message, recipients)) == len(urls)
    return subject


def listed(connection: Any, key: str) -> list[str]:
    return [id.decode() for id in connection.zrange(key, 0, -1)]


def fetch(connection: Any, id: str) -> Job:
    return Job.fetch(id, connection=connection, serializer=JSONSerializer)


def pauses(receiver: Receiver) -> list[float]:
    """Seconds between what has come."""
    times = [each.time for each in receiver.received]
    return [later - earlier for earlier, later in pairwise(times)]


def are_about(found: Sequence[float], wanted: Sequence[float]) -> bool:
    """Whether each pause is as long as wanted, or longer by jitter and a worker's own pace."""
    return len(found) == len(wanted) and all(
        least <= each <= 1.2 * least + 2.0 for each, least in zip(found, wanted, strict=True)
    )


def test_six_tries_in_their_time_and_then_it_waits_to_be_sent_again(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    wanted = [0.2, 0.4, 0.1, 0.6, 0.2]
    receiver.always = 500
    dashboard = Dashboard(tmp_path, redis_url)
    try:
        with worker(tmp_path, redis_url, retries=",".join(map(str, wanted))) as process:
            subject = send(connection, f"{receiver.url}?token=of-its-owner")
            until(lambda: listed(connection, FAILED), what="it has failed")
            came = receiver.received
            assert are_about(pauses(receiver), wanted), pauses(receiver)
            (id,) = listed(connection, FAILED)
            assert {each.id for each in came} == {id}
            assert len({each.body for each in came}) == 1
            assert all(each.is_signed_by(SECRET) for each in came)
            dashboard.ready()
            (failed,) = dashboard.jobs("failed", keys.WEBHOOKS_QUEUE)
            assert failed["description"] == f"image.done {subject} → 127.0.0.1"
            assert failed["exc_info"] == "The recipient answered 500 (try 6 of 6)"
            # Sent again it has all its tries anew, as the same event.
            receiver.answers, receiver.always = [500], 204
            dashboard.press(f"/job/{id}/requeue")
            until(lambda: listed(connection, FINISHED) == [id], what="it is delivered")
            assert [each.id for each in came] == [id] * 8
            assert not listed(connection, FAILED)
    finally:
        dashboard.http.close()
        dashboard.terminate()
    counts = connection.hgetall(keys.COUNTS)
    assert {name.decode(): int(n) for name, n in counts.items() if b"webhook" in name} == {
        "webhook:retried": 6,
        "webhook:failed": 1,
        "webhook:delivered": 1,
    }
    assert not [line for line in process.log if "of-its-owner" in line or SECRET in line]


def test_a_recipient_that_names_a_time_is_not_asked_before(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers = [answers(429, Retry_After="2"), answers(503, Retry_After="0")]
    with worker(tmp_path, redis_url, retries="0.1,0.2"):
        send(connection, receiver.url)
        receiver.wait(3)
        assert are_about(pauses(receiver), [2, 0.2]), pauses(receiver)


def test_one_that_is_gone_is_asked_no_more(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    receiver.always = 410
    with worker(tmp_path, redis_url, retries="0.1,0.1"):
        send(connection, receiver.url)
        until(lambda: listed(connection, FAILED), what="it has failed")
    assert len(receiver.received) == 1
    (id,) = listed(connection, FAILED)
    assert "410" in str(fetch(connection, id).exc_info)


def test_one_that_hangs_keeps_none_of_the_others_waiting(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        (receiver.hang if "slow" in handler.path else answers(204))(handler)

    receiver.always = answer
    for number in range(100):
        send(connection, f"{receiver.url}/slow/{number % 2}", f"{receiver.url}/slow/2")
    quick = {send(connection, f"{receiver.url}/quick") for _ in range(20)}
    # One after the other the slow ones would take four hundred seconds, and by sixteen 25.
    with worker(tmp_path, redis_url, timeout="2", retries="60"):
        until(lambda: _of(receiver, "/quick") == quick, 15, "all others are delivered")


def _of(receiver: Receiver, path: str) -> set[str]:
    return {each.data["md5"] for each in list(receiver.received) if each.path.endswith(path)}


def test_a_thousand_messages_all_arrive(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    with connection.pipeline(transaction=False) as pipe:
        sent = {send_through(pipe, receiver.url) for _ in range(1000)}
        pipe.execute()
    began = time.monotonic()
    with worker(tmp_path, redis_url):
        until(lambda: _of(receiver, "/hooks") == sent, 60, "all are delivered")
        until(lambda: connection.zcard(FINISHED) == 1000, what="all are noted")
    print(f"1000 messages in {time.monotonic() - began:.1f} s")
    assert len({each.id for each in receiver.received}) == 1000
    for each in receiver.received[::100]:  # no thread has told the id of another's
        assert each.data["md5"] in fetch(connection, each.id).kwargs["payload"]
    assert not connection.exists(QUEUE_KEY, f"{QUEUE_KEY}:intermediate", SCHEDULED_KEY)


def send_through(pipe: Any, url: str) -> str:
    subject = secrets.token_hex(16)
    message = Message(EventType.IMAGE_DONE, subject, datetime.now(UTC), {"md5": subject})
    pipe.execute_command(*tell(message, [Recipient(url=url)]))
    return subject


def _kill(process: Process) -> None:
    for each in process.family():
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def test_a_worker_killed_between_sending_and_noting_leaves_it_to_be_sent_once_more(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    with worker(tmp_path, redis_url) as first:

        def killed(handler: BaseHTTPRequestHandler) -> None:
            _kill(first)
            answers(204)(handler)

        receiver.answers = [killed]
        subject = send(connection, receiver.url)
        receiver.wait(1)
        first.wait()
    assert not listed(connection, FINISHED)
    with worker(tmp_path, redis_url):
        came = receiver.wait(2, 60)
        until(lambda: listed(connection, FINISHED), what="it is noted")
    assert [each.data["md5"] for each in came] == [subject] * 2
    assert len({each.id for each in came}) == 1
    assert not listed(connection, FAILED)


def test_a_worker_that_stops_puts_back_what_its_recipient_holds_up(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers = [receiver.hang]
    with worker(tmp_path, redis_url, timeout="30") as first:
        subject = send(connection, receiver.url)
        receiver.wait(1)
        began = time.monotonic()
        assert first.terminate() == 0
        assert time.monotonic() - began < 10
    with worker(tmp_path, redis_url):
        came = receiver.wait(2, 10)  # at once, and not as an abandoned one
    assert [each.data["md5"] for each in came] == [subject] * 2


def test_a_worker_whose_settings_lack_the_endpoint_leaves_it_to_others(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    message = Message(EventType.IMAGE_DONE, "0" * 32, datetime.now(UTC), {})
    connection.execute_command(*tell(message, [Recipient(name="new")]))
    with worker(tmp_path, redis_url, retries="1,1,1") as old:
        old.wait_for("The settings have no endpoint new")
    endpoints = {"new": {"url": receiver.url, "secret": SECRET}}
    settings: dict[str, Any] = webhook_settings(endpoints)
    env = environment(tmp_path, REDIS__URL=redis_url, **settings)
    process = Process(["workers", "--queues", keys.WEBHOOKS_QUEUE], env)
    try:
        assert receiver.wait(1)[0].is_signed_by(SECRET)
    finally:
        process.terminate()


def test_what_is_no_delivery_is_not_run_in_its_queue(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    send(connection, receiver.url)
    (id,) = connection.lrange(QUEUE_KEY, 0, -1)
    connection.hset(rq_keys.job(id.decode()), "data", b'["os.getcwd",null,[],{}]')
    other = send(connection, receiver.url)
    with worker(tmp_path, redis_url):
        until(lambda: listed(connection, FAILED) == [id.decode()], what="it has failed")
        until(lambda: _of(receiver, "/hooks") == {other}, what="the other is delivered")


def each_way(receiver: Receiver) -> list[Callable[[BaseHTTPRequestHandler], None] | int]:
    """Ways not to take a message."""
    return [receiver.hang, receiver.drip, answers(302, Location=receiver.url), lambda _: None]


def test_however_a_recipient_fails_it_is_tried_again(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    ways = each_way(receiver)
    receiver.answers = list(ways)
    with worker(tmp_path, redis_url, timeout="1", retries="0.1,0.1,0.1,0.1"):
        send(connection, receiver.url)
        came = receiver.wait(len(ways) + 1)
        until(lambda: listed(connection, FINISHED), what="it is delivered")
    assert len({each.id for each in came}) == 1
    assert {each.path for each in came} == {"/hooks"}


def test_rqs_own_worker_tells_of_pictures_too(
    redis_url: str, connection: Any, tmp_path: Path, receiver: Receiver
) -> None:
    settings = webhook_settings({"all": {"url": receiver.url, "secret": SECRET}})
    pictures = {
        "image.done": snapshot(),
        "image.failed": b"\xff\xd8\xff\xe0" + unique(b""),
    }
    with web(tmp_path, redis_url, **settings) as running:
        for data in pictures.values():
            assert running.client.upload(data, "jpg").status_code == 202
    env = environment(tmp_path, REDIS__URL=redis_url, **settings)
    options = ("--burst", "--serializer", "json", "--url", redis_url)
    subprocess.run(
        [sys.executable, "-m", "rq.cli", "worker", *options, Priority.INTERACTIVE],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        timeout=60,
    )
    process = Process(["workers", "--queues", keys.WEBHOOKS_QUEUE], env)
    try:
        came = {each.type: each.data["md5"] for each in receiver.wait(2)}
    finally:
        process.terminate()
    assert came == {type: md5(data) for type, data in pictures.items()}

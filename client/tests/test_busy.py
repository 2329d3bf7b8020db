"""A server that is busy or away is waited for."""

from __future__ import annotations

import email.utils
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tinyimage_client import Client, Refused, Stage, Step, Unreachable, link
from tinyimage_client.link import seconds_until

from bench.launch import free_port
from client.tests.command import tinyimage
from client.tests.standin import RESULT, Answer, Request, Standin, standin


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "rate_limited"), (503, "queue_full"), (503, "unavailable"), (507, "storage_full")],
)
def test_a_busy_server_is_asked_again_when_it_says(fake: Standin, status: int, code: str) -> None:
    refusals = iter([True])

    def hook(request: Request) -> Answer | None:
        if request.path == "/upload" and next(refusals, False):
            body = {"error": code, "message": "Try again"}
            return Answer(status, body, {"Retry-After": "1"})
        return None

    fake.hook = hook
    steps: list[Step] = []
    began = time.monotonic()
    with Client(fake.url, patience=5) as client:
        assert client.compress(b"picture", progress=steps.append).data == RESULT
    assert time.monotonic() - began >= 1
    (waits,) = [step for step in steps if step.stage is Stage.WAITING]
    assert 0.9 < waits.seconds <= 1
    assert waits.reason == "Try again"
    assert len(fake.seen("/upload")) == 2


def test_a_pause_is_for_all_pictures(fake: Standin) -> None:
    """A server that has told one client to wait is not asked by the others meanwhile."""
    refused = threading.Event()

    def hook(request: Request) -> Answer | None:
        if not refused.is_set() and request.path == "/upload":
            refused.set()
            body = {"error": "rate_limited", "message": "Try again"}
            return Answer(429, body, {"Retry-After": "1"})
        return None

    with Client(fake.url) as client:
        client.compress(b"first")
        fake.hook = hook
        thread = threading.Thread(target=client.compress, args=(b"second",))
        thread.start()
        assert refused.wait(10)
        time.sleep(0.2)  # until the refusal has arrived
        before = len(fake.requests)
        began = time.monotonic()
        client.compress(b"third")
        assert time.monotonic() - began > 0.5
        thread.join(10)
    assert before == len(fake.requests) - 3 - 4, "second: three more requests; third: four"


def test_a_server_that_stays_away_is_given_up(fake: Standin) -> None:
    fake.hook = lambda request: (
        Answer(503, {"error": "unavailable", "message": "No Redis"}, {"Retry-After": "0"})
        if request.path == "/upload"
        else None
    )
    with Client(fake.url, patience=0.5) as client, pytest.raises(Refused, match="No Redis"):
        client.compress(b"picture")
    assert len(fake.seen("/upload")) > 1


@pytest.mark.parametrize("path", ["/", "/docs/openapi.json", "/status/"])
def test_a_server_that_does_not_work_from_the_start_ends_the_command_soon(
    fake: Standin, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FIRST_SECONDS", 0.5)
    fake.hook = lambda request: (
        Answer(503, {"error": "unavailable", "message": "No Redis"}, {"Retry-After": "0"})
        if request.path.startswith(path)
        else None
    )
    pictures = [tmp_path / f"{number}.png" for number in range(3)]
    for picture in pictures:
        picture.write_bytes(picture.name.encode())
    ended = tinyimage("--server", fake.url, *pictures)
    assert ended.status == 3
    assert f"tinyimage: {fake.url}/ cannot be used: No Redis" in ended.err
    assert not fake.seen("/upload")


def test_a_refusal_before_the_first_picture_is_a_line(fake: Standin, tmp_path: Path) -> None:
    fake.hook = lambda request: Answer(403, {"error": "forbidden", "message": "Not from there"})
    picture = tmp_path / "1.png"
    picture.write_bytes(b"1")
    ended = tinyimage("--server", fake.url, picture)
    assert (ended.status, ended.err.strip()) == (3, "tinyimage: Not from there")


@pytest.mark.parametrize("year", ["31536000", "9" * 400, "date"])
def test_a_server_that_asks_to_wait_for_more_than_a_day_is_not_waited_for(
    fake: Standin, year: str
) -> None:
    later = datetime.now(UTC) + timedelta(days=365)
    asked = email.utils.format_datetime(later, usegmt=True) if year == "date" else year
    fake.hook = lambda request: (
        Answer(429, {"error": "rate_limited", "message": "Not now"}, {"Retry-After": asked})
        if request.path == "/upload"
        else None
    )
    with Client(fake.url) as client, pytest.raises(Refused, match=r"Not now \(.* days\)"):
        client.compress(b"picture")
    assert len(fake.seen("/upload")) == 1


def test_a_server_that_is_started_anew_is_found_again() -> None:
    port = free_port()
    with standin(port) as first, Client(first.url) as client:
        client.compress(b"first")
        reason: list[str] = []
        done: list[bytes] = []

        def hear(step: Step) -> None:
            if step.stage is Stage.WAITING:
                reason.append(step.reason)
                away.set()

        away = threading.Event()
        thread = threading.Thread(
            target=lambda: done.append(client.compress(b"second", progress=hear).data)
        )
        first.hook = lambda request: Answer(200, RESULT, cut=True)
        thread.start()
        assert away.wait(10)
        first.hook = lambda request: None
        thread.join(20)
    assert done == [RESULT]
    assert "cannot be reached" in reason[0]


def test_a_server_that_was_never_reached_is_not_waited_for() -> None:
    began = time.monotonic()
    with Client("http://127.0.0.1:1", patience=60) as client, pytest.raises(Unreachable):
        client.about()
    assert time.monotonic() - began < 5


def test_retry_after_may_be_seconds_or_a_date() -> None:
    assert seconds_until(None) is None
    assert seconds_until(" 7 ") == 7
    assert seconds_until("soon") is None
    assert seconds_until("-3") is None
    assert seconds_until(f"Fri, 31 Dec 1999 23:59:59 -{'9' * 20}") is None
    later = datetime.now(UTC) + timedelta(seconds=60)
    assert 50 < (seconds_until(email.utils.format_datetime(later, usegmt=True)) or 0) <= 60
    assert seconds_until("Fri, 31 Dec 1999 23:59:59 GMT") == 0

"""Clients that are slow, silent, greedy, or gone: each is bounded, and the others are served."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from pathlib import Path

import pytest
import redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests import rq_keys
from tests.pictures import md5, noise, photograph, snapshot, unique
from tests.service import Client, Process, environment, service, until
from tests.web.alone import answer, ended, web
from tests.web.raw import PART, UPLOAD_HEAD, flooded, frame, raw_socket
from tests.web.sockets import answers, message


def _drip(connection: socket.socket, byte: bytes = b"a") -> threading.Event:
    """Send a byte now and then until the connection is closed or the event is set."""
    stop = threading.Event()

    def run() -> None:
        with contextlib.suppress(OSError):
            while not stop.wait(0.1):
                connection.sendall(byte)

    threading.Thread(target=run, daemon=True).start()
    return stop


def test_an_upload_that_takes_too_long_is_408_however_often_a_byte_comes(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, LIMITS__UPLOAD_TIMEOUT=1) as running:
        files = running.process().num_fds()
        for drip in (False, True):
            with running.connection() as connection:
                # More than stays in memory: there is a spooled file.
                connection.sendall(UPLOAD_HEAD + PART + os.urandom(1_000_000))
                stop = _drip(connection) if drip else threading.Event()
                status, _, body = answer(connection)
                stop.set()
            assert status == 408
            assert json.loads(body)["error"] == "upload_timeout"
        until(lambda: running.process().num_fds() <= files, what="the spooled files are closed")
        assert running.client.upload(snapshot()).status_code == 202
        assert running.troubles() == []


def test_half_a_body_and_gone_leaves_nothing_behind(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url) as running:

        def leave(times: int) -> None:
            seen = len(running.access(path="/upload"))
            for _ in range(times):
                with running.connection() as connection:
                    connection.sendall(UPLOAD_HEAD + PART + os.urandom(1_000_000))
            until(lambda: len(running.access(path="/upload")) == seen + times)

        leave(1)
        files = running.process().num_fds()
        leave(20)
        until(lambda: running.process().num_fds() <= files, what="the spooled files are closed")
        # It may still have read the answer.
        assert {each["status"] for each in running.access(path="/upload")} <= {400, 499}
        assert running.troubles() == []
        assert not [path for path in (tmp_path / "output").rglob("*") if path.is_file()]


def test_a_head_that_is_never_finished_ends_however_often_a_byte_comes(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, LIMITS__REQUEST_TIMEOUT=1) as running:
        for drip in (False, True):
            with running.connection() as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
                stop = _drip(connection) if drip else threading.Event()
                status, _, body = answer(connection)
                stop.set()
            assert status == 408
            assert json.loads(body)["error"] == "request_timeout"
        assert running.troubles() == []


def test_many_slow_uploads_at_once_take_little_memory(redis_url: str, tmp_path: Path) -> None:
    data = os.urandom(400_000)
    with web(tmp_path, redis_url) as running, contextlib.ExitStack() as stack:
        before = running.process().memory_info().rss
        for _ in range(300):
            connection = stack.enter_context(running.connection())
            connection.sendall(UPLOAD_HEAD + PART + data)
        assert running.client.answers()
        # 100 of them may stay in memory: 40 MB; all 300 would be 120.
        until(lambda: running.process().num_fds() > 450, what="they are spooled")
        assert running.process().memory_info().rss - before < 100 * 1024**2


def test_pictures_over_a_sockets_limit_wait_unread_and_are_done_in_the_end(
    redis_url: str, tmp_path: Path, connection: redis.Redis
) -> None:
    pictures = [snapshot() for _ in range(6)]
    with (
        web(tmp_path, redis_url, LIMITS__SOCKET_PICTURES=2) as running,
        connect(running.ws_url, max_size=None) as ws,
    ):
        for data in pictures:
            ws.send(message(data))
        queued = {json.loads(ws.recv(timeout=60))["md5"] for _ in range(2)}
        assert queued == {md5(data) for data in pictures[:2]}
        with connect(running.ws_url) as other:  # others are not held up
            other.send(message(b"no picture"))
            assert answers(other, 1)[0]["message"] == "not_an_image"
        assert connection.llen(rq_keys.queue("interactive")) == 2
        workers = Process(["workers"], environment(tmp_path, REDIS__URL=redis_url))
        try:
            done = [a["md5"] for a in answers(ws, 6) if a["status"] == "done"]
        finally:
            workers.terminate()
        assert sorted(done) == sorted(md5(data) for data in pictures)


def test_sockets_over_the_limit_are_refused_until_one_closes(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, LIMITS__SOCKETS=3) as running:
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(connect(running.ws_url))
            with pytest.raises(InvalidStatus) as error:
                connect(running.ws_url)
            response = error.value.response
            assert response.status_code == 503
            assert json.loads(response.body)["error"] == "too_many_sockets"
            assert int(response.headers["retry-after"]) > 0
            assert running.client.answers()
        until(lambda: len(running.access(path="/ws", status=101)) == 3)
        with connect(running.ws_url) as ws:
            ws.send("nonsense")
            assert answers(ws, 1)[0]["message"] == "invalid_json"


def test_one_address_cannot_take_all_sockets(redis_url: str, tmp_path: Path) -> None:
    settings = {"LIMITS__SOCKETS_PER_ADDRESS": 2, "SERVER__PROXIES_COUNT": 1}
    with web(tmp_path, redis_url, **settings) as running, contextlib.ExitStack() as stack:
        mine, other = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        for _ in range(2):
            stack.enter_context(connect(running.ws_url, additional_headers=mine))
        with pytest.raises(InvalidStatus):
            connect(running.ws_url, additional_headers=mine)
        stack.enter_context(connect(running.ws_url, additional_headers=other))


def test_a_socket_on_which_nothing_happens_is_closed_and_one_with_a_picture_in_work_is_not(
    redis_url: str, tmp_path: Path
) -> None:
    with (
        web(tmp_path, redis_url, LIMITS__SOCKET_IDLE=1) as running,
        connect(running.ws_url) as busy,
    ):
        busy.send(message(snapshot()))
        assert json.loads(busy.recv(timeout=60))["status"] == "queued"
        for _ in range(2):  # so that the busy one has been silent for longer than may be
            with connect(running.ws_url) as idle, pytest.raises(ConnectionClosed) as closed:
                idle.recv(timeout=60)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1000
        busy.send("nonsense")
        assert answers(busy, 1)[0]["message"] == "invalid_json"


def test_a_message_that_comes_too_slowly_closes_its_socket(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, LIMITS__UPLOAD_TIMEOUT=1) as running:
        for drip in (False, True):
            with raw_socket(running) as connection:
                connection.sendall(frame(b'{"data": "', length=1_000_000))
                stop = _drip(connection) if drip else threading.Event()
                assert ended(connection)
                stop.set()
        # Fragments of one message count as one.
        with raw_socket(running) as connection:
            connection.sendall(frame(b'{"data": "', opcode=0x01))
            stop = _drip(connection, frame(b"A", opcode=0x00))
            assert ended(connection)
            stop.set()
        until(lambda: len(running.access(path="/ws", outcome="too_slow")) == 3)
        assert running.troubles() == []


def test_messages_that_are_together_too_large_close_one_socket_and_leave_the_others(
    redis_url: str, tmp_path: Path
) -> None:
    with (
        web(tmp_path, redis_url, LIMITS__SOCKET_MEMORY="2MB") as running,
        connect(running.ws_url) as other,
        raw_socket(running) as first,
        raw_socket(running) as second,
    ):
        first.sendall(frame(bytes(1_500_000), length=3_000_000))
        other.send("nonsense")
        assert answers(other, 1)[0]["message"] == "invalid_json"
        with contextlib.suppress(ConnectionError):
            second.sendall(frame(bytes(1_500_000), length=3_000_000))
        assert ended(second)
        assert until(lambda: running.access(path="/ws", outcome="too_much_at_once"))
        data = snapshot()
        other.send(message(data))
        assert json.loads(other.recv(timeout=60))["md5"] == md5(data)
        first.close()
        with connect(running.ws_url) as third:
            third.send(message(bytes(1_000_000)))
            assert answers(third, 1)[0]["message"] == "not_an_image"


def test_messages_that_come_faster_than_they_are_answered_wait_unread(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url) as running, raw_socket(running) as connection:
        before = running.memory()
        order = frame(message(bytes(750_000)).encode())
        peak = flooded(running, connection, [order] * 100, lines=100)
        assert len(running.access(path="/ws", outcome="not_an_image")) == 100
        assert peak - before < 50 * 1024**2
        assert running.troubles() == []


def test_a_client_that_never_reads_is_cut_off_and_takes_little_memory(tmp_path: Path) -> None:
    data = noise(800)
    with service(tmp_path, LIMITS__SEND_TIMEOUT=1, LOGS__FORMAT="json") as server:
        client = Client(server.url)
        client.upload(data, "jpg", q="98", effort="fast")
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        size = len(client.download(md5(data)).content)
        process = next(p for p in server.family() if p.cmdline()[-1] == "web")
        before = process.memory_info().rss
        order = message(data, "jpg", q=98, effort="fast").encode()
        with raw_socket(server, receive_buffer=4096) as connection:  # type: ignore[arg-type]
            with contextlib.suppress(OSError):
                for _ in range(40):
                    connection.sendall(frame(order))
            server.wait_for('"outcome": "not_reading"')
            peak = process.memory_info().rss
        assert size > 500_000
        assert peak - before < 30 * size
        assert client.answers()


@pytest.mark.parametrize("count", [500])
def test_hundreds_of_silent_sockets_are_borne(redis_url: str, tmp_path: Path, count: int) -> None:
    with web(tmp_path, redis_url) as running, contextlib.ExitStack() as stack:
        before = running.process().memory_info().rss
        for _ in range(count):
            stack.enter_context(contextlib.closing(raw_socket(running)))
        grown = running.process().memory_info().rss - before
        assert grown < count * 128 * 1024
        assert running.client.upload(snapshot()).status_code == 202
        with connect(running.ws_url) as ws:
            ws.send("nonsense")
            assert answers(ws, 1)[0]["message"] == "invalid_json"
        stack.close()
        until(lambda: len(running.access(path="/ws", status=101)) == count + 1)
        assert running.troubles() == []


def test_connections_that_say_nothing_are_borne(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url) as running, contextlib.ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(running.connection())
        assert running.client.upload(snapshot()).status_code == 202


def test_clients_that_go_at_any_moment_are_no_errors(redis_url: str, tmp_path: Path) -> None:
    data = unique(photograph("rocket"))
    order, upload = message(data).encode(), UPLOAD_HEAD + PART + data
    with web(tmp_path, redis_url) as running:
        for number in range(300):
            with raw_socket(running) as connection:
                whole = frame(order)
                connection.sendall(whole[: 1 + number * len(whole) // 300] if number % 3 else whole)
        for number in range(150):
            with running.connection() as connection:
                connection.sendall(upload[: 1 + number * len(upload) // 150])
                if number % 2:  # a reset in place of an end
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        until(lambda: len(running.access(path="/ws", status=101)) == 300)
        assert running.client.upload(data).status_code == 202
        assert running.troubles() == []
    assert running.troubles() == []

"""Clients and servers that go away while a picture is being taken."""

from __future__ import annotations

import contextlib
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis
from websockets.sync.client import connect

from bench.launch import free_port
from tests.pictures import md5, snapshot
from tests.service import Client, Process, Service, environment, until
from tests.web.raw import PART
from tests.web.sockets import message

PAUSE_MILLISECONDS = 60_000
"""More than any test lets Redis wait."""


@contextlib.contextmanager
def _no_writes(url: str) -> Iterator[None]:
    """Redis answers what is asked and lets what is written wait: a submission is on its way."""
    with contextlib.closing(redis.Redis.from_url(url)) as connection:
        connection.client_pause(PAUSE_MILLISECONDS, all=False)
        try:
            yield
        finally:
            connection.client_unpause()


def _wait_until_stored(output: Path, data: bytes) -> None:
    """Wait for the original, after which the job is made."""

    def stored() -> bool:
        # LocalStore writes beside it, under a name with a #.
        names = [path.name for path in output.rglob(f"{md5(data)}*")]
        return any("#" not in name for name in names)

    until(stored, what="the original is stored")


@contextlib.contextmanager
def _over_websocket(server: Service, data: bytes) -> Iterator[None]:
    """A client that sends a picture and goes away in the end."""
    with connect(server.ws_url, max_size=None) as ws:
        ws.send(message(data))
        yield


@contextlib.contextmanager
def _over_http(server: Service, data: bytes) -> Iterator[None]:
    """A client that sends a picture and goes away in the end, without its answer."""
    request = httpx.Request("POST", f"{server.url}/upload", files={"picture": ("cat.jpg", data)})
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"POST /upload HTTP/1.1\r\n{head}\r\n".encode() + request.read())
        yield


@pytest.mark.parametrize("sent", [_over_websocket, _over_http])
def test_a_picture_whose_client_goes_away_as_it_is_taken_is_done_all_the_same(
    server: Service,
    client: Client,
    sent: Callable[[Service, bytes], contextlib.AbstractContextManager[None]],
) -> None:
    data = snapshot()
    with _no_writes(server.redis_url):
        with sent(server, data):
            _wait_until_stored(server.folder / "output", data)
        assert client.answers()  # so the server has seen it go
    until(lambda: client.status(md5(data)), what="the job is made")
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]


def test_a_picture_taken_while_the_server_stops_is_done_after_the_next_start(
    redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    env = environment(tmp_path, port, REDIS__URL=redis_url)
    data = snapshot()
    client = Client(f"http://127.0.0.1:{port}")
    web = Process(["app", "web"], env)
    try:
        until(client.answers, what="the web answers")
        with ThreadPoolExecutor(1) as pool:
            with _no_writes(redis_url):
                upload = pool.submit(client.upload, data)
                _wait_until_stored(tmp_path / "output", data)
                web.send_signal(signal.SIGTERM)
                # Its connection is cut when open requests have had their time.
                assert isinstance(upload.exception(), httpx.TransportError)
            assert web.wait() == 0
        assert not [line for line in web.log if "Traceback" in line or "Task" in line]
        web = Process(["app", "web"], env)
        workers = Process(["workers"], env)
        try:
            until(client.answers, what="the web answers again")
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        finally:
            workers.terminate()
    finally:
        web.terminate()


def _spooled(server: Service) -> int:
    """The unnamed temporary files of all its processes."""
    links = []
    for process in server.family():
        for file in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                links.append(str(file.readlink()))
    return sum(link.startswith(tempfile.gettempdir()) and "deleted" in link for link in links)


HALF = b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=bbbb\r\n"
CUT_SHORT = {
    "in the head": HALF,
    "after the head": HALF + b"Content-Length: 3000000\r\n\r\n",
    "in a boundary": HALF + b"Content-Length: 3000000\r\n\r\n--bb",
    "in the picture": (
        HALF
        + b"Content-Length: 3000000\r\n\r\n"
        + PART.replace(b"--x", b"--bbbb")
        + bytes(2_000_000)
    ),
    "in the size of a chunk": HALF + b"Transfer-Encoding: chunked\r\n\r\n10",
    "in a chunk": (
        HALF + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n" + PART.replace(b"--x", b"--bbbb")
    ),
    "in JSON": b"POST /archive HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n{",
    "in a head that is too large": b"GET / HTTP/1.1\r\nX-Large: " + bytes(40_000),
}


@pytest.mark.parametrize("place", CUT_SHORT)
def test_a_client_that_ends_its_side_of_the_connection_too_early_is_told(
    server: Service, client: Client, place: str
) -> None:
    stored, spooled = len(server.stored("originals")), _spooled(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(CUT_SHORT[place])
        connection.shutdown(socket.SHUT_WR)
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
    if "too large" in place:
        assert b" 431 " in head
    else:
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"before the end of the request" in body
    assert b"connection: close" in head.lower()
    assert client.answers()
    assert len(server.stored("originals")) == stored
    assert not [line for line in server.log if "Traceback" in line or '"level": "error"' in line]
    until(lambda: _spooled(server) == spooled, what="no spooled picture is left")


def test_a_client_that_ends_its_side_of_the_connection_after_its_request_is_answered(
    server: Service,
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65_536) == b""

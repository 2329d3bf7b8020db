"""`script/bench speed` beside other servers, with sizes that show that it measures and not what."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.bare import BareRun
from bench.launch import HOST, free_port
from bench.load import ServiceRun, Way
from bench.server import Server
from bench.speed_report import Measured, peers_table, plain_table
from imaging.formats import Format
from imaging.options import Effort
from tests.bench.command import TIMEOUT, bench, refused
from tests.pictures import large, unique

pytestmark = TIMEOUT


class _Imaginary(BaseHTTPRequestHandler):
    """Answers as imaginary does, with a picture of 1,000 bytes, in chunks if it is a WebP."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        picture = self.rfile.read(int(self.headers["Content-Length"]))
        right = picture.startswith(b"\xff\xd8") and self.headers["Content-Type"] == "image/jpeg"
        types = {"jpeg": b"1000", "webp": b"3e8\r\n" + bytes(1000) + b"\r\n0\r\n\r\n"}
        if not right or address.path != "/convert" or query["type"][0] not in types:
            self.send_error(400)
            return
        self.send_response(200)
        if query["type"] == ["webp"]:
            self.send_header("Transfer-Encoding", "chunked")
            body = types["webp"]
        else:
            self.send_header("Content-Length", "1000")
            body = bytes(1000)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def imaginary() -> Iterator[str]:
    """The address of a server that speaks as imaginary does."""
    server = ThreadingHTTPServer((HOST, 0), _Imaginary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def sizes(tmp_path: Path) -> list[str]:
    """The arguments of a measurement that is over soon: of two small pictures."""
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(unique(large(400, 300)))
    few = ["--count", "2", "--repeat", "1", "--concurrency", "1", "--workers", "1"]
    return ["--pictures", str(tmp_path), "--formats", "jpg,webp", *few]


def test_another_api_is_measured_beside_ours_in_the_format_of_the_pictures(
    folder: Path, sizes: list[str]
) -> None:
    ended = bench(folder, "speed", *sizes, "--effort", "fast", "--workers", "1", "--api", "tinify")
    assert ended.returncode == 0, ended.stderr
    table = ended.stdout.partition("Over another API")[2]
    for format in ("jpg", "webp"):
        line = rf"^{format} +fast +[\d.]+ +[\d.]+ +\d\.\d\d .* ≥ 0\.90 +(reached|MISSED)$"
        assert re.search(line, table, re.MULTILINE), table


def test_other_servers_are_measured_beside_ours(
    folder: Path, sizes: list[str], imaginary: str
) -> None:
    (folder / "older").mkdir()
    with Server(folder / "older", 1) as older:
        ended = bench(
            folder,
            "speed",
            *sizes,
            *("--effort", "fast"),
            *("--peer", f"older=http://{HOST}:{older.port}", "--peer", f"imaginary={imaginary}"),
        )
    assert ended.returncode == 0, ended.stderr
    assert "Over another API" not in ended.stdout
    for format in ("jpg", "webp"):
        # It is this server itself, at another effort.
        assert re.search(rf"^{format} +older=\S+ +[\d.]+ +[\d.]+ +\d", ended.stdout, re.MULTILINE)
        assert re.search(rf"^{format} +imaginary=\S+ .* 1,000 ", ended.stdout, re.MULTILINE)
        assert re.search(rf"^{format} +fast .* ≥ 0\.\d\d +(reached|MISSED)$", ended.stdout, re.M)


@pytest.mark.parametrize(
    ("peer", "says"),
    [
        ("other=http://127.0.0.1", "'other' is none of older, imaginary"),
        ("older=ftp://127.0.0.1", "should be such as"),
        ("older", "should be such as"),
    ],
)
def test_what_is_no_peer_is_told(peer: str, says: str) -> None:
    assert says in refused("speed", "--peer", peer)


@pytest.mark.parametrize(
    ("peer", "says"),
    [
        ("older=http://127.0.0.1:PORT", "cannot be reached"),
        ("imaginary=http://nowhere.invalid", "cannot be reached"),
    ],
)
def test_a_peer_that_cannot_be_asked_is_one_clear_line(folder: Path, peer: str, says: str) -> None:
    ended = bench(folder, "speed", "--peer", peer.replace("PORT", str(free_port())))
    assert ended.returncode == 1
    assert says in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_ratios_are_of_the_same_repeat_and_say_whether_they_are_reached() -> None:
    def run(seconds: float, size: int) -> ServiceRun:
        return ServiceRun(seconds, [Way(0.1, 0.2, 1, size)])

    measured = Measured(Format.JPG, Effort.FAST, 1)
    measured.plain = [BareRun(0.7, [1]), BareRun(1.4, [1]), BareRun(1.0, [1])]
    measured.service = [run(1.0, 80), run(2.0, 80), run(4.0, 80)]
    measured.peers = {"older=x": [run(0.5, 100), run(3.0, 100), run(4.0, 100)]}
    assert plain_table([measured]).splitlines()[1].split() == [
        *("jpg", "fast", "1.0", "0.5", "0.70", "(0.25–0.70)", "≥", "0.70", "reached"),
    ]
    assert peers_table([measured]).splitlines()[2].split() == [
        *("jpg", "older=x", "0.3", "0.5", "1.00", "(0.50–1.50)", "100", "80", "0.80"),
    ]
    measured.service[0] = run(1.5, 80)
    measured.service[1] = run(2.5, 80)
    assert "MISSED" in plain_table([measured])

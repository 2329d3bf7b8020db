"""A stand-in for the server, which answers as a test wants: busy, away, wrong, slow."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

RESULT = b"RIFF\x10\x00\x00\x00WEBPVP8 a result!"
"""A file that begins as a WebP does."""

RESULTS = {
    "webp": RESULT,
    "avif": b"\x00\x00\x00\x10ftypavifmif1 a result!",
    "jpg": b"\xff\xd8\xff\xe0 a result!",
}
"""The same of the formats that it can choose."""

ABOUT = {
    "version": "0.2.0",
    "download_url": "download/",
    "max_upload_size_bytes": 10_000_000,
    "max_concurrent_tasks": 3,
    "max_age": 24,
}

FORM = {
    "format": {"type": "string", "enum": ["webp", "jpg", "same"]},
    "quality": {"type": "integer", "minimum": 1, "maximum": 100},
    "q": {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": 100},
            {"type": "string", "enum": ["auto", "auto:high", "auto:low"]},
        ]
    },
    "max_bytes": {"type": "string"},
    "damaged": {"type": "string", "enum": ["show", "refuse"]},
    "width": {"type": "integer", "minimum": 1, "maximum": 16383},
}

SCHEMA = {
    "components": {"schemas": {}},
    "paths": {
        "/upload": {
            "post": {
                "requestBody": {
                    "content": {
                        "multipart/form-data": {"schema": {"type": "object", "properties": FORM}}
                    }
                }
            }
        }
    },
}


@dataclass(frozen=True, slots=True)
class Request:
    """One that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def fields(self) -> dict[str, str]:
        """Of the form."""
        found = re.findall(rb'name="(\w+)"\r\n\r\n([^\r]*)\r\n', self.body)
        return {name.decode(): value.decode() for name, value in found}

    @property
    def picture(self) -> bytes:
        """The file of the form."""
        part = self.body.partition(b'name="picture"')[2].partition(b"\r\n\r\n")[2]
        return part.rpartition(b"\r\n--")[0]


@dataclass
class Answer:
    """What a request gets."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Whether the connection ends before the whole body is sent."""


Hook = Callable[[Request], Answer | None]


@dataclass
class Standin:
    """A server that makes `RESULT` of every picture."""

    url: str = ""
    hook: Hook = lambda request: None
    """Answers a request in place of the server; None has the server answer it."""
    reads_after: float = 0.0
    """Seconds before it reads the body of a request."""
    requests: list[Request] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By MD5."""

    def seen(self, path: str) -> list[Request]:
        """The requests whose path begins so."""
        return [request for request in self.requests if request.path.startswith(path)]

    def answer(self, request: Request) -> Answer:
        """As the server answers."""
        if (hooked := self.hook(request)) is not None:
            return hooked
        name = request.path.rpartition("/")[2]
        if request.path == "/":
            return Answer(body=ABOUT)
        if request.path == "/docs/openapi.json":
            return Answer(body=SCHEMA)
        if request.path == "/upload":
            md5 = hashlib.md5(request.picture).hexdigest()
            job = {"md5": md5, "format": "webp", "quality": 0}
            self.jobs[md5] = job
            return Answer(202, {"message": "queued", **job})
        if request.path.startswith("/status/") and name in self.jobs:
            done = {
                "status": "done",
                "result_bytes": len(RESULT),
                "download_url": f"../download/{name}?format=webp&lossless=false",
            }
            return Answer(body=[{**self.jobs[name], **done}])
        if request.path.startswith("/download/") and name in self.jobs:
            return Answer(body=RESULT, headers={"Content-Type": "image/webp"})
        return Answer(404, {"error": "not_found", "message": "There is no such picture"})


def choosing(state: Standin) -> Hook:
    """Has it choose the format that a picture begins with, as `avif:`. What it takes it does not
    tell."""
    formats: dict[str, str] = {}

    def hook(request: Request) -> Answer | None:
        if request.path == "/docs/openapi.json":
            return Answer(404, {})
        md5 = request.path.rpartition("/")[2]
        if request.path == "/upload":
            md5 = hashlib.md5(request.picture).hexdigest()
            formats[md5] = request.picture.partition(b":")[0].decode()
            options = {"options": {"formats": list(RESULTS)}}
            state.jobs[md5] = {"md5": md5, "format": "auto", "quality": 0, **options}
            return Answer(202, state.jobs[md5])
        if request.path.startswith("/status/") and md5 in state.jobs:
            url = f"../download/{md5}?formats=auto"
            done = {"status": "done", "format": formats[md5], "download_url": url}
            return Answer(body=[{**state.jobs[md5], **done}])
        if request.path.startswith("/download/") and md5 in formats:
            name = formats[md5]
            kind = "jpeg" if name == "jpg" else name
            return Answer(body=RESULTS[name], headers={"Content-Type": f"image/{kind}"})
        return None

    return hook


@contextlib.contextmanager
def standin(port: int = 0) -> Iterator[Standin]:
    """The stand-in, at work."""
    state = Standin()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.take(b"")

        def do_POST(self) -> None:
            time.sleep(state.reads_after)
            self.take(self.rfile.read(int(self.headers["Content-Length"])))

        def take(self, body: bytes) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, address.path, query, headers, body)
            state.requests.append(request)
            answer = state.answer(request)
            data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
            data = data.encode() if isinstance(data, str) else data
            self.send_response(answer.status)
            for header, value in answer.headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if answer.cut else data)
            self.close_connection = answer.cut

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join(10)

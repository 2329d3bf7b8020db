"""`python -m bench.smoke`: starts everything in one, sends a picture through, and ends it.

Needs nothing beside requirements.txt, for a look at whether this Python and this machine will do.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path

from bench.launch import HOST, READY_LINE, free_port, start

SECONDS = 90.0
"""How long the start, and then the picture, may take on a machine under load."""

BOUNDARY = "smoke"

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def picture(side: int = 64) -> bytes:
    """A PNG of a gradient."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = b"".join(
        b"\0" + b"".join(bytes((4 * x, 4 * y, 128)) for x in range(side)) for y in range(side)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def upload(url: str, data: bytes) -> None:
    """Send it, to become an AVIF."""
    field = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    format = f'{field}"format"\r\n\r\navif\r\n'
    head = f'{field}"picture"; filename="a.png"\r\n\r\n'
    body = f"{format}{head}".encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    content = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with _OPENER.open(urllib.request.Request(f"{url}/upload", body, content), timeout=30) as answer:
        assert answer.status == 202, answer.status


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it.

    Raises:
        SystemExit: if it does not come.
    """
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"smoke: not within {SECONDS:.0f} s: {what}")
        time.sleep(0.1)


def main() -> None:
    """Do it. Ends with a line that says what did not work."""
    data, port = picture(), free_port()
    url, md5 = f"http://{HOST}:{port}", hashlib.md5(data).hexdigest()
    with tempfile.TemporaryDirectory() as name:
        log = Path(name, "log")
        with log.open("wb") as opened:
            server = start(Path(name), port, opened)
        try:

            def ready() -> bool:
                if server.poll() is not None:
                    sys.exit(f"smoke: the server ended:\n{log.read_text()}")
                return READY_LINE in log.read_text()

            def done() -> bool:
                with _OPENER.open(f"{url}/status/{md5}", timeout=30) as answer:
                    (job,) = json.load(answer)
                if job["status"] == "failed":
                    sys.exit(f"smoke: the picture failed:\n{log.read_text()}")
                return bool(job["status"] == "done")

            until(ready, "the server is ready")
            upload(url, data)
            until(done, "the picture is done")
            with _OPENER.open(f"{url}/download/{md5}", timeout=30) as answer:
                result = answer.read()
            if result[4:12] != b"ftypavif":
                sys.exit("smoke: the result is no AVIF")
        finally:
            server.terminate()
            status = server.wait(30)
    if status != 0:
        sys.exit(f"smoke: the server ended with {status}")
    print(f"smoke: Python {sys.version.split()[0]}: {len(data)} → {len(result)} bytes")


if __name__ == "__main__":
    main()

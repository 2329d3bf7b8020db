"""An S3 of our own: nanio, which speaks HTTP, checks signatures and keeps objects as files."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.launch import free_port
from tests.service import until

KEY_ID = "tinyimagetest"
SECRET = "a/secret+of=the-tests"
BUCKET = "pictures"


class S3Server:
    """A server with one bucket, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / BUCKET).mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What a server or a worker needs in its environment to keep its objects here."""
        return {
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "TINYIMAGE_STORAGE__URL": f"s3://{BUCKET}/some/where",
            "TINYIMAGE_STORAGE__ENDPOINT": self.url,
        }

    def objects(self, folder: str = "") -> list[Path]:
        """The files of the objects below `folder`, as they are now."""
        root = self._folder / BUCKET / "some" / "where" / folder
        return [path for path in root.rglob("*") if path.is_file()]

    def start(self) -> None:
        environment = {"NANIO_ACCESS_KEY": KEY_ID, "NANIO_SECRET_KEY": SECRET}
        command = [sys.executable, "-m", "nanio", "serve", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--data-dir", str(self._folder)]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, what="the S3 answers")

    def stop(self) -> None:
        """End it at once: whoever it was answering is cut off."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """An S3 that runs, with its files in `folder`."""
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()

"""The embedded valkey-server or redis-server: started on a unix socket, kept to one owner for each
folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import redis

from app.core.redis.client import connect
from app.run.redis_binary import Binary, NoBinary, choose_binary
from app.run.redis_files import FilesError, written_in
from imaging.process.parent import die_with_parent

SOCKET_PATH_LIMIT = 100
"""Characters; sun_path takes 104 on BSD and macOS and 108 on Linux, the closing NUL included."""

LOCK_SECONDS = 5.0
"""How long an ending redis-server may keep a folder locked."""

COMPACT_BYTES = 1024
"""Bytes of the longest field of a hash that Redis keeps compact. The arguments of a job exceed its
default of 64, which more than doubles the memory of a job. Redis 7 and Valkey accept this name
too."""

START_SECONDS = 60.0
"""How long Redis may take to load its append-only file."""


class EmbeddedRedisError(Exception):
    """The embedded Redis cannot be started. The message is one line that says why."""


class EmbeddedRedis:
    """A redis-server of our own. Its lock on the folder lasts as long as the process."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.absolute()
        self._socket = socket_path(self.data_dir)
        self._binary: Binary | None = None
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The running process, if it was started."""
        return self._process

    def lock(self) -> None:
        """Lock the folder.

        Raises:
            EmbeddedRedisError: if another server uses it, it cannot be written, or no redis-server
                can read its data.
        """
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(
                self.data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise EmbeddedRedisError(
                f"the data folder {self.data_dir} cannot be written: {error.strerror}"
            ) from None
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise EmbeddedRedisError(
                        f"the data folder {self.data_dir} is in use by another running server"
                    ) from None
                time.sleep(0.1)
        try:
            self._binary = choose_binary(self.data_dir, written_in(self.data_dir))
        except (NoBinary, FilesError) as error:
            raise EmbeddedRedisError(str(error)) from None

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            EmbeddedRedisError: if it ends or does not answer.
        """
        assert self._binary, "lock() comes first"
        assert self._lock is not None
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket.unlink(missing_ok=True)
        parent = os.getpid()
        log = self._log_path.open("wb")
        self._process = subprocess.Popen(
            [
                self._binary.path,
                *("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"),
                *("--dir", str(self.data_dir), "--appendonly", "yes", "--save", ""),
                # Under everysec Redis delays the write itself, by up to two seconds, during a
                # sync: a kill would then lose an accepted picture. Under no it writes before it
                # answers; sync() does the rest.
                *("--appendfsync", "no", "--maxmemory-policy", "noeviction"),
                *("--hash-max-ziplist-value", str(COMPACT_BYTES)),
                *("--daemonize", "no", "--loglevel", "warning"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # The lock is inherited: it is held until redis-server has ended, even if we are killed.
            pass_fds=(self._lock,),
            process_group=0,
            preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509 - no threads run here yet
        )
        log.close()
        self._wait()

    def sync(self) -> None:
        """Sync Redis's files to the disk, against a loss of power.

        Raises:
            OSError: if the disk fails.
        """
        files = (self.data_dir / "appendonly.aof", *self.data_dir.glob("appendonlydir/*.aof"))
        for path in files:
            # Redis replaces and deletes them as it rewrites.
            with contextlib.suppress(FileNotFoundError):
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)

    def stop(self, seconds: float) -> None:
        """End the process, after `seconds` by force, and unlock the folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "redis.log"

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        with contextlib.closing(connect(self.url)) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError as error:
                    if self._process.poll() is not None:
                        raise EmbeddedRedisError(
                            f"redis-server ended with status {self._process.returncode}; "
                            f"{self._log_path} says why: {self._last_line()}"
                        ) from None
                    if time.monotonic() > deadline:
                        raise EmbeddedRedisError(f"Redis does not answer: {error}") from None
                time.sleep(0.02)

    def _last_line(self) -> str:
        lines = self._log_path.read_text("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")


def socket_path(data_dir: Path) -> Path:
    """The socket of the folder: inside it, or in the temporary folder if that path is too long."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tinyimage-{os.getuid()}-{name}" / "redis.sock"

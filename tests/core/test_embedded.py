"""The embedded redis-server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import redis

from app.run import embedded
from app.run.embedded import EmbeddedRedis, EmbeddedRedisError, socket_path
from tests.conftest import running_redis


def test_a_restart_forgets_nothing_even_after_kill_9(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        connection.set("a", "1")
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.start()
        assert connection.get("a") == b"1"
    with running_redis(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        assert connection.get("a") == b"1"


def test_sync_brings_what_was_written_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    with running_redis(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        connection.set("a", "1")
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
        server.sync()
    written = [p for p in tmp_path.rglob("*.aof") if b"SET" in p.read_bytes().upper()]
    assert written
    assert {p.stat().st_ino for p in written} <= set(synced)


def test_it_listens_on_no_port(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
        assert connection.config_get("port") == {"port": "0"}
        assert (tmp_path / "redis.sock").stat().st_mode & 0o077 == 0


def test_a_folder_that_is_in_use_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.2)
    with running_redis(tmp_path), pytest.raises(EmbeddedRedisError, match="is in use") as error:
        EmbeddedRedis(tmp_path).lock()
    assert str(tmp_path) in str(error.value)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedRedisError, match="cannot be written"):
        EmbeddedRedis(tmp_path / "file" / "data").lock()


def test_a_broken_append_only_file_stops_the_start_and_says_so(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.lock()
    (tmp_path / "appendonly.aof").write_bytes(b"*1\r\n$5\r\nnonsense\r\n" * 10)
    with pytest.raises(EmbeddedRedisError, match="redis-server ended with status 1") as error:
        server.start()
    assert "\n" not in str(error.value)


def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    data = tmp_path / ("x" * 120)
    assert len(str(socket_path(data))) < 100
    assert socket_path(data) != socket_path(tmp_path / ("y" * 120))
    with running_redis(data) as server, redis.Redis.from_url(server.url) as connection:
        assert connection.ping()

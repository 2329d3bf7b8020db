"""All roles on a Redis with a password, with an ACL user, and behind TLS."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import trustme
from websockets.sync.client import connect

from app.core.jobs import keys
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from app.run.embedded import EmbeddedRedis
from bench.launch import ROOT, free_port
from bench.queue import PictureQueue
from imaging.formats import Format
from tests import rq_keys
from tests.conftest import running_redis
from tests.pictures import md5, snapshot
from tests.service import Client, Process, environment, service, until
from tests.tls import port_of
from tests.tls_server import tls_redis
from tests.web.sockets import answers, message

PASSWORD = "pass/word@1:%"


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    with running_redis(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def admin(embedded: EmbeddedRedis) -> Iterator[redis.Redis]:
    """A connection that may do everything, whatever users there will be."""
    with contextlib.closing(redis.Redis.from_url(embedded.url)) as connection:
        connection.execute_command("ACL", "SETUSER", "admin", "on", "nopass", "~*", "&*", "+@all")
        connection.execute_command("AUTH", "admin", "-")
        yield connection


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate that a CA of our own has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def _all_roles_work(
    url: str, admin: redis.Redis, folder: Path, **settings: object
) -> list[list[str]]:
    """Convert over HTTP and /ws, count, follow over pub/sub, and clean up.

    Returns:
        what each role has logged.
    """
    port = free_port()
    env = environment(
        folder,
        port,
        CLEANUP__INTERVAL=1,
        UPLOAD__MAX_CONCURRENT_TASKS=1,
        LIMITS__RATE="100/minute",
        **settings,
    )
    env["REDIS_URL"] = url
    processes = [
        Process(role, env) for role in (["app", "web"], ["workers"], ["workers.scheduler"])
    ]
    client = Client(f"http://127.0.0.1:{port}")
    try:
        until(client.answers, what="the web answers")
        data = snapshot()
        accepted = client.upload(data)
        assert accepted.status_code == 202
        assert accepted.headers["X-RateLimit-Remaining"] == "99"
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        assert client.download(md5(data)).status_code == 200
        assert admin.pubsub_numsub(keys.EVENTS_CHANNEL) == [(keys.EVENTS_CHANNEL.encode(), 1)]
        with connect(f"ws://127.0.0.1:{port}/ws", max_size=None) as ws:
            ws.send(message(snapshot()))
            assert [a["status"] for a in answers(ws, 1)] == ["queued", "processing", "done"]
        assert client.http.get("/readyz").status_code == 200
        assert "tinyimage_redis_up 1.0" in client.http.get("/metrics").text
        until(lambda: admin.hget(rq_keys.job("cleanup"), "status") == b"finished", what="a cleanup")
    finally:
        statuses = [process.terminate() for process in processes]
    assert statuses == [0, 0, 0]
    assert not [line for process in processes for line in process.log if "Traceback" in line]
    return [process.log for process in processes]


def _acl_of_the_documentation() -> list[str]:
    """The rules of the user that docs/deploy.md gives."""
    text = (ROOT / "docs" / "deploy.md").read_text()
    (line,) = re.findall(r"^user tinyimage on (.*)$", text, re.MULTILINE)
    return [rule for rule in line.split() if not rule.startswith(">")]


def test_a_password(embedded: EmbeddedRedis, admin: redis.Redis, tmp_path: Path) -> None:
    admin.config_set("requirepass", PASSWORD)
    with port_of(embedded.url) as port:
        address = f"127.0.0.1:{port}/0"
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://{address}").ping()
        _all_roles_work(f"redis://:{quote(PASSWORD, safe='')}@{address}", admin, tmp_path)


@pytest.mark.parametrize("storage", ["", "redis://"])
def test_the_user_of_the_documentation_may_do_all_that_is_needed_and_no_more(
    embedded: EmbeddedRedis, admin: redis.Redis, tmp_path: Path, storage: str
) -> None:
    rules = ["on", f">{PASSWORD}", *_acl_of_the_documentation()]
    admin.execute_command("ACL", "SETUSER", "tinyimage", "reset", *rules)
    admin.execute_command("ACL", "SETUSER", "default", "off")
    admin.set("another", "1")
    with port_of(embedded.url) as port:
        url = f"redis://tinyimage:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/0"
        _all_roles_work(url, admin, tmp_path, STORAGE__URL=storage)
        assert (tmp_path / "output").exists() is not bool(storage)
        # Nothing was tried and refused, but for what redis-py says of itself where it may.
        assert {entry["object"] for entry in admin.acl_log()} <= {"client"}
        with redis.Redis.from_url(url) as connection:
            queue = PictureQueue(connection, max_age_seconds=60, conversion_timeout=60)
            job = queue.submit(
                Conversion("ab" * 16, Format.JPG, 70),
                Submission("cat.jpg", 7, priority=Priority.BULK),
                token="01",
            )
            assert job is not None
            assert queue.promote(job)
            for refused in (
                ["GET", "another"],
                ["KEYS", "*"],
                ["FLUSHALL"],
                ["CONFIG", "GET", "*"],
                ["ACL", "LIST"],
                ["SUBSCRIBE", "others"],
            ):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    connection.execute_command(*refused)


def test_a_wrong_password_is_one_line(
    embedded: EmbeddedRedis, admin: redis.Redis, tmp_path: Path
) -> None:
    admin.config_set("requirepass", PASSWORD)
    with port_of(embedded.url) as port:
        url = f"redis://:wrong@127.0.0.1:{port}/0"
        server = Process(["app"], environment(tmp_path, free_port(), REDIS__URL=url))
        assert server.wait() == 1
        (line,) = server.log
        assert "Redis cannot be reached" in line
        assert "wrong@" not in line


def test_tls_with_a_ca_of_our_own(
    embedded: EmbeddedRedis,
    admin: redis.Redis,
    authority: trustme.CA,
    context: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with port_of(embedded.url, context) as port:
        _all_roles_work(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={file}", admin, tmp_path)


def test_a_redis_server_that_speaks_tls_itself_and_asks_for_a_password(
    authority: trustme.CA, tmp_path: Path
) -> None:
    with tls_redis(tmp_path / "redis", authority, PASSWORD) as port:
        file = tmp_path / "redis" / "ca.pem"
        password = quote(PASSWORD, safe="")
        url = f"rediss://:{password}@127.0.0.1:{port}/0?ssl_ca_certs={file}"
        with contextlib.closing(redis.Redis.from_url(url)) as admin:
            _all_roles_work(url, admin, tmp_path)


def test_tls_that_nobody_has_signed(
    embedded: EmbeddedRedis, admin: redis.Redis, context: ssl.SSLContext, tmp_path: Path
) -> None:
    with port_of(embedded.url, context) as port:
        address = f"rediss://127.0.0.1:{port}/0"
        refused = Process(["app"], environment(tmp_path, free_port(), REDIS__URL=address))
        assert refused.wait() == 1
        (line,) = refused.log
        assert "certificate" in line
        _all_roles_work(f"{address}?ssl_cert_reqs=none", admin, tmp_path)


def _unchecked(log: list[str]) -> list[str]:
    """The lines that warn of a certificate that is not checked."""
    return [line for line in log if "certificate of Redis is not checked" in line]


def test_a_certificate_that_nobody_has_signed_and_the_setting_that_takes_it(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """As on Heroku: rediss:// in REDIS_URL, and nothing that could verify it."""
    with tls_redis(tmp_path / "redis", authority, PASSWORD) as port:
        url = f"rediss://:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/0"
        env = {**environment(tmp_path), "REDIS_URL": url}
        refused = Process(["app"], env)
        assert refused.wait() == 1
        assert "certificate" in refused.log[-1]
        with contextlib.closing(redis.Redis.from_url(f"{url}?ssl_cert_reqs=none")) as admin:
            logs = _all_roles_work(url, admin, tmp_path, REDIS__VERIFY_CERTIFICATE="false")
    assert [len(_unchecked(log)) for log in logs] == [1, 1, 1]


def test_everything_in_one_warns_once_of_a_certificate_that_is_not_checked(
    embedded: EmbeddedRedis, context: ssl.SSLContext, tmp_path: Path
) -> None:
    with port_of(embedded.url, context) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        settings = {"REDIS__VERIFY_CERTIFICATE": "false", "SERVER__PROCESSES": "2"}
        with service(tmp_path, REDIS__URL=url, **settings) as server:
            data = snapshot()
            client = Client(server.url)
            assert client.upload(data).status_code == 202
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        assert len(_unchecked(server.log)) == 1


def test_everything_in_one_behind_tls(
    embedded: EmbeddedRedis, authority: trustme.CA, context: ssl.SSLContext, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with port_of(embedded.url, context) as port:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={file}"
        with service(tmp_path, REDIS__URL=url) as server:
            data = snapshot()
            client = Client(server.url)
            assert client.upload(data).status_code == 202
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]

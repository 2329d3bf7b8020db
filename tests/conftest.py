"""What many tests share: one server for all that do not change it, a Redis, clients."""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from xdist.remote import Producer

from app.core.config.sources import CONFIG_VARIABLE
from app.run.embedded import EmbeddedRedis
from bench.engine import use_one_thread
from tests.fleet import WEB, Fleet, fleet_on_redis, fleet_on_s3
from tests.s3 import S3Server, s3_server
from tests.schedule import ByServer
from tests.service import Client, Service, service
from tests.web.alone import Web, web


def pytest_configure() -> None:
    """Of what is imported nothing is garbage, and to look for some takes a tenth of the time.
    Pictures are converted as in a worker."""
    gc.disable()
    use_one_thread()


def pytest_collection(session: pytest.Session) -> None:
    """Of a run of all tests each process imports the modules from another one on: what pytest has
    made of a module for one process, it keeps for all, and none makes what another has."""
    told = getattr(session.config, "workerinput", None)
    if told is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    folder = Path(__file__).parent
    found = sorted(folder.rglob("test_*.py"))
    first = int(told["workerid"].removeprefix("gw")) * len(found) // told["workercount"]
    for file in found[first:] + found[:first]:
        with contextlib.suppress(Exception):  # said where the module is collected
            importlib.import_module(".".join(file.relative_to(folder.parent).with_suffix("").parts))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """The same holds for all that has been collected."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServer | None:
    """How all tests are given to the processes; some are by xdist's own ways."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        return ByServer(config, log)
    return None


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Everything in one."""
    with service(tmp_path_factory.mktemp("server"), **WEB) as running:
        yield running


@pytest.fixture(scope="session")
def s3_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet whose objects are in a bucket."""
    with _fleet(tmp_path_factory.mktemp("s3-fleet"), fleet_on_s3) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def redis_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet that has nothing but a Redis."""
    with _fleet(tmp_path_factory.mktemp("redis-fleet"), fleet_on_redis) as fleet:
        yield fleet


@contextlib.contextmanager
def _fleet(
    folder: Path, fleet_of: Callable[[Path, str], contextlib.AbstractContextManager[Fleet]]
) -> Iterator[Fleet]:
    (folder / "fleet").mkdir()
    with (
        running_redis(folder / "redis") as embedded,
        fleet_of(folder / "fleet", embedded.url) as fleet,
    ):
        yield fleet


SERVERS = {"one": "one_server", "s3": "s3_fleet", "redis": "redis_fleet"}
"""The fixture of each kind of server. Each starts once for a process of the tests, whichever kinds
the tests that it is given ask for in turn."""


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Service | Fleet:
    """A whole server, for tests that bring pictures of their own and change nothing else; or, where
    a test asks for that, a fleet that answers as one."""
    running: Service | Fleet = request.getfixturevalue(SERVERS[getattr(request, "param", "one")])
    return running


@pytest.fixture
def client(server: Service | Fleet) -> Iterator[Client]:
    """A client of `server`."""
    client = server.client()
    with client.http:
        yield client


@pytest.fixture(autouse=True)
def _own_config(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a configuration file leaves its name in the environment, for the processes that are
    started then; the next test is to know nothing of it."""
    monkeypatch.setenv(CONFIG_VARIABLE, "")
    monkeypatch.delenv(CONFIG_VARIABLE)


@pytest.fixture
def no_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration file that says nothing."""
    file = tmp_path / "empty.yaml"
    file.write_text("{}")
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[EmbeddedRedis]:
    """A redis-server with its data in `folder`."""
    embedded = EmbeddedRedis(folder)
    embedded.lock()
    embedded.start()
    try:
        yield embedded
    finally:
        embedded.stop(10)


@pytest.fixture(scope="session")
def session_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis for all tests of this process; use `redis_url`."""
    with running_redis(tmp_path_factory.mktemp("redis")) as embedded:
        yield embedded


@pytest.fixture(scope="session")
def session_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 for all tests of this process, each with a prefix of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def redis_url(session_redis: EmbeddedRedis) -> Iterator[str]:
    """An empty Redis."""
    with contextlib.closing(redis.Redis.from_url(session_redis.url)) as connection:
        connection.flushall()
        yield session_redis.url


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    """A connection to an empty Redis."""
    with contextlib.closing(redis.Redis.from_url(redis_url)) as connection:
        yield connection


@pytest.fixture(scope="session")
def lone_web(
    session_redis: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The web alone, for all tests of this process; use `alone`."""
    with web(tmp_path_factory.mktemp("web"), session_redis.url) as running:
        yield running


@pytest.fixture
def alone(redis_url: str, lone_web: Web) -> Iterator[Web]:
    """The web alone, as it comes, on an empty Redis: what it takes stays queued. In its folder is
    what other tests have left, and in its log what it says in this one."""
    lone_web.client = Client(lone_web.url)
    lone_web.log.clear()
    with lone_web.client.http:
        yield lone_web

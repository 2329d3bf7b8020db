"""The tests of the API run against one server, and against fleets that share no disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from websockets.sync.client import ClientConnection, connect

from tests.schedule import API, FLEETS
from tests.service import Service, service
from tests.web.browser import Visit, chromium
from tests.web.contract import Contract
from tests.web.keys import KEYS

ONE_SERVER_ONLY = {
    "test_all_processes_log_as_json",
    "test_a_photograph_comes_back_smaller_and_the_same_size",
    "test_every_input_format_is_read",
    "test_q_is_the_quality_of_any_lossy_format",
    "test_same_keeps_the_format_of_the_picture",
    "test_a_message_that_would_not_fit_in_memory_ends_the_socket_alone",
}
"""What has to do with everything in one, or with decoders or a socket alone: they are the same
wherever objects are stored."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if "server" in metafunc.fixturenames and module in API:
        kinds = ["one"]
        if metafunc.function.__name__ not in ONE_SERVER_ONLY:
            kinds += FLEETS
        metafunc.parametrize("server", kinds, indirect=True, scope="session")


@pytest.fixture
def ws(server: Service) -> Iterator[ClientConnection]:
    """A socket to `server`."""
    with connect(server.ws_url, max_size=None) as socket:
        yield socket


@pytest.fixture(scope="module")
def contract(server: Service) -> Contract:
    """The schema of `server`, to which answers are held."""
    return Contract(server.url)


@pytest.fixture(scope="session")
def tinify_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A whole server with keys, for tests of the Tinify API that bring pictures of their own."""
    settings = {"FETCH__ENABLED": "true", "FETCH__ALLOWED_NETWORKS": "127.0.0.1/32"}
    with service(tmp_path_factory.mktemp("tinify"), AUTH__API_KEYS=KEYS, **settings) as running:
        yield running


@pytest.fixture(scope="module")  # while it runs, Playwright has an event loop in this thread
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one the test is skipped."""
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, server: Service) -> Iterator[Visit]:
    """The page of `server`, in which nothing goes wrong and nothing comes from elsewhere."""
    visit = Visit(browser, server.url)
    yield visit
    visit.close()
    own = (server.url, "blob:", "data:")
    assert [url for url in visit.asked if not url.startswith(own)] == []

"""The tests of the API run against one server, and against fleets that share no disk."""

from __future__ import annotations

import pytest

API = {
    "test_upload",
    "test_status",
    "test_download",
    "test_live",
    "test_binary",
    "test_record",
    "test_options",
    "test_details",
}
"""The modules that say what clients of the API see."""

ONE_SERVER_ONLY = {"test_all_processes_log_as_json"}
"""What has to do with everything in one."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if "server" in metafunc.fixturenames and module in API:
        kinds = ["one"] if metafunc.function.__name__ in ONE_SERVER_ONLY else ["one", "s3", "redis"]
        metafunc.parametrize("server", kinds, indirect=True, scope="session")

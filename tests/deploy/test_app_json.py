"""app.json: what Heroku sets an app up with."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
from honcho.environ import parse_procfile

from app.core.config.settings import Settings
from bench.launch import ROOT, free_port
from tests.conftest import running_redis
from tests.deploy.conftest import LOOPBACK
from tests.deploy.containers import Container
from tests.deploy.variables import is_known
from tests.pictures import md5, snapshot
from tests.service import Client, until
from tests.tls import port_of

APP_JSON = ROOT / "app.json"
INSTALL = {"PKG_CONFIG_LIBDIR"}
"""Variables for pip, which runs with the same ones."""

SECRET = "0123456789abcdef" * 4
"""As Heroku makes one: 64 hex digits."""


@pytest.fixture
def manifest() -> dict[str, Any]:
    return dict(json.loads(APP_JSON.read_text("utf-8")))


def values(manifest: dict[str, Any]) -> dict[str, str]:
    """What is set in each dyno, where nobody changes anything."""
    return {
        name: SECRET if variable.get("generator") else variable["value"]
        for name, variable in manifest["env"].items()
    }


def test_heroku_accepts_the_file() -> None:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--schemafile", str(Path(__file__).with_name("app.schema.json")), str(APP_JSON)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_process_type_is_started(manifest: dict[str, Any]) -> None:
    procfile = parse_procfile((ROOT / "Procfile").read_text())
    assert set(manifest["formation"]) == set(procfile.processes)
    assert all(process["quantity"] == 1 for process in manifest["formation"].values())


def test_every_variable_is_a_setting_and_says_what_it_is(manifest: dict[str, Any]) -> None:
    for name, variable in manifest["env"].items():
        assert is_known(name) or name in INSTALL, name
        assert variable["description"].endswith("."), name


def test_its_values_are_ones_that_the_server_takes(
    manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in values(manifest).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", "rediss://:password@example.org:6380")
    settings = Settings()
    assert settings.redis.url == "rediss://:password@example.org:6380?ssl_cert_reqs=none"
    (key,) = settings.auth.api_keys.values()
    assert key.key.get_secret_value() == SECRET
    assert settings.server.processes == settings.server.proxies_count == 1
    assert settings.limits.rate == ""


def test_dynos_that_share_nothing_but_a_redis_convert_a_picture(
    manifest: dict[str, Any], tmp_path: Path
) -> None:
    """With the values that are set where nobody changes any, behind a certificate of nobody's."""
    port = free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    processes = parse_procfile((ROOT / "Procfile").read_text()).processes
    with contextlib.ExitStack() as opened:
        embedded = opened.enter_context(running_redis(tmp_path / "redis"))
        tls = opened.enter_context(port_of(embedded.url, context))
        environment = {
            "PYTHONPATH": str(ROOT),
            **values(manifest),
            **LOOPBACK,
            "PORT": str(port),
            "REDIS_URL": f"rediss://127.0.0.1:{tls}/0",
        }
        for name, line in processes.items():
            dyno = tmp_path / name
            dyno.mkdir()
            opened.enter_context(Container(["sh", "-c", line], dyno, environment))
        client = Client(f"http://127.0.0.1:{port}")
        opened.enter_context(client.http)
        client.http.headers["Authorization"] = f"Bearer {SECRET}"
        until(client.answers, what="the web answers")
        picture = snapshot()
        assert client.upload(picture).status_code == 202
        assert [job["status"] for job in client.wait(md5(picture))] == ["done"]
        assert client.download(md5(picture)).content[8:12] == b"WEBP"
        # A dyno's own folder has nothing in it that another would need.
        assert not any(list((tmp_path / name).iterdir()) for name in processes)

"""app.json: what Heroku sets an app up with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from honcho.environ import parse_procfile

from app.core.settings import Settings
from tests.deploy.variables import PLANNED, is_known
from tests.service import ROOT

APP_JSON = ROOT / "app.json"
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
        assert is_known(name), name
        assert variable["description"].endswith("."), name


def test_its_values_are_ones_that_the_server_takes(
    manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in values(manifest).items():
        if name not in PLANNED:
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", "rediss://:password@example.org:6380")
    settings = Settings()
    assert settings.redis.url == "rediss://:password@example.org:6380?ssl_cert_reqs=none"
    (key,) = settings.auth.api_keys.values()
    assert key.get_secret_value() == SECRET
    assert settings.server.processes == settings.server.proxies_count == 1
    assert settings.limits.rate == ""

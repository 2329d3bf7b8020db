"""The address by which any certificate is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from app.core.config.settings import Settings
from app.core.redis.url import is_unchecked, without_check


@pytest.mark.parametrize(
    ("url", "unchecked"),
    [
        ("rediss://host:6380/0", "rediss://host:6380/0?ssl_cert_reqs=none"),
        ("rediss://:p%40ss%2F@host", "rediss://:p%40ss%2F@host?ssl_cert_reqs=none"),
        ("rediss://host/0?protocol=3", "rediss://host/0?protocol=3&ssl_cert_reqs=none"),
        ("rediss://host/0?ssl_cert_reqs=required", "rediss://host/0?ssl_cert_reqs=required"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
    ],
)
def test_any_certificate_is_taken_where_one_would_be_checked(url: str, unchecked: str) -> None:
    assert without_check(url) == unchecked
    assert without_check(unchecked) == unchecked
    assert is_unchecked(unchecked) is unchecked.endswith("none")
    pool = redis.ConnectionPool.from_url(unchecked)
    asked = redis.ConnectionPool.from_url(url)
    for name in ("host", "port", "username", "password", "db", "path"):
        assert pool.connection_kwargs.get(name) == asked.connection_kwargs.get(name)


def test_the_setting_holds_for_the_address_of_a_platform_and_for_our_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "rediss://platform")
    assert Settings().redis.url == "rediss://platform"
    monkeypatch.setenv("TINYIMAGE_REDIS__VERIFY_CERTIFICATE", "false")
    assert Settings().redis.url == "rediss://platform?ssl_cert_reqs=none"
    monkeypatch.setenv("TINYIMAGE_REDIS__URL", "rediss://ours")
    assert Settings().redis.url == "rediss://ours?ssl_cert_reqs=none"

"""What browsers are told: security headers, and which sites may use the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import running_redis
from tests.pictures import md5, snapshot
from tests.service import Client, Service
from tests.web.alone import Web, web

KEY = "0123456789abcdef"
SITE, OTHER = "https://shop.example", "https://evil.example"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web that one site may use, with keys and a rate."""
    folder = tmp_path_factory.mktemp("shared")
    with (
        running_redis(folder / "redis") as embedded,
        web(
            folder,
            embedded.url,
            CORS__ORIGINS=SITE,
            AUTH__API_KEYS=f"shop:{KEY}",
            LIMITS__RATE="100/minute",
        ) as running,
    ):
        yield running


def _preflight(client: Client, origin: str, path: str = "/upload") -> httpx.Response:
    return client.http.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-api-key",
        },
    )


@pytest.mark.parametrize("path", ["/", "/upload", "/events/x", "/download/x", "/healthz"])
def test_a_preflight_of_the_site_is_answered_without_a_key(shared: Web, path: str) -> None:
    response = _preflight(shared.client, SITE, path)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == SITE
    assert "POST" in response.headers["access-control-allow-methods"]
    for name in ("X-API-Key", "Last-Event-ID"):
        assert name in response.headers["access-control-allow-headers"]
    assert "Origin" in response.headers["vary"]


def test_another_site_gets_no_preflight_and_no_grant(shared: Web) -> None:
    assert _preflight(shared.client, OTHER).status_code == 401
    response = shared.client.http.get("/", headers={"Origin": OTHER, "X-API-Key": KEY})
    assert "access-control-allow-origin" not in response.headers
    assert "Origin" in response.headers["vary"]


def test_the_site_can_read_answers_errors_and_the_headers_it_needs(shared: Web) -> None:
    for headers, status in (({"X-API-Key": KEY}, 202), ({}, 401)):
        response = shared.client.http.post(
            "/upload",
            files={"picture": ("cat.jpg", snapshot())},
            headers={"Origin": SITE, **headers},
        )
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == SITE
        assert "access-control-allow-credentials" not in response.headers
        exposed = response.headers["access-control-expose-headers"]
        for name in ("Content-Disposition", "ETag", "Retry-After", "RateLimit", "X-Request-ID"):
            assert name in exposed


def test_a_star_is_for_all_sites(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, CORS__ORIGINS="*") as running:
        assert _preflight(running.client, OTHER).headers["access-control-allow-origin"] == "*"
        response = running.client.http.get("/", headers={"Origin": OTHER})
        assert response.headers["access-control-allow-origin"] == "*"


def test_without_origins_there_are_no_cors_headers(client: Client) -> None:
    assert _preflight(client, SITE).status_code == 405
    response = client.http.get("/", headers={"Origin": SITE})
    names = {name.lower() for name in response.headers}
    assert not [name for name in names if name.startswith("access-control")]
    assert "Origin" not in response.headers["vary"]


def test_every_answer_has_its_security_headers(server: Service, client: Client) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    download = client.download(md5(data))
    responses = [
        client.http.get("/"),
        client.http.get("/healthz"),
        client.http.get("/nothing"),
        client.http.delete("/"),
        client.http.post("/upload", content=b"x" * 100_000),
        client.http.get(f"/status/{md5(data)}"),
        client.http.head(f"/download/{md5(data)}"),
        client.http.get(f"/download/{md5(data)}", headers={"Range": "bytes=99999999-"}),
        client.http.get(
            f"/download/{md5(data)}", headers={"If-None-Match": download.headers["etag"]}
        ),
        download,
    ]
    assert [r.status_code for r in responses] == [200, 200, 404, 405, 400, 200, 200, 416, 304, 200]
    for response in responses:
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-frame-options"] == "DENY"
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        shown = "/download/" in str(response.url)
        site = response.headers["cross-origin-resource-policy"]
        assert site == ("cross-origin" if shown else "same-origin")
